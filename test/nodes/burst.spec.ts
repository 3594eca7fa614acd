import assert from 'node:assert/strict';
import { pythonFunction, run, surroundings } from './support/flow';
import { type Msg, useRuntime } from './support/runtime';

const COUNT = 1000;

/**
 * The promise behind all of these: every message that goes in ends exactly once, as itself, with the result that belongs
 * to it or with an error that a Catch node sees.
 */
describe('A burst of 1000 messages on two workers', function () {
  this.timeout(30_000);
  const red = useRuntime();

  async function burst(code: string, payload: (i: number) => unknown, clientProperties = {}): Promise<Ends> {
    await red.load([...surroundings(clientProperties), pythonFunction(code), run()]);
    for (let i = 0; i < COUNT; i++) red.send('run', { payload: payload(i), index: i, _msgid: `msg-${i}` });
    return ends();
  }

  interface Ends {
    readonly out: Msg[];
    readonly caught: (Msg & { error: { message: string; code: string } })[];
  }

  /** All messages, once each has come to its end; more ends than messages fail. */
  async function ends(): Promise<Ends> {
    for (let missing = COUNT; missing > 0; missing = COUNT - red.out.items.length - red.caught.items.length) {
      await Promise.race([red.out.take(red.out.items.length + 1), red.caught.take(red.caught.items.length + 1)]);
    }
    const { items: out } = red.out;
    const { items: caught } = red.caught;
    const indices = [...out, ...caught].map((msg) => {
      assert.equal(msg._msgid, `msg-${msg.index}`);
      return msg.index;
    });
    assert.equal(new Set(indices).size, COUNT);
    assert.equal(indices.length, COUNT);
    return { out, caught: caught as Ends['caught'] };
  }

  it('ends in 1000 results, each on its own message', async () => {
    const { out } = await burst('def f(x):\n    return [x, x * x]\n', (i) => i);
    assert.equal(out.length, COUNT);
    for (const { payload, index } of out) assert.deepEqual(payload, [index, Number(index) ** 2]);
  });

  it('is not disturbed by a function that raises on every second one', async () => {
    const code = 'def f(x):\n    if x % 2: raise KeyError(x)\n    return x\n';
    const { out, caught } = await burst(code, (i) => i);
    assert.equal(out.length, COUNT / 2);
    for (const { payload, index } of out) assert.equal(payload, index);
    for (const { error, index } of caught) assert.equal(error.message, `KeyError: ${index}`);
  });

  it('brings back emoji and lone surrogates as they were', async () => {
    const texts = ['👩‍👩‍👧‍👦 family', 'café', '\ud800', 'a\udfffb', '\u0000\u2028', '', '𝒳'.repeat(300)];
    const { out } = await burst('def f(x):\n    return x\n', (i) => texts[i % texts.length]);
    assert.equal(out.length, COUNT);
    for (const { payload, index } of out) assert.equal(payload, texts[Number(index) % texts.length]);
  });

  it('survives functions that end their process', async () => {
    const code = 'def f(x):\n    import os\n    if x % 250 == 125: os._exit(3)\n    return x\n';
    const { out, caught } = await burst(code, (i) => i);
    assert.deepEqual(
      caught.map(({ index }) => Number(index)).sort((a, b) => a - b),
      [125, 375, 625, 875],
    );
    for (const { error } of caught) assert.equal(error.code, 'WORKER_LOST');
    for (const { payload, index } of out) assert.equal(payload, index);
  });

  it('survives a worker that is killed in the middle', async () => {
    await red.load([
      ...surroundings(),
      pythonFunction('def f(x):\n    import os, time\n    if x == 500: time.sleep(60)\n    return [x, os.getpid()]\n'),
      pythonFunction('def pid():\n    import os\n    return os.getpid()\n', { id: 'pid' }),
      run(),
    ]);
    const first = red.out.find(({ index }) => index === 0);
    for (let i = 0; i < COUNT; i++) red.send('run', { payload: i, index: i, _msgid: `msg-${i}` });
    await first;
    const pids = new Set<number>();
    const seen = async () => {
      for (const { payload } of red.out.items) pids.add((payload as [number, number])[1]);
      if (red.out.items.length < COUNT - 200) return;
      for (const pid of pids) process.kill(pid, 'SIGKILL');
    };
    while (red.out.items.length < COUNT - 200) await red.out.take(red.out.items.length + 1);
    await seen();
    const { out, caught } = await ends();
    for (const { payload, index } of out) assert.equal((payload as number[])[0], index);
    assert.ok(caught.some(({ index }) => index === 500));
    for (const { error } of caught) assert.equal(error.code, 'WORKER_LOST');
  });

  it('beyond the limit of the queue is refused message by message, and what fits is done', async () => {
    const { out, caught } = await burst('def f(x):\n    return x\n', (i) => i, { queueLimit: '100' });
    assert.equal(out.length, 100);
    for (const { error } of caught) assert.equal(error.code, 'QUEUE_FULL');
  });
});
