/** Values from JavaScript to Python and back, through the client, the hub and a real worker. */
import assert from 'node:assert/strict';
import { type FunctionId, FuncXClient } from '../../../dist/lib/index.js';
import { Lab, outcomeOf } from './fixture.js';

describe('values through a worker', () => {
  let lab: Lab;
  let echo: FunctionId;
  let show: FunctionId;

  before(async () => {
    lab = await Lab.open({ workers: 1 });
    echo = await lab.function('def echo(x):\n    return x');
    show = await lab.function('def show(x):\n    return ascii(x)');
  });
  after(() => lab.clean());

  async function resultOf(functionId: FunctionId, ...args: unknown[]): Promise<unknown> {
    const outcome = await outcomeOf(lab.client, functionId, { args });
    if (outcome.status === 'failed') throw outcome.error;
    return outcome.result;
  }

  describe('come back as they were:', () => {
    const deep = JSON.parse(`${'['.repeat(300)}1${']'.repeat(300)}`);
    for (const [what, value] of [
      ['null', null],
      ['booleans', [true, false]],
      ['numbers', [0, 1, -1, 0.1, 1e-300, 1.7976931348623157e308, 9007199254740991]],
      ['-0', -0],
      ['NaN', Number.NaN],
      ['infinities', [Number.POSITIVE_INFINITY, { a: Number.NEGATIVE_INFINITY }]],
      ['integers beyond 2^53', [2n ** 60n + 1n, -(2n ** 200n)]],
      ['text with everything', 'é ✓ 😀 \0 \u2028 \u007f " \\ \r\n\t \ufeff \uffff'],
      ['halves of characters', ['\ud83d', '\ude00', 'a\udfffb', '\ude00\ud83d']],
      ['long text with halves of characters', `\ud83d${'x'.repeat(10_000)}`],
      ['empty things', ['', [], {}, null]],
      ['nested data', { a: [1, { b: [2, { c: null }] }], '': 0, ключ: '✓' }],
      ['keys that are special elsewhere', JSON.parse('{"__proto__": 1, "constructor": 2, "toJSON": 3}')],
      ['deeply nested data', deep],
      ['something that looks like bytes', [{ type: 'Buffer', data: [1] }, { $bytes: 0 }, { '$bytes:0': 0 }]],
      ['text that looks packed', '5\n11\n{}'],
    ] as const) {
      it(what, async () => {
        assert.deepEqual(await resultOf(echo, value), value);
      });
    }

    it('a text of 9 MB', async () => {
      const text = '✓x😀'.repeat(600_000);
      const ends = await lab.function('def ends(x):\n    return [len(x), x[-3:]]');
      assert.deepEqual(await resultOf(ends, text), [1_800_000, '✓x😀']);
      const long = 'x'.repeat(9_000_000);
      assert.equal(await resultOf(echo, long), long);
    });

    it('bytes, alone and nested, and their neighbours', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      for (const value of [bytes, [bytes, bytes], { a: { b: [bytes, Buffer.alloc(0)] }, c: '✓', d: Number.NaN }]) {
        assert.deepEqual(await resultOf(echo, value), value);
      }
    });

    it('bytes of 9 MB', async () => {
      const bytes = Buffer.alloc(9_000_000, 'funcx');
      const back = await resultOf(echo, { image: bytes });
      assert.ok(bytes.equals((back as { image: Buffer }).image));
    });

    it('bytes of one result, whatever comes after', async () => {
      const results: unknown[] = [];
      for (let i = 0; i < 50; i++) results.push(await resultOf(echo, Buffer.alloc(1000, i)));
      for (const [i, back] of results.entries()) assert.deepEqual(back, Buffer.alloc(1000, i));
    });
  });

  describe('are to Python', () => {
    for (const [value, python] of [
      [[null, undefined, true], '[None, None, True]'],
      [[1, 1.5, -0, 1e21], '[1, 1.5, -0.0, 1e+21]'],
      [2n ** 60n + 1n, '1152921504606846977'],
      [[Number.NaN, Number.POSITIVE_INFINITY], '[nan, inf]'],
      ['😀', "'\\U0001f600'"],
      ['\ud83d', "'\\ud83d'"],
      [{ a: undefined, b: 1 }, "{'b': 1}"],
      [new Date(0), "'1970-01-01T00:00:00.000Z'"],
      [Buffer.from('ab\0'), "b'ab\\x00'"],
      [new Uint8Array([1, 2]).subarray(1), "b'\\x02'"],
      [[new Float32Array([0.5]), new Map([['k', 1]]), new Set([1])], "[[0.5], {'k': 1}, [1]]"],
    ] as const) {
      it(python, async () => {
        assert.equal(await resultOf(show, value), python);
      });
    }

    it('bytes in keyword arguments too', async () => {
      const outcome = await lab.run('def f(a, *, b):\n    return ascii([a, b])', [Buffer.from('a')], {
        b: [Buffer.from('b')],
      });
      assert.equal(outcome.status === 'success' && outcome.result, "[b'a', [b'b']]");
    });
  });

  describe('are from Python:', () => {
    for (const [expression, value] of [
      ['2**60 + 1', 2n ** 60n + 1n],
      ['2**53 - 1', Number.MAX_SAFE_INTEGER],
      ['10**5000 // 10**4990', 10_000_000_000],
      ['[float("nan"), float("-inf"), -0.0]', [Number.NaN, Number.NEGATIVE_INFINITY, -0]],
      ['"\\udcff\\U0001f600"', '\udcff😀'],
      ['b"\\x00\\xff"', Buffer.from([0, 255])],
      ['bytearray(b"ab")', Buffer.from('ab')],
      ['memoryview(b"abcd")[1:3]', Buffer.from('bc')],
      ['memoryview(b"abcd")[::2]', Buffer.from('ac')],
      ['memoryview(__import__("array").array("i", [1, 2]))[:1]', Buffer.from([1, 0, 0, 0])],
      ['[memoryview(__import__("array").array("i")), b""]', [Buffer.alloc(0), Buffer.alloc(0)]],
      ['{"a": [b"x", {"b": b"y"}]}', { a: [Buffer.from('x'), { b: Buffer.from('y') }] }],
      ['(1, (2, 3))', [1, [2, 3]]],
      ['{1: "one"}', { '1': 'one' }],
      ['__import__("collections").namedtuple("P", "x y")(1, 2)', [1, 2]],
      ['True', true],
      ['[]', []],
    ] as const) {
      it(expression, async () => {
        assert.deepEqual(await lab.result(`def f():\n    return ${expression}`), value);
      });
    }

    it('an integer of 5,000 digits, which Python does not even print', async () => {
      assert.equal(await lab.result('def f():\n    return 10**5000'), 10n ** 5000n);
    });

    it('what only a pickle can hold, with the bytes in it', async () => {
      const source = `def f():
    import datetime
    return {"set": {1}, "bytes": [b"x"], "when": datetime.datetime(2024, 1, 2, 3, 4, 5)}`;
      const result = (await lab.result(source)) as Record<string, unknown>;
      assert.deepEqual(result.bytes, [Buffer.from('x')]);
      assert.deepEqual(result.set, new Set([1]));
      assert.equal(result.when, '2024-01-02T03:04:05');
    });
  });

  it('beyond 2^53 are text where the client is asked for it', async () => {
    const client = await FuncXClient.open({ service: lab.hub, endpointId: lab.endpoint, integers: 'text' });
    const outcome = await outcomeOf(client, echo, { args: [[2n ** 60n + 1n, 5]] });
    assert.deepEqual(outcome.status === 'success' && outcome.result, ['1152921504606846977', 5]);
    await client.close();
  });

  it('of many sizes around the limits of what is sent together arrive whole', async () => {
    // 4 KiB: a text goes raw; 48 KiB: a result goes alone; 64 and 256 KiB: what is read at once.
    const sizes = [4080, 4096, 4100, 49_000, 49_100, 49_152, 65_500, 65_536, 65_600, 262_100, 262_144, 300_000];
    const values = sizes.flatMap((size) => [size - 1, size, size + 1]).map((size) => 'y'.repeat(size));
    const results = await Promise.all(values.map((value) => resultOf(echo, value)));
    assert.deepEqual(
      results.map((result, i) => result === values[i]),
      values.map(() => true),
    );
    const bytes = sizes.map((size) => Buffer.alloc(size, size));
    const back = await Promise.all(bytes.map((value) => resultOf(echo, { value })));
    for (const [i, result] of back.entries()) assert.ok((result as { value: Buffer }).value.equals(bytes[i] as Buffer));
  });
});
