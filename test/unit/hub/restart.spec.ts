/** What a hub finds when it opens again, after an orderly end and after a `kill -9`. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { Recordings } from '../../../dist/lib/hub/workers/recordings.js';
import type { TaskGroupId, TaskId } from '../../../dist/lib/index.js';
import { type Bell, Consumer, endOf, Lab, MARK, outcomesOf, PYTHON, RING, WAIT_FOR_ANSWER } from './fixture.js';
import type { ChildOrders } from './hub-child.js';

/** So long that a worker is given one at a time. */
const SLOW = WAIT_FOR_ANSWER.replace(
  'def wait_for_answer(bell, text=""):',
  '$&\n    import time\n    time.sleep(0.02)',
);

describe('a hub that opens again', () => {
  let lab: Lab;
  let bell: Bell;
  let group: TaskGroupId;
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    lab = await Lab.open({ workers: 1 });
    bell = await lab.bell();
    group = randomUUID() as string as TaskGroupId;
  });
  afterEach(async () => {
    if (child !== undefined) await kill();
    await lab.clean();
  });

  it('goes on counting the tasks that were ever submitted', async () => {
    const functionId = await lab.function('def echo(x):\n    return x');
    assert.equal(lab.hub.invocations, 0);
    for (const x of [1, 2, 3]) await lab.client.run({ functionId, args: [x] });
    await close();
    await lab.reopen();
    assert.equal(lab.hub.invocations, 3);
    await lab.client.run({ functionId, args: [4] });
    assert.equal(lab.hub.invocations, 4);
  });

  async function close(): Promise<void> {
    await lab.client.close();
    await lab.hub.close();
  }

  /** Starts another process with the lab's hub, which submits these calls of the source. */
  async function startChild(source: string, calls: readonly (readonly unknown[])[], workers = 1): Promise<TaskId[]> {
    await close();
    const program = ['--require', 'tsx/cjs', path.join(__dirname, 'hub-child.ts')];
    child = spawn(process.execPath, program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const orders: ChildOrders = { file: lab.file, cwd: lab.folder, python: PYTHON, source, group, workers, calls };
    child.send(orders);
    const [taskIds] = await once(child, 'message');
    return taskIds;
  }

  async function untilDurable(): Promise<void> {
    child?.send('durable?');
    assert.deepEqual(await once(child as ChildProcess, 'message'), ['durable', undefined]);
  }

  async function kill(): Promise<void> {
    const gone = once(child as ChildProcess, 'exit');
    child?.kill('SIGKILL');
    await gone;
    child = undefined;
  }

  it('after a kill has the results, ends what was running, and runs what was waiting', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const ids = await startChild(
      SLOW,
      names.map((name) => [bell.path, name]),
    );
    (await bell.next()).answer();
    // The second has begun after all of them were written.
    const second = await bell.next();
    assert.equal(second.text, 'b');
    await untilDurable();
    await kill();
    await second.gone;

    await lab.reopen({}, group);
    const ended = ids.map((id) => endOf(lab.client, id));
    for (const name of ['c', 'd']) {
      const visitor = await bell.next();
      assert.equal(visitor.text, name);
      visitor.answer();
    }
    const outcomes = await Promise.all(ended);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'success' ? outcome.result : outcome.error.code)),
      ['a', 'TASK_INTERRUPTED', 'c', 'd'],
    );
    const [, interrupted] = outcomes;
    assert.match(interrupted?.status === 'failed' ? interrupted.error.message : '', new RegExp(ids[1] as string));
    assert.equal(bell.waiting, 0);
  });

  describe('after a kill with many tasks in its workers', () => {
    const NUMBERED = `${MARK}${RING}
def numbered(marks, i, bell=None):
    mark(marks, i)
    if bell:
        import os
        ring(bell, os.getpid()).recv(1)
    return i`;
    const COUNT = 4000;
    let ids: TaskId[];

    beforeEach(async () => {
      // At the middle one a worker stands still, and has many more.
      const calls = Array.from({ length: COUNT }, (_, i) => [
        lab.path('marks'),
        i,
        ...(i === COUNT / 2 ? [bell.path] : []),
      ]);
      ids = await startChild(NUMBERED, calls, 2);
    });

    /** How often each has run. */
    function runs(): number[] {
      const counts = new Array<number>(COUNT).fill(0);
      for (const mark of lab.marks('marks')) counts[Number(mark)] = (counts[Number(mark)] ?? 0) + 1;
      return counts;
    }

    /** Each has run once, or has begun and says that it was interrupted; nothing that had not begun is lost. */
    async function check(): Promise<void> {
      const outcomes = await Promise.all(ids.map((id) => endOf(lab.client, id)));
      const counts = runs();
      let unseen = 0;
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome.status === 'success') assert.deepEqual([outcome.result, counts[i]], [i, 1]);
        else {
          assert.equal(outcome.error.code, 'TASK_INTERRUPTED');
          assert.ok(counts[i] === 0 || counts[i] === 1, `task ${i} has run ${counts[i]} times`);
          if (counts[i] === 0) unseen++;
        }
      }
      assert.ok(unseen <= 2, `${unseen} tasks that had not begun were interrupted; two workers may have been in two`);
      assert.equal(outcomes[COUNT / 2]?.status, 'failed');
    }

    it('runs those that had not begun, and none twice', async () => {
      const { gone } = await bell.next();
      await kill();
      await gone;
      await lab.reopen({ workers: 2 }, group);
      await check();
      await close();
      assert.deepEqual(new Recordings(lab.hub.operator.id, lab.hub.store).files(), []);
    });

    it('runs them once also if a worker is still there', async () => {
      const { text, answer, gone } = await bell.next();
      const worker = Number(text);
      let before: string[];
      process.kill(worker, 'SIGSTOP');
      try {
        await kill();
        await lab.reopen({ workers: 2 }, group);
        await check();
      } finally {
        answer();
        before = lab.marks('marks');
        process.kill(worker, 'SIGCONT');
      }
      await gone.catch(() => {}); // It ends with the answer unread.
      assert.deepEqual(lab.marks('marks'), before);
    });

    it('runs them once also if their endpoint opens later', async () => {
      await bell.next();
      await kill();
      await (await lab.openHub()).close();
      await lab.reopen({ workers: 2 }, group);
      await check();
    });
  });

  it('after a kill tells results and interruptions to the group that asked for them', async () => {
    const ids = await startChild(WAIT_FOR_ANSWER, [
      [bell.path, 'a'],
      [bell.path, 'b'],
    ]);
    (await bell.next()).answer();
    await bell.next();
    await untilDurable();
    await kill();
    const hub = await lab.openHub();
    const consumer = new Consumer(hub, group, true);
    await consumer.until(2);
    assert.deepEqual(consumer.ids, ids);
    assert.deepEqual(
      consumer.told.map(({ status, error_code }) => [status, error_code]),
      [
        ['success', undefined],
        ['failed', 'TASK_INTERRUPTED'],
      ],
    );
    await hub.durable();
    await hub.close();
    // Acknowledged ones never come again.
    const next = await lab.openHub();
    await assert.rejects(next.getTask(ids[0] as TaskId), { code: 'TASK_NOT_FOUND' });
    await assert.rejects(next.taskGroup(group), { code: 'TASK_GROUP_NOT_FOUND' });
  });

  it('after an orderly end runs what had not begun, whether it was sent to a worker or not, and once', async () => {
    const f = await lab.function(`${MARK}${RING}
def f(marks, i, bell=None):
    mark(marks, i)
    if bell:
        ring(bell).recv(1)
    return i`);
    const marks = lab.path('marks');
    await outcomesOf(lab.client, f, Array(300).fill({ args: [lab.path('warm'), 0] }));
    // At the first the worker stands still, and has many more.
    const calls = Array.from({ length: 60 }, (_, i) => ({ args: [marks, i, ...(i === 5 ? [bell.path] : [])] }));
    const { taskIds } = await lab.client.batchRun({ functionId: f, calls });
    await bell.next();
    await close();
    await lab.reopen();
    const outcomes = await Promise.all(taskIds.map((id) => endOf(lab.client, id)));
    for (const [i, outcome] of outcomes.entries()) {
      if (i === 5) assert.equal(outcome.status === 'failed' && outcome.error.code, 'TASK_INTERRUPTED');
      else assert.equal(outcome.status === 'success' && outcome.result, i);
    }
    assert.deepEqual(lab.marks('marks').map(Number), [...calls.keys()]);
  });

  it('keeps the arguments of what waits whole: text, bytes, and numbers', async () => {
    await lab.hub.closeEndpoint(lab.endpoint);
    await lab.openEndpoint();
    const wait = await lab.function(WAIT_FOR_ANSWER);
    const echo = await lab.function('def echo(*args):\n    return args');
    await lab.client.run({ functionId: wait, args: [bell.path] });
    const first = [Buffer.from('é\0'), { x: Buffer.alloc(100_000, 7) }, '✓\ud83d', 2n ** 70n, Number.NaN];
    const { taskIds } = await lab.client.batchRun({ functionId: echo, calls: [{ args: first }, { args: [1] }] });
    await bell.next();
    await close();
    await lab.reopen();
    const results = await Promise.all(taskIds.map((id) => endOf(lab.client, id)));
    assert.deepEqual(
      results.map((outcome) => outcome.status === 'success' && outcome.result),
      [first, [1]],
    );
  });

  it('keeps waiting for an endpoint that is not open, and can cancel what waits', async () => {
    const wait = await lab.function(WAIT_FOR_ANSWER);
    const calls = ['running', 'cancelled', 'kept'].map((text) => ({ args: [bell.path, text] }));
    const { taskIds } = await lab.client.batchRun({ functionId: wait, calls });
    const [running, cancelled, kept] = taskIds as [TaskId, TaskId, TaskId];
    await bell.next();
    await close();
    const hub = await lab.openHub();
    assert.equal((await hub.getTask(running)).error_code, 'TASK_INTERRUPTED');
    assert.equal((await hub.getTask(kept)).status, 'waiting-for-nodes');
    assert.equal(await hub.cancel(cancelled), true);
    await hub.close();
    await lab.reopen();
    assert.equal((await lab.hub.getTask(cancelled)).error_code, 'TASK_CANCELLED');
    const visitor = await bell.next();
    assert.equal(visitor.text, 'kept');
    visitor.answer();
    assert.equal((await endOf(lab.client, kept)).status, 'success');
  });

  it('ends what waited for a function that was deleted meanwhile', async () => {
    const wait = await lab.function(WAIT_FOR_ANSWER);
    const { taskIds } = await lab.client.batchRun({
      functionId: wait,
      calls: [{ args: [bell.path] }, { args: [bell.path] }],
    });
    await bell.next();
    await lab.hub.deleteFunction(wait);
    await close();
    await lab.reopen();
    const outcome = await endOf(lab.client, taskIds[1] as TaskId);
    assert.equal(outcome.status === 'failed' && outcome.error.code, 'FUNCTION_NOT_FOUND');
  });

  it('keeps its endpoints by their names', async () => {
    const [mine, other] = [lab.endpoint, await lab.hub.localEndpoint({ name: 'other', cwd: lab.folder })];
    await close();
    await lab.reopen();
    assert.equal(lab.endpoint, mine);
    assert.equal(await lab.hub.localEndpoint({ name: 'other', cwd: lab.folder }), other);
    assert.notEqual(mine, other);
  });

  it('is refused while another has the file', async () => {
    await assert.rejects(lab.openHub(), { code: 'STORE_LOCKED' });
    await close();
    await (await lab.openHub()).close();
  });

  it('lets what runs end where it is given the time, and begins nothing more', async () => {
    const wait = await lab.function(WAIT_FOR_ANSWER);
    const calls = ['running', 'waiting'].map((text) => ({ args: [bell.path, text] }));
    const { taskIds } = await lab.client.batchRun({ functionId: wait, calls });
    const [running, waiting] = taskIds as [TaskId, TaskId];
    const visitor = await bell.next();
    await lab.client.close();
    const closed = lab.hub.close(60_000);
    visitor.answer();
    await closed;
    const hub = await lab.openHub();
    assert.equal((await hub.getTask(running)).status, 'success');
    assert.equal((await hub.getTask(waiting)).status, 'waiting-for-nodes');
    await hub.close();
  });

  it('ends what runs when the time that it was given is over', async () => {
    const wait = await lab.function(WAIT_FOR_ANSWER);
    const id = await lab.client.run({ functionId: wait, args: [bell.path] });
    await bell.next();
    await lab.client.close();
    await lab.hub.close(20);
    const hub = await lab.openHub();
    assert.equal((await hub.getTask(id)).error_code, 'TASK_INTERRUPTED');
    await hub.close();
  });

  it('takes nothing once it was closed', async () => {
    const f = await lab.function('def f(): pass');
    const { hub, endpoint } = lab;
    await close();
    const closed = { code: 'CLOSED' };
    await assert.rejects(hub.submit(endpoint, { tasks: { [f]: ['5\n11\n[]5\n11\n{}'] } }), closed);
    await assert.rejects(hub.endpointStatus(endpoint), closed);
    await assert.rejects(hub.localEndpoint({ name: 'late', cwd: lab.folder }), closed);
    await assert.rejects(hub.durable(), closed);
    await hub.close();
  });

  describe('leaves no process behind', () => {
    const HOLD = `${RING}
def hold(bell, how):
    import subprocess
    line = ring(bell, how)
    line.set_inheritable(True)
    subprocess.Popen(["sleep", "1000"], close_fds=False)
    ring(bell, "ready")
    while how == "loop":
        pass
    line.recv(1)`;

    it('when it closes, whatever its workers are in', async () => {
      await lab.openEndpoint({ workers: 3 });
      const hold = await lab.function(HOLD);
      const idle = await lab.function(`${RING}\nlines = []\ndef idle(bell):\n    lines.append(ring(bell, "idle"))`);
      const calls = ['loop', 'wait'].map((how) => ({ args: [bell.path, how] }));
      await lab.client.batchRun({ functionId: hold, calls });
      const busy = [await bell.next(), await bell.next(), await bell.next(), await bell.next()];
      await lab.client.run({ functionId: idle, args: [bell.path] });
      const lines = [...busy, await bell.next()];
      await close();
      assert.ok(!hasChildren());
      await Promise.all(lines.map(({ gone }) => gone));
    });

    it('when its process is killed, though a task is in an endless loop', async () => {
      await startChild(HOLD, [[bell.path, 'loop']]);
      const lines = [await bell.next(), await bell.next()];
      await kill();
      await Promise.all(lines.map(({ gone }) => gone));
      await lab.reopen(); // Removes what was left in memory.
    });

    it('when it closes while workers are just starting', async () => {
      await lab.openEndpoint({ workers: 4 });
      const ring = await lab.function(`${RING}\ndef f(bell):\n    ring(bell).recv(1)`);
      const calls = Array(4).fill({ args: [bell.path] });
      const submitted = lab.client.batchRun({ functionId: ring, calls });
      while (!hasChildren()) await new Promise(setImmediate);
      await close();
      assert.ok(!hasChildren());
      await submitted.catch(() => {}); // Whether it is told of the end depends on the moment.
    });
  });
});

/** Whether this process has started others that have not ended. */
function hasChildren(): boolean {
  return process.getActiveResourcesInfo().includes('ProcessWrap');
}
