import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type FunctionId, TaskError, type TaskId, type TaskOutcome } from '../../../dist/lib/index.js';
import { endOf, Lab, MARK, RING, WAIT_FOR_ANSWER } from './fixture.js';

describe('cancelling a task', () => {
  let lab: Lab;
  let wait: FunctionId;

  beforeEach(async () => {
    lab = await Lab.open({ workers: 1 });
    wait = await lab.function(WAIT_FOR_ANSWER);
  });
  afterEach(() => lab.clean());

  function assertCancelled(outcome: TaskOutcome, id: TaskId): void {
    assert.ok(outcome.status === 'failed' && outcome.error instanceof TaskError);
    assert.equal(outcome.error.code, 'TASK_CANCELLED');
    assert.equal(outcome.error.taskId, id);
  }

  it('stops one that runs, with all that it has started, and tells what it had printed', async () => {
    const bell = await lab.bell();
    const run = await lab.function(
      `${RING}
def main(bell):
    import subprocess, sys
    line = ring(bell)
    line.set_inheritable(True)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], close_fds=False)
    print("half done")
    ring(bell, "ready")
    child.wait()`,
    );
    const id = await lab.client.run({ functionId: run, args: [bell.path] });
    const line = await bell.next();
    await bell.next();
    const ended = endOf(lab.client, id);
    assert.equal(await lab.hub.cancel(id), true);
    const outcome = await ended;
    assertCancelled(outcome, id);
    assert.equal(outcome.output, 'half done');
    await line.gone;
  });

  it('keeps one that waits from ever beginning', async () => {
    const bell = await lab.bell();
    const first = await lab.client.run({ functionId: wait, args: [bell.path, 'first'] });
    const second = await lab.client.run({ functionId: wait, args: [bell.path, 'second'] });
    const third = await lab.client.run({ functionId: wait, args: [bell.path, 'third'] });
    const visitor = await bell.next();
    const ended = endOf(lab.client, second);
    assert.equal(await lab.hub.cancel(second), true);
    assertCancelled(await ended, second);
    visitor.answer();
    const next = await bell.next();
    assert.equal(next.text, 'third');
    next.answer();
    assert.equal((await endOf(lab.client, first)).status, 'success');
    assert.equal((await endOf(lab.client, third)).status, 'success');
  });

  it('takes one out of the window of a busy worker, and harms no other of it', async () => {
    const bell = await lab.bell();
    const work = await lab.function(`${MARK}${RING}
def work(marks, name, bell=None):
    mark(marks, name)
    if bell:
        ring(bell, name).recv(1)
    return name`);
    const marks = lab.path('marks');
    // Short ones first: then the worker is given many at once.
    for (let i = 0; i < 50; i++)
      await endOf(lab.client, await lab.client.run({ functionId: work, args: [marks, 'x'] }));
    const calls = Array.from({ length: 40 }, (_, i) => ({ args: [marks, `t${i}`, ...(i === 3 ? [bell.path] : [])] }));
    const { taskIds } = await lab.client.batchRun({ functionId: work, calls });
    const visitor = await bell.next();
    const ended = taskIds.map((id) => endOf(lab.client, id));
    for (const place of [4, 20, 39]) assert.equal(await lab.hub.cancel(taskIds[place] as TaskId), true);
    visitor.answer();
    const outcomes = await Promise.all(ended);
    for (const [i, outcome] of outcomes.entries()) {
      if ([4, 20, 39].includes(i)) assertCancelled(outcome, taskIds[i] as TaskId);
      else assert.equal(outcome.status === 'success' && outcome.result, `t${i}`);
    }
    const run = lab.marks('marks').filter((name) => name.startsWith('t'));
    assert.deepEqual(
      run.sort(),
      calls
        .map((_, i) => `t${i}`)
        .filter((_, i) => ![4, 20, 39].includes(i))
        .sort(),
    );
  });

  it('in the midst of a stream of short ones ends only those that were cancelled, whenever it comes', async () => {
    const work = await lab.function(`${MARK}\ndef work(marks, i):\n    mark(marks, i)\n    return i`);
    const marks = lab.path('marks');
    const { taskIds } = await lab.client.batchRun({
      functionId: work,
      calls: Array.from({ length: 3000 }, (_, i) => ({ args: [marks, i] })),
    });
    const ended = taskIds.map((id) => endOf(lab.client, id));
    const cancelled = new Map<number, boolean>();
    for (let i = 1; i < taskIds.length; i += 25) cancelled.set(i, await lab.hub.cancel(taskIds[i] as TaskId));
    const outcomes = await Promise.all(ended);
    const ran = new Set(lab.marks('marks').map(Number));
    assert.equal(lab.marks('marks').length, ran.size, 'none began twice');
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status === 'success') assert.ok(cancelled.get(i) !== true && ran.has(i), `${i} returned`);
      else {
        assertCancelled(outcome, taskIds[i] as TaskId);
        assert.ok(cancelled.has(i), `${i} was not cancelled`);
      }
    }
    assert.ok([...cancelled.values()].includes(true));
  });

  it('of one that has ended answers false and leaves its result', async () => {
    const echo = await lab.function('def echo(x):\n    return x');
    const id = await lab.client.run({ functionId: echo, args: [1] });
    await endOf(lab.client, id);
    assert.equal(await lab.hub.cancel(id), false);
    assert.equal(await lab.client.getResult(id), 1);
  });

  it('of one that never was is an error', async () => {
    await assert.rejects(lab.hub.cancel(randomUUID() as string as TaskId), { code: 'TASK_NOT_FOUND' });
    await assert.rejects(lab.hub.cancel('x' as TaskId), { code: 'INVALID_UUID' });
  });

  it('while its endpoint is closed ends it, and it does not run when the endpoint is open again', async () => {
    const bell = await lab.bell();
    const first = await lab.client.run({ functionId: wait, args: [bell.path, 'first'] });
    const second = await lab.client.run({ functionId: wait, args: [bell.path, 'second'] });
    const third = await lab.client.run({ functionId: wait, args: [bell.path, 'third'] });
    await bell.next();
    await lab.hub.closeEndpoint(lab.endpoint);
    assert.equal((await endOf(lab.client, first)).status, 'failed');
    assert.equal(await lab.hub.cancel(second), true);
    assertCancelled(await endOf(lab.client, second), second);
    await lab.openEndpoint();
    const visitor = await bell.next();
    assert.equal(visitor.text, 'third');
    visitor.answer();
    assert.equal((await endOf(lab.client, third)).status, 'success');
    assert.equal(bell.waiting, 0);
  });
});
