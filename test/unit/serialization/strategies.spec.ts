import assert from 'node:assert/strict';
import {
  deserialize,
  type Identifier,
  packBuffers,
  packFunction,
  RESULT_SERIALIZERS,
  STRATEGIES,
  serialize,
  unpackFunction,
} from '../../../lib/serialization/index.js';
import { unreadable, unwritable } from './errors.js';
import { usePython } from './python.js';

const NAME_AND_SOURCE = { name: 'f', source: 'def f(x):\n    return x\n' };

/** `dill.dumps(("f", "def f(x):\n    return x\n"))` in base64, by dill itself. */
const DILL_SOURCE = 'gASVIQAAAAAAAACMAWaUjBdkZWYgZih4KToKICAgIHJldHVybiB4CpSGlC4=\n';

describe('strategies', () => {
  const table: [Identifier, string, string][] = [
    ['00', 'DillDataBase64', 'data'],
    ['01', 'DillCode', 'code'],
    ['02', 'PickleCode', 'code'],
    ['03', 'DillCodeTextInspect', 'code'],
    ['04', 'DillCodeSource', 'code'],
    ['10', 'CombinedCode', 'code'],
    ['11', 'JSONData', 'data'],
    ['12', 'AllCodeStrategies', 'code'],
    ['13', 'AllDataStrategies', 'data'],
    ['st', 'PureSourceTextInspect', 'code'],
    ['sd', 'PureSourceDill', 'code'],
  ];

  it('are all that the SDK ever wrote', () => {
    assert.deepEqual(Object.keys(STRATEGIES).sort(), table.map(([identifier]) => identifier).sort());
    for (const [identifier, className, kind] of table) {
      const strategy = STRATEGIES[identifier];
      assert.deepEqual(
        [strategy.identifier, strategy.importPath, strategy.kind],
        [identifier, `globus_compute_sdk.serialize.${className}`, kind],
      );
    }
  });

  it('that write results are those that can be read here, JSON first', () => {
    assert.deepEqual(RESULT_SERIALIZERS, [
      'globus_compute_sdk.serialize.JSONData',
      'globus_compute_sdk.serialize.DillDataBase64',
    ]);
  });

  describe('read what the SDK wrote', () => {
    const written: [name: string, text: string, value: unknown][] = [
      ['JSON', '11\n{"a": [1, NaN]}', { a: [1, Number.NaN] }],
      ['dill', '00\ngASVCQAAAAAAAABLAYwBYZSGlC4=\n', [1, 'a']],
      ['dill of positional arguments', '00\ngASVBQAAAAAAAABLAoWULg==\n', [2]],
      ['dill of keywords', '00\ngASVCgAAAAAAAAB9lIwBYpRLKHMu\n', { b: 40 }],
      ['plain source', 'st\nf:def f(x):\n    return x\n', NAME_AND_SOURCE],
      ['plain source found by dill', 'sd\nf:def f(x):\n    return x\n', NAME_AND_SOURCE],
      ['plain source of SDK 3.16.0', `st\n${base64('f:def f(x):\n    return x\n')}`, NAME_AND_SOURCE],
      [
        'source with colons only in the code',
        'st\nf:def f(x): return {1: x}',
        { name: 'f', source: 'def f(x): return {1: x}' },
      ],
      ['dill of source (inspect)', `03\n${DILL_SOURCE}`, NAME_AND_SOURCE],
      ['dill of source (dill)', `04\n${DILL_SOURCE}`, NAME_AND_SOURCE],
      ['all ways for data', '13\n11\n11\n{"a": 1}32\n00\ngASVCgAAAAAAAAB9lIwBYZRLAXMu\n', { a: 1 }],
      ['all ways for data, of which JSON failed', '13\n32\n00\ngASVCgAAAAAAAAB9lIwBYZRLAXMu\n', { a: 1 }],
      [
        'all ways for code',
        `12\n${packBuffers(['01\nAAAA\n', 'sd\ng:wrong', 'st\nf:def f(x):\n    return x\n'])}`,
        NAME_AND_SOURCE,
      ],
      ['combined code of funcX 1.x', `10\n04\n:${DILL_SOURCE}:01\n:AAAA\n:03\n:AAAA\n`, NAME_AND_SOURCE],
      ['combined code without dill.getsource', `10\n01\n:AAAA\n:03\n:${DILL_SOURCE}`, NAME_AND_SOURCE],
      ['combined code with a part that is broken', `10\n04\n:AAAA\n:03\n:${DILL_SOURCE}`, NAME_AND_SOURCE],
    ];
    for (const [name, text, value] of written) {
      it(name, () => assert.deepEqual(deserialize(text), value));
    }
  });

  describe('say what they cannot read', () => {
    for (const [name, text, message] of [
      ['compiled code', '01\ngASV', /01 \(DillCode\) holds a compiled Python function.*strategy st.*strategy 11/],
      ['compiled code of funcX 0.0', '02\ngASV', /02 \(PickleCode\) holds a compiled Python function/],
      ['an identifier of nobody', 'zz\n1', /Unknown strategy "zz"\. Known are 00, /],
      ['an identifier that every object has', '__\n1', /Unknown strategy "__"/],
      ['text without an identifier', '{"a": 1}', /expected two characters and a line feed, found "\{\\"a\\": 1\}"/],
      ['nothing', '', /expected two characters and a line feed/],
      ['source without a name', 'st\nAAAA', /expected "<name>:<source>"/],
      ['a pickle that is no name and source', `03\n${base64('\x80\x03K\x01.')}`, /name of a function and its source/],
      ['a pickle that was cut', '00\ngASVCQ==', /Not a pickle/],
      ['combined code that is compiled only', '10\n01\n:AAAA\n', /None of the parts can be read here \(found: 01\)/],
      ['an empty combination', '12\n', /None of the parts can be read here \(found: none\)/],
    ] as const) {
      it(name, () => assert.throws(() => deserialize(text), unreadable(message)));
    }
  });

  describe('write for the SDK', () => {
    const python = usePython();

    it('JSON, unless told otherwise', () => {
      assert.equal(serialize({ a: [1] }), '11\n{"a":[1]}');
    });

    it('plain source', () => {
      assert.equal(serialize(NAME_AND_SOURCE, 'st'), 'st\nf:def f(x):\n    return x\n');
      assert.equal(serialize(NAME_AND_SOURCE, 'sd'), 'sd\nf:def f(x):\n    return x\n');
    });

    it('source for workers of funcX 1.x, byte for byte as it was tried on one', () => {
      assert.equal(serialize(NAME_AND_SOURCE, '03'), '03\ngAMoWAEAAABmWBcAAABkZWYgZih4KToKICAgIHJldHVybiB4CnQu\n');
    });

    it('a pickle that Python loads', async () => {
      const body = serialize({ a: [1.5, 'é', Buffer.from('b')] }, '00').slice(3);
      const loads = 'pickle.loads(base64.b64decode(value)) == {"a": [1.5, "é", b"b"]}';
      assert.equal(await python.evaluate(loads, body), true);
    });

    for (const identifier of ['01', '02', '04', '10', '12', '13'] as const) {
      it(`nothing by ${identifier}, and name another`, () => {
        assert.throws(
          () => serialize(1, identifier),
          unwritable(/can only be read here\. Write with strategy (st|11)/),
        );
      });
    }

    for (const name of ['', 'a b', 'a:b', '1a', 'a.b']) {
      it(`no function named ${JSON.stringify(name)}`, () => {
        assert.throws(() => serialize({ name, source: '' }, 'st'), unwritable(/is no Python name/));
        assert.throws(() => serialize({ name, source: '' }, '03'), unwritable(/is no Python name/));
      });
    }

    it('no code that is not source', () => {
      for (const value of ['def f(): pass', null, { name: 'f' }, { source: 'x' }]) {
        assert.throws(() => serialize(value, 'st'), unwritable(/\{name, source\}/));
      }
    });
  });
});

