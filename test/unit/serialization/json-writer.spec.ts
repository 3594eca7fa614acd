import assert from 'node:assert/strict';
import vm from 'node:vm';
import fc from 'fast-check';
import { parsePythonJson, stringifyForPython } from '../../../lib/serialization/index.js';
import { unwritable } from './errors.js';
import { usePython } from './python.js';

class Temperature {
  constructor(readonly celsius: number) {}
  toJSON(key: string) {
    return { [key]: `${this.celsius} °C` };
  }
}

const shared = { once: 1 };

describe('stringifyForPython', () => {
  const python = usePython();

  describe('writes what json.loads reads as', () => {
    const values: [value: unknown, expression: string][] = [
      [null, 'None'],
      [undefined, 'None'],
      [true, 'True'],
      [1, '1'],
      [1.5, '1.5'],
      [-0, '-0.0'],
      [[0, -0], '[0, -0.0]'],
      [Number.NaN, 'math.nan'],
      [[Number.POSITIVE_INFINITY, { x: Number.NEGATIVE_INFINITY }], '[math.inf, {"x": -math.inf}]'],
      [2 ** 53 - 1, '2**53 - 1'],
      [2 ** 60, '2**60'],
      [-(2 ** 69), '-2**69'],
      [1e21, '1e21'],
      [5e-324, '5e-324'],
      [10n ** 30n, '10**30'],
      [{ id: -(2n ** 64n) }, '{"id": -2**64}'],
      ['é😀 "\\\n\u2028\x00', '"é😀 \\"\\\\\\n\\u2028\\x00"'],
      ['lone \ud83d', '"lone \\ud83d"'],
      [{ '\ude00': 1n }, '{"\\ude00": 1}'],
      [{ a: undefined, b: [undefined], c: () => 1, d: [Symbol('x')] }, '{"b": [None], "d": [None]}'],
      [{ a: undefined, b: Number.NaN, c: () => 1 }, '{"b": math.nan}'],
      [new Date('2024-02-29T12:00:00.5Z'), '"2024-02-29T12:00:00.500Z"'],
      [[new Date(Number.NaN)], '[None]'],
      [{ water: new Temperature(20) }, '{"water": {"water": "20 °C"}}'],
      [
        new Map<string, unknown>([
          ['b', 1n],
          ['a', [Number.NaN]],
        ]),
        '{"b": 1, "a": [math.nan]}',
      ],
      [new Set([1, 'a', null]), '[1, "a", None]'],
      [new Float64Array([1, -0, Number.NaN]), '[1, -0.0, math.nan]'],
      [new BigInt64Array([-1n, 2n ** 62n]), '[-1, 2**62]'],
      [{ n: Object(1), s: Object('x'), b: Object(false), i: Object(1n) }, '{"n": 1, "s": "x", "b": False, "i": 1}'],
      [Object.create(null, { x: { value: 1, enumerable: true } }), '{"x": 1}'],
      [JSON.parse('{"__proto__": 1, "x": 2}'), '{"__proto__": 1, "x": 2}'],
      [[shared, shared, 1n], '[{"once": 1}, {"once": 1}, 1]'],
      [new Array(2), '[None, None]'],
      [
        new (class Point {
          x = 1;
          y = 2n;
        })(),
        '{"x": 1, "y": 2}',
      ],
    ];
    for (const [value, expression] of values) {
      it(expression, async () => {
        const text = stringifyForPython(value);
        assert.equal(await python.evaluate(`same(json.loads(value), ${expression})`, text), true, text);
      });
    }
  });

  it('takes values of another realm for what they are, as those of a function node', () => {
    const payload: unknown = vm.runInNewContext(
      '({ map: new Map([["k", new Set([1])]]), typed: new Float32Array([0.5]), date: new Date(0), plain: { a: [NaN] } })',
    );
    assert.equal(
      stringifyForPython(payload),
      '{"map":{"k":[1]},"typed":[0.5],"date":"1970-01-01T00:00:00.000Z","plain":{"a":[NaN]}}',
    );
  });

  it('writes a BigInt by its digits, whatever its prototype was taught', () => {
    const prototype = BigInt.prototype as { toJSON?: () => string };
    prototype.toJSON = () => 'wrong';
    try {
      assert.equal(stringifyForPython({ n: 12n }), '{"n":12}');
    } finally {
      delete prototype.toJSON;
    }
  });

  it('comes back through Python as it was', async () => {
    const values = fc.sample(
      fc.letrec((tie) => ({
        value: fc.oneof(
          fc.double(),
          fc.maxSafeInteger(),
          fc.bigInt({ min: 2n ** 53n }),
          fc.string({ unit: 'binary' }),
          fc.boolean(),
          fc.constant(null),
          fc.array(tie('value'), { maxLength: 4 }),
          fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
        ),
      })).value,
      300,
    );
    const texts = values.map((value) => stringifyForPython(value));
    const replies = await python.evaluate('[json.dumps(json.loads(text)) for text in value]', texts);
    assert(Array.isArray(replies));
    for (const [i, value] of values.entries()) assert.deepEqual(parsePythonJson(replies[i]), pythonNumbers(value));
  });

  describe('refuses, with the path,', () => {
    const circle: Record<string, unknown> = { list: [{}] };
    circle.self = circle;
    const inner: Record<string, unknown> = {};
    inner['back to'] = [inner];

    for (const [name, value, message] of [
      ['a value that is inside itself', circle, 'payload.self refers back to payload'],
      ['a circle further inside', { a: [inner] }, 'payload.a[0]["back to"][0] refers back to payload.a[0]'],
      ['a Map inside itself', selfMap(), 'payload.m refers back to payload'],
      ['a function alone', () => 1, 'payload is a function'],
      ['a symbol alone', Symbol('x'), 'payload is a symbol'],
      ['a Map whose keys are no strings', [new Map([[1, 2]])], 'payload[0] is a Map with a key that is no string'],
      ['bytes', { image: Buffer.from('x') }, 'payload.image holds bytes, which JSON cannot carry. Send them as text'],
      ['an ArrayBuffer', [new ArrayBuffer(1)], 'payload[0] holds bytes'],
      ['bytes that toJSON gives', { x: { toJSON: () => new Uint8Array(1) } }, 'payload.x holds bytes'],
    ] as const) {
      it(name, () => {
        assert.throws(
          () => stringifyForPython(value),
          (error: Error) => unwritable(/./)(error) && error.message.startsWith(message),
        );
      });
    }

    it('what is nested deeper than Python reads', async () => {
      const nested = (levels: number) => {
        let value: unknown = 1n;
        for (let level = 0; level < levels; level++) value = [value];
        return value;
      };
      const text = stringifyForPython(nested(900));
      assert.equal(await python.evaluate('json.loads(value) is not None', text), true);
      assert.throws(() => stringifyForPython(nested(901)), unwritable(/nested more than 900 levels deep/));
      const [inner] = nested(900) as unknown[];
      assert.throws(
        () => stringifyForPython([1n, [JSON.parse(stringifyForPython(inner))]]),
        unwritable(/more than 900/),
      );
      assert.throws(() => stringifyForPython(nested(1e5)), unwritable(/nested more than 900 levels deep/));
    });
  });

  it('calls the value what the caller calls it', () => {
    assert.throws(() => stringifyForPython([() => 1, new Uint8Array(1)], undefined, 'args'), unwritable(/^args\[1\] /));
  });
});

function selfMap(): Map<string, unknown> {
  const map = new Map<string, unknown>();
  return map.set('m', map);
}

/** Python has no integer that is a float: a whole double comes back as one, and a small BigInt as a number. */
function pythonNumbers(value: unknown): unknown {
  if (typeof value === 'number') {
    return Number.isInteger(value) && Math.abs(value) > Number.MAX_SAFE_INTEGER && Math.abs(value) < 1e21
      ? BigInt(value)
      : value;
  }
  if (Array.isArray(value)) return value.map(pythonNumbers);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, pythonNumbers(member)] as const);
  const object = {};
  for (const [name, member] of members) {
    Object.defineProperty(object, name, { value: member, writable: true, enumerable: true, configurable: true });
  }
  return object;
}
