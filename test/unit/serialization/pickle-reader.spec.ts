import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readPickle, writePickle } from '../../../lib/serialization/index.js';
import { usePython } from './python.js';

const PROTOCOLS = [0, 1, 2, 3, 4, 5];
const NAN = Number.NaN;
const INFINITY = Number.POSITIVE_INFINITY;

describe('readPickle', () => {
  const python = usePython();

  describe('reads what Python writes', () => {
    const values: [expression: string, value: unknown][] = [
      ['None', null],
      ['[True, False]', [true, false]],
      ['[0, 1, 255, 256, 65535, 65536, -1, -3000000000]', [0, 1, 255, 256, 65535, 65536, -1, -3000000000]],
      ['[2**31 - 1, 2**31, -2**31, -2**31 - 1]', [2147483647, 2147483648, -2147483648, -2147483649]],
      ['[2**53 - 1, 2**53, -2**53 + 1, -2**53]', [2 ** 53 - 1, 2n ** 53n, -(2 ** 53) + 1, -(2n ** 53n)]],
      ['[-2**63, 2**200, -2**200, 2**3000]', [-(2n ** 63n), 2n ** 200n, -(2n ** 200n), 2n ** 3000n]],
      ['[0.0, -0.0, 1.5, 5e-324, math.inf, -math.inf, math.nan]', [0, -0, 1.5, 5e-324, INFINITY, -INFINITY, NAN]],
      [
        '["", "abc", "abcde", "é", "ééééé", "😀", "\\ud83d", "x\\udfffy😀z", "\\ufffd", "한\\udfff한"]',
        ['', 'abc', 'abcde', 'é', 'ééééé', '😀', '\ud83d', 'x\udfffy😀z', '\ufffd', '한\udfff한'],
      ],
      [
        '["\\\\ \\\\u0041 \\n\\r\\x00\\x1a \'\\"", "\\\\", "x" * 70000]',
        ['\\ \\u0041 \n\r\x00\x1a \'"', '\\', 'x'.repeat(70000)],
      ],
      [
        '[b"", b"a\\xff", bytes(300), bytes(70000)]',
        [Buffer.alloc(0), Buffer.from([0x61, 0xff]), Buffer.alloc(300), Buffer.alloc(70000)],
      ],
      ['[bytearray(), bytearray(b"a\\xff")]', [Buffer.alloc(0), Buffer.from([0x61, 0xff])]],
      ['[[], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)]', [[], [], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]],
      ['(1.0, 2.0, 3.0, 4.0)', [1, 2, 3, 4]],
      [
        '[[1.5], [1.5, 2.5], [0.5, "a", 1.5], [[0.5, 1.5], (0.5, 1.5, 2.5, 3.5)]]',
        [
          [1.5],
          [1.5, 2.5],
          [0.5, 'a', 1.5],
          [
            [0.5, 1.5],
            [0.5, 1.5, 2.5, 3.5],
          ],
        ],
      ],
      ['list(range(2500))', Array.from({ length: 2500 }, (_, i) => i)],
      ['[i / 2 for i in range(40000)]', Array.from({ length: 40000 }, (_, i) => i / 2)],
      ['[i / 2 for i in range(1500)] + ["x"]', [...Array.from({ length: 1500 }, (_, i) => i / 2), 'x']],
      ['[{}, {"a": {"b": 1}}]', [{}, { a: { b: 1 } }]],
      ['{str(i): i for i in range(2500)}', Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`${i}`, i]))],
      [
        '{1: 2, "a": 3}',
        new Map<unknown, unknown>([
          [1, 2],
          ['a', 3],
        ]),
      ],
      [
        '{"a": 1, None: {2: {}}}',
        new Map<unknown, unknown>([
          ['a', 1],
          [null, new Map([[2, {}]])],
        ]),
      ],
      [
        '{i if i > 1200 else str(i): i for i in range(2500)}',
        new Map(Array.from({ length: 2500 }, (_, i) => [i > 1200 ? i : `${i}`, i])),
      ],
      ['[set(), {1}, {"a"}]', [new Set(), new Set([1]), new Set(['a'])]],
      ['[frozenset(), frozenset([1])]', [new Set(), new Set([1])]],
    ];
    for (const [expression, value] of values) {
      it(`of ${expression}, by every protocol`, async () => {
        for (const protocol of PROTOCOLS) {
          assert.deepEqual(readPickle(await python.pickle(expression, protocol)), value, `protocol ${protocol}`);
        }
      });
    }
  });

  it('keeps one value that is in two places as one', async () => {
    for (const protocol of PROTOCOLS) {
      for (const [expression, value] of [
        ['[1]', [1]],
        ['{"k": 2}', { k: 2 }],
        ['{1: 2}', new Map([[1, 2]])],
        ['{3}', new Set([3])],
      ] as const) {
        const [first, second] = readPickle(await python.pickle(`[${expression}] * 2`, protocol)) as unknown[];
        assert.deepEqual(first, value);
        assert.equal(first, second);
      }
    }
  });

  describe('keeps values that are inside themselves', () => {
    it('lists', async () => {
      for (const protocol of PROTOCOLS) {
        const list = readPickle(await python.pickle('(lambda x: x.append(x) or x)([1])', protocol)) as unknown[];
        assert.equal(list[0], 1);
        assert.equal(list[1], list);
      }
    });

    it('dicts', async () => {
      for (const protocol of PROTOCOLS) {
        const dict = readPickle(await python.pickle('(lambda x: x.update(me=x) or x)({})', protocol)) as {
          me: unknown;
        };
        assert.equal(dict.me, dict);
      }
    });

    it('dicts that have to be Maps', async () => {
      const make = '(lambda x: x.update({"me": [x], "t": (x,), 1: x}) or {"outer": x, "list": [x]})({})';
      for (const protocol of PROTOCOLS) {
        const { outer, list } = readPickle(await python.pickle(make, protocol)) as Record<string, unknown>;
        assert(outer instanceof Map);
        assert.deepEqual([...outer.keys()], ['me', 't', 1]);
        assert.equal(outer.get(1), outer);
        assert.equal(outer.get('me')[0], outer);
        assert.equal(outer.get('t')[0], outer);
        assert.equal((list as unknown[])[0], outer);
      }
    });

    it('tuples', async () => {
      const tuple = readPickle(await python.pickle('(lambda x: (x.append((x,)) or x)[0])([])')) as [[unknown]];
      assert.equal(tuple[0][0], tuple);
    });
  });

  it('keeps the names of all members in their own object', async () => {
    const object = readPickle(await python.pickle('{"__proto__": {"polluted": 1}, "constructor": 2}')) as object;
    assert.deepEqual(Object.keys(object), ['__proto__', 'constructor']);
    assert.equal(Object.getPrototypeOf(object), Object.prototype);
    assert(!('polluted' in object));
  });

  it('gives large integers as their digits, if asked for', async () => {
    for (const protocol of PROTOCOLS) {
      const pickle = await python.pickle('[2**53 - 1, 2**53, -2**64]', protocol);
      assert.deepEqual(readPickle(pickle, { integers: 'text' }), [
        9007199254740991,
        '9007199254740992',
        '-18446744073709551616',
      ]);
    }
  });

  it('takes a mark away where that is what is on the stack', () => {
    assert.equal(readPickle(Buffer.from('N(0.')), null);
    assert.equal(readPickle(Buffer.from('N(NN1.')), null);
  });

  it('reads the text of Python 2', () => {
    assert.equal(readPickle(Buffer.from("S'a\\x41\\n\\'\\\\'\np0\n.", 'latin1')), "aA\n'\\");
    assert.equal(readPickle(Buffer.from('\x80\x02U\x03abcq\x00.', 'latin1')), 'abc');
    assert.equal(readPickle(Buffer.from('\x80\x02T\x03\x00\x00\x00abcq\x00.', 'latin1')), 'abc');
  });

  it('does not let a small value keep all of its pickle in memory', () => {
    const pickle = Buffer.concat([Buffer.from('\x80\x04C\x03abc.', 'latin1'), Buffer.alloc(100_000)]);
    const bytes = readPickle(pickle) as Buffer;
    assert(bytes.buffer !== pickle.buffer);
  });

  it('reads whatever was written here', () => {
    const anyValue = fc.letrec((tie) => ({
      value: fc.oneof(
        fc.double(),
        fc.maxSafeInteger(),
        fc.bigInt().filter((n) => !Number.isSafeInteger(Number(n))),
        fc.string({ unit: 'binary' }),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.constantFrom(null, true, false),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
        fc.uniqueArray(fc.integer(), { maxLength: 4 }).map((members) => new Set(members)),
        fc
          .dictionary(fc.string(), tie('value'), { minKeys: 1 })
          .map((o) => new Map([[1, 0] as [unknown, unknown], ...Object.entries(o)])),
      ),
    })).value;
    fc.assert(fc.property(anyValue, (value) => assert.deepEqual(readPickle(writePickle(value)), wholeDoubles(value))));
  });
});

/** A double without a fraction is an integer in Python, and comes back as one. */
function wholeDoubles(value: unknown): unknown {
  if (typeof value === 'number') {
    return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21 ? BigInt(value) : value;
  }
  if (Array.isArray(value)) return value.map(wholeDoubles);
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [key, wholeDoubles(member)]));
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value) || value instanceof Set) return value;
  const object = {};
  for (const [name, member] of Object.entries(value)) {
    Object.defineProperty(object, name, {
      value: wholeDoubles(member),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return object;
}
