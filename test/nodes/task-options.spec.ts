import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonFunction, run, surroundings } from './support/flow';
import { useRuntime } from './support/runtime';

/** Counts its runs in a file, and waits there for a second file where it is to. */
const COUNTING = `
def f(path, what):
    import os, time
    with open(path, "a") as runs: runs.write("x")
    while what == "wait" and not os.path.exists(path + ".go"): time.sleep(0.005)
    if what == "fail" and os.path.getsize(path) < 3: raise ValueError("not yet")
    return os.path.getsize(path)
`;

describe('An option of a run node', () => {
  const red = useRuntime();

  const load = (properties: Record<string, unknown>) =>
    red.load([...surroundings(), pythonFunction(COUNTING), run({ messageAs: 'list', ...properties })]);
  const file = () => join(red.userDir, 'runs');
  const runs = () => readFileSync(file(), 'utf8').length;
  const send = (what: string, more: Record<string, unknown> = {}) =>
    red.send('run', { payload: [file(), what], ...more });
  const codeOf = (msg: Record<string, unknown>) => (msg.error as { code: string }).code;

  it('deadline ends a task, and drops its result', async () => {
    await load({ deadline: 'seconds', deadlineType: 'msg', late: 'drop' });
    send('wait', { topic: 'kept', seconds: 0.3 });
    const caught = await red.caught.first();
    assert.deepEqual([codeOf(caught), caught.topic], ['DEADLINE_EXCEEDED', 'kept']);
    send('now', { seconds: 60 });
    assert.notEqual((await red.out.first()).topic, 'kept');
    assert.equal(red.out.items.length, 1);
  });

  it('deadline is the same for all messages, too', async () => {
    await load({ deadline: '0.2', deadlineType: 'num' });
    send('wait');
    assert.equal(codeOf(await red.caught.first()), 'DEADLINE_EXCEEDED');
  });

  it('late result is sent, marked, in a message of its own', async () => {
    await load({ deadline: '0.3', deadlineType: 'num', late: 'send' });
    send('wait', { topic: 'kept' });
    assert.equal(codeOf(await red.caught.first()), 'DEADLINE_EXCEEDED');
    writeFileSync(`${file()}.go`, '');
    const { payload, topic, funcx } = await red.out.first();
    assert.deepEqual([payload, topic, (funcx as { late: boolean }).late], [1, 'kept', true]);
  });

  it('retries runs a task that failed again', async () => {
    await load({ retries: '2', backoff: '0', retryErrors: 'ValueError' });
    send('fail');
    assert.equal((await red.out.first()).payload, 3);
  });

  it('retries ends with the last failure', async () => {
    await load({ retries: '1', backoff: '0' });
    send('fail');
    assert.equal(codeOf(await red.caught.first()), 'REMOTE_EXCEPTION');
    assert.equal(runs(), 2);
  });

  it('retries is for the errors that are named', async () => {
    await load({ retries: '5', backoff: '0', retryErrors: 'KeyError, WORKER_LOST' });
    send('fail');
    await red.caught.first();
    assert.equal(runs(), 1);
  });

  it('reuse results runs equal tasks once, except where a message says otherwise', async () => {
    await load({ memoize: '60' });
    for (let i = 0; i < 3; i++) send('wait', { number: i });
    writeFileSync(`${file()}.go`, '');
    const all = await red.out.take(3);
    assert.deepEqual(
      all.map(({ payload, number }) => [payload, number]).sort(),
      [0, 1, 2].map((number) => [1, number]),
    );
    send('wait');
    assert.equal((await red.out.take(4))[3]?.payload, 1);
    send('wait', { funcx: { memoize: false } });
    assert.equal((await red.out.take(5))[4]?.payload, 2);
  });

  for (const whole of [true, false]) {
    it(`msg.cancel ends ${whole ? 'all tasks of the node' : 'the task that it names'}, and itself quietly`, async () => {
      await load({ deadline: '0.2', deadlineType: 'num', late: 'send' });
      send('wait', { topic: 'kept' });
      // The message of the deadline tells the id of the task, which goes on.
      const { funcx } = (await red.caught.first()) as { funcx: { taskId: string } };
      red.send('run', { cancel: whole ? true : funcx.taskId, topic: 'asks' });
      const cancelled = (await red.caught.take(2))[1] ?? {};
      assert.deepEqual([codeOf(cancelled), cancelled.topic], ['TASK_CANCELLED', 'kept']);
      assert.equal(red.out.items.length, 0);
    });
  }
});
