import assert from 'node:assert/strict';
import vm from 'node:vm';
import fc from 'fast-check';
import { stringifyForPython, writePickle } from '../../../lib/serialization/index.js';
import { unwritable } from './errors.js';
import { usePython } from './python.js';

describe('writePickle', () => {
  const python = usePython();

  describe('writes what pickle.loads reads as', () => {
    const values: [value: unknown, expression: string][] = [
      [null, 'None'],
      [undefined, 'None'],
      [[true, false], '[True, False]'],
      [[0, 1, -1, 2 ** 31 - 1, -(2 ** 31)], '[0, 1, -1, 2**31 - 1, -2**31]'],
      [[2 ** 31, -(2 ** 31) - 1, 2 ** 53, 2 ** 60, -(2 ** 69)], '[2**31, -2**31 - 1, 2**53, 2**60, -2**69]'],
      [[127n, 128n, -128n, -129n, 255n, 256n, 0n], '[127, 128, -128, -129, 255, 256, 0]'],
      [[2n ** 64n, -(2n ** 64n), 2n ** 3000n, -(2n ** 2040n)], '[2**64, -2**64, 2**3000, -2**2040]'],
      [[1.5, -0, 1e21, 5e-324, Number.NaN], '[1.5, -0.0, 1e21, 5e-324, math.nan]'],
      [[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], '[math.inf, -math.inf]'],
      [
        ['', 'é😀\n', '\ud83d', 'a\udfffé😀', 'x'.repeat(70000)],
        '["", "é😀\\n", "\\ud83d", "a\\udfffé😀", "x" * 70000]',
      ],
      [[Buffer.from([0, 255]), new ArrayBuffer(2), new Uint8Array(300)], '[b"\\x00\\xff", bytes(2), bytes(300)]'],
      [{ a: { b: [] }, c: undefined, d: () => 1 }, '{"a": {"b": []}}'],
      [[undefined, () => 1], '[None, None]'],
      [JSON.parse('{"__proto__": 1}'), '{"__proto__": 1}'],
      [
        new Map<unknown, unknown>([
          [1, 'a'],
          ['b', null],
          [[1, [2]], 3],
        ]),
        '{1: "a", "b": None, (1, (2,)): 3}',
      ],
      [[new Set(), new Set([1, 'a', [1, 2]])], '[set(), {1, "a", (1, 2)}]'],
      [new Float32Array([0.5, 1]), '[0.5, 1]'],
      [new Date('2024-02-29T12:00:00Z'), '"2024-02-29T12:00:00.000Z"'],
      [Object(1n), '1'],
      [vm.runInNewContext('new Map([["k", new Set([new Uint8Array(1)])]])'), '{"k": {b"\\x00"}}'],
    ];
    for (const [value, expression] of values) {
      it(expression.slice(0, 80), async () => {
        const loads = `same(pickle.loads(base64.b64decode(value)), ${expression})`;
        assert.equal(await python.evaluate(loads, writePickle(value).toString('base64')), true);
      });
    }
  });

  it('takes no more bytes for an integer than Python does', async () => {
    for (const bits of [39n, 40n, 63n, 64n, 2039n, 2040n]) {
      for (const integer of [2n ** bits, 2n ** bits - 1n, -(2n ** bits), -(2n ** bits) - 1n]) {
        assert.deepEqual(writePickle(integer), await python.pickle(String(integer), 3), String(integer));
      }
    }
  });

  it('gives Python the same value as JSON does', async () => {
    const values = fc.sample(
      fc.letrec((tie) => ({
        value: fc.oneof(
          fc.double(),
          fc.maxSafeInteger(),
          fc.bigInt(),
          fc.string({ unit: 'binary' }),
          fc.constantFrom(null, undefined, true, false),
          fc.date({ noInvalidDate: false }),
          fc.array(tie('value'), { maxLength: 4 }),
          fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
        ),
      })).value,
      300,
    );
    const pairs = values.map((value) => [writePickle(value).toString('base64'), stringifyForPython(value)]);
    const compare = '[same(pickle.loads(base64.b64decode(p)), json.loads(j)) for p, j in value]';
    assert.deepEqual(
      await python.evaluate(compare, pairs),
      values.map(() => true),
    );
  });

  describe('refuses, with the path,', () => {
    const circle: unknown[] = [];
    circle.push({ up: circle });
    for (const [name, value, message] of [
      ['a value that is inside itself', circle, 'payload[0].up refers back to payload'],
      ['an object in a set', { s: new Set([{}]) }, 'payload.s[0] is in a set or a key of a Map'],
      ['an object as a key', new Map([[[{}], 1]]), 'payload[0][0] is in a set or a key of a Map'],
      ['a set in a set', [new Set([new Set()])], 'payload[0][0] is in a set or a key of a Map'],
    ] as const) {
      it(name, () => {
        assert.throws(
          () => writePickle(value),
          (error: Error) => unwritable(/./)(error) && error.message.startsWith(message),
        );
      });
    }

    it('what is nested deeper than Python reads', async () => {
      let value: unknown = 1;
      for (let level = 0; level < 900; level++) value = [value];
      const loads = 'pickle.loads(base64.b64decode(value)) is not None';
      assert.equal(await python.evaluate(loads, writePickle(value).toString('base64')), true);
      assert.throws(() => writePickle([value]), unwritable(/nested more than 900 levels deep/));
    });
  });
});