describe('function code', () => {
  it('is what register_source_code of the SDK sends', () => {
    const source = "def f():\n    return '😀'\n";
    assert.equal(packFunction('f', source), `29\nst\nf:${source}`);
  });

  it('may be of a name in any script', () => {
    assert.equal(packFunction('größe', ''), '9\nst\ngröße:');
  });

  for (const [name, buffer] of [
    ['plain source', 'st\nf:def f(x):\n    return x\n'],
    ['dill of source', `04\n${DILL_SOURCE}`],
    ['all ways for code', `12\n${packBuffers(['st\nf:def f(x):\n    return x\n', '01\nAAAA\n'])}`],
  ] as const) {
    it(`is shown where it holds ${name}`, () => {
      assert.deepEqual(unpackFunction(packBuffers([buffer])), NAME_AND_SOURCE);
    });
  }

  for (const [name, code] of [
    ['a compiled function', packBuffers(['01\nAAAA\n'])],
    ['data', packBuffers(['11\n[1]'])],
    ['nothing', ''],
    ['what nobody wrote', 'not packed'],
  ] as const) {
    it(`is not shown where it holds ${name}`, () => {
      assert.equal(unpackFunction(code), undefined);
    });
  }
});

function base64(text: string): string {
  return `${Buffer.from(text, 'latin1').toString('base64')}\n`;
}
