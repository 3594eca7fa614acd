import assert from 'node:assert/strict';
import { pythonFunction, run, surroundings } from './support/flow';
import { type Msg, useRuntime } from './support/runtime';

describe('What a function returns', () => {
  const red = useRuntime();

  async function returned(expression: string, clientProperties = {}): Promise<unknown> {
    const code = `def f(x):\n    import datetime, decimal\n    return ${expression}\n`;
    await red.load([...surroundings(clientProperties), pythonFunction(code), run()]);
    red.send('run', { payload: 0 });
    const ended = await Promise.race([red.out.first(), red.caught.first()]);
    if (ended.error !== undefined) throw Object.assign(new Error(), ended.error);
    return ended.payload;
  }

  it('can be None, which is null', async () => {
    assert.equal(await returned('None'), null);
  });

  it('can be not a number, and infinite', async () => {
    assert.deepEqual(await returned('[float("nan"), float("inf"), -float("inf"), -0.0]'), [
      NaN,
      Infinity,
      -Infinity,
      -0,
    ]);
  });

  it('can be an integer beyond 2**53, which is a BigInt and exact', async () => {
    assert.deepEqual(await returned('[2**60 + 1, -(2**63), 2**200, 2**53 - 1]'), [
      2n ** 60n + 1n,
      -(2n ** 63n),
      2n ** 200n,
      2 ** 53 - 1,
    ]);
  });

  it('can have its large integers as text, if the client is set so', async () => {
    assert.equal(await returned('2**60 + 1', { integers: 'text' }), '1152921504606846977');
  });

  it('can be bytes, which are a Buffer', async () => {
    const payload = await returned('{"image": bytes(range(256))}');
    assert.deepEqual(payload, { image: Buffer.from(Array.from({ length: 256 }, (_, i) => i)) });
  });

  it('can be a set', async () => {
    assert.deepEqual(await returned('{1, 2}'), new Set([1, 2]));
  });

  it('can be a datetime, which is its ISO 8601 text to the microsecond', async () => {
    const expression = 'datetime.datetime(2024, 2, 29, 12, 30, 15, 250001, datetime.timezone.utc)';
    assert.equal(await returned(expression), '2024-02-29T12:30:15.250001+00:00');
  });

  it('can be a text of 9 MB', async () => {
    assert.equal(await returned('"x" * 9_000_000'), 'x'.repeat(9_000_000));
  });

  it('ends in a caught error beyond the limit of 10 MiB, which says how large it was', async () => {
    await assert.rejects(returned('"x" * 11_000_000'), {
      code: 'MAX_RESULT_SIZE_EXCEEDED',
      message: /110000\d\d|11000\d\d\d|11\.\d/,
    });
  });

  it('ends in a caught error when it cannot be written down at all', async () => {
    await assert.rejects(returned('(i for i in [])'), { code: 'RESULT_NOT_SERIALIZABLE', message: /generator/ });
  });
});

describe('What a message gives to a function', () => {
  const red = useRuntime();
  const TYPE_AND_REPR = 'def f(x):\n    return [type(x).__name__, repr(x)]\n';

  const load = (code: string) => red.load([...surroundings(), pythonFunction(code), run()]);

  async function seenByPython(payload: unknown): Promise<unknown> {
    await load(TYPE_AND_REPR);
    red.send('run', { payload });
    return (await red.out.first()).payload;
  }

  async function errorOf(payload: unknown): Promise<{ code: string; message: string }> {
    await load(TYPE_AND_REPR);
    red.send('run', { payload });
    return (await red.caught.first()).error as never;
  }

  it('can be a Buffer, which is bytes', async () => {
    assert.deepEqual(await seenByPython(Buffer.from([0, 255, 10])), ['bytes', "b'\\x00\\xff\\n'"]);
  });

  it('can be a BigInt, which is an int', async () => {
    assert.deepEqual(await seenByPython(2n ** 70n), ['int', String(2n ** 70n)]);
  });

  it('can be not a number', async () => {
    assert.deepEqual(await seenByPython(NaN), ['float', 'nan']);
  });

  it('can be a text of 9 MB', async () => {
    await load('def f(x):\n    return len(x)\n');
    red.send('run', { payload: 'ä'.repeat(4_500_000) });
    assert.equal((await red.out.first()).payload, 4_500_000);
  });

  it('ends in a caught error beyond the limit of 10 MiB', async () => {
    assert.equal((await errorOf('x'.repeat(11_000_000))).code, 'TASK_PAYLOAD_TOO_LARGE');
  });

  it('ends in a caught error when it contains itself', async () => {
    const payload: Msg = { inner: {} };
    (payload.inner as Msg).outer = payload;
    assert.equal((await errorOf(payload)).code, 'NOT_SERIALIZABLE');
  });

  it('ends in a caught error when it has no counterpart in Python, with the place of the value', async () => {
    const error = await errorOf({ rows: [{ counts: new Map([[1, 'one']]) }] });
    assert.equal(error.code, 'NOT_SERIALIZABLE');
    assert.match(error.message, /rows\[0\]\.counts/);
  });

  it('ends in a caught error when it is nested beyond all measure, and the next message is done', async () => {
    await load('def f(x):\n    return 1\n');
    let deep: unknown = 1;
    for (let i = 0; i < 200_000; i++) deep = [deep];
    red.send('run', { payload: deep });
    red.send('run', { payload: 'next' });
    assert.equal((await red.out.first()).payload, 1);
  });

  it('that throws when it is looked at ends in a caught error', async () => {
    const payload = {
      get broken() {
        throw new Error('do not look');
      },
    };
    await load(TYPE_AND_REPR);
    red.send('run', { payload: Object.defineProperty({}, 'hidden', { value: payload }) });
    red.send('run', { payload });
    assert.deepEqual((await red.out.first()).payload, ['dict', '{}']);
  });
});
