/** Which worker runs what, and when; proved by the order of what happens, not by clocks. */
import assert from 'node:assert/strict';
import type { FunctionId, TaskOutcome } from '../../../dist/lib/index.js';
import { Lab, MARK, outcomeOf, outcomesOf, WAIT_FOR_ANSWER } from './fixture.js';

const PID = 'def pid():\n    import os\n    return os.getpid()';

function resultOf(outcome: TaskOutcome): unknown {
  if (outcome.status === 'failed') throw outcome.error;
  return outcome.result;
}

describe('a pool of workers', () => {
  let lab: Lab;
  afterEach(() => lab.clean());

  const details = async () => (await lab.hub.endpointStatus(lab.endpoint)).details;

  it('starts no process before its first task, and no more than there are tasks', async () => {
    lab = await Lab.open({ workers: 4 });
    assert.equal((await details())?.total_workers, 0);
    await lab.result(PID);
    assert.equal((await details())?.total_workers, 1);
  });

  it('of four runs four tasks at once, and a fifth when the first of them has ended', async () => {
    lab = await Lab.open({ workers: 4 });
    const bell = await lab.bell();
    const wait = await lab.function(WAIT_FOR_ANSWER);
    const outcomes = [1, 2, 3, 4, 5].map((i) => outcomeOf(lab.client, wait, { args: [bell.path, i] }));
    const visitors = [await bell.next(), await bell.next(), await bell.next(), await bell.next()];
    assert.equal((await details())?.pending_tasks, 1);
    assert.equal((await details())?.total_workers, 4);
    visitors[2]?.answer();
    const fifth = await bell.next();
    for (const visitor of [...visitors, fifth]) visitor.answer();
    assert.deepEqual((await Promise.all(outcomes)).map(resultOf), [1, 2, 3, 4, 5]);
  });

  it('lets no short task wait behind a long one while another worker is idle', async () => {
    lab = await Lab.open({ workers: 2 });
    const source = `${MARK}
def task(file=None):
    import os, time
    if file is None:
        return "short"
    while not os.path.exists(file):
        time.sleep(0.001)
    return "long"
def create(file):
    mark(file, "go")
    return "created"`;
    const [task, create] = [await lab.function(source, 'task'), await lab.function(source, 'create')];
    // Both workers have run many short ones: a window full of them is sent ahead.
    await outcomesOf(lab.client, task, Array(2000).fill({}));
    for (let round = 0; round < 10; round++) {
      const file = lab.path(`go${round}`);
      // The long one would wait for ever for one that stands behind it.
      const calls = Array.from({ length: 200 }, (_, i) => ({ args: i === 20 ? [file] : [] }));
      const outcomes = outcomesOf(lab.client, task, calls);
      const created = outcomeOf(lab.client, create, { args: [file] });
      assert.equal(resultOf(await created), 'created');
      const results = (await outcomes).map(resultOf);
      assert.deepEqual(
        results,
        calls.map((_, i) => (i === 20 ? 'long' : 'short')),
      );
    }
  }).timeout(30_000);

  it('gives back results that a worker has gathered while it is in a long task', async () => {
    lab = await Lab.open({ workers: 1 });
    const bell = await lab.bell();
    const source = `${WAIT_FOR_ANSWER}
def task(i, bell=None):
    return wait_for_answer(bell, i) if bell else i`;
    const task = await lab.function(source);
    await outcomesOf(
      lab.client,
      task,
      Array.from({ length: 500 }, (_, i) => ({ args: [i] })),
    );
    const before = Array.from({ length: 100 }, (_, i) => outcomeOf(lab.client, task, { args: [i] }));
    const long = outcomeOf(lab.client, task, { args: [100, bell.path] });
    const visitor = await bell.next();
    // They are told though the worker, which may not have written them, goes on only after this.
    assert.deepEqual(
      (await Promise.all(before)).map(resultOf),
      Array.from({ length: 100 }, (_, i) => i),
    );
    visitor.answer();
    assert.equal(resultOf(await long), 100);
  });

  it('runs what was submitted first first, where it has one worker', async () => {
    lab = await Lab.open({ workers: 1 });
    const mark = await lab.function(`${MARK}\ndef f(file, i):\n    mark(file, i)`);
    const other = await lab.function(`${MARK}\ndef g(file, i):\n    mark(file, i)`);
    const file = lab.path('order');
    const outcomes: Promise<TaskOutcome>[] = [];
    for (let i = 0; i < 300; i++) {
      outcomes.push(outcomeOf(lab.client, i % 7 < 3 ? mark : other, { args: [file, i] }));
      if (i % 50 === 49) await outcomes[i - 20];
    }
    await Promise.all(outcomes);
    const order = lab.marks('order').map(Number);
    for (const rest of [(i: number) => i % 7 < 3, (i: number) => i % 7 >= 3]) {
      const ofOne = order.filter(rest);
      assert.deepEqual(
        ofOne,
        [...ofOne].sort((a, b) => a - b),
      );
    }
    assert.equal(order.length, 300);
  });

  describe('that replaces workers', () => {
    it('after so many tasks loses none and runs none twice', async () => {
      lab = await Lab.open({ workers: 2, restartAfter: 7 });
      const f = await lab.function(
        `${MARK}\ndef f(file, i):\n    import os\n    mark(file, i)\n    return os.getpid()`,
      );
      const calls = Array.from({ length: 100 }, (_, i) => ({ args: [lab.path('marks'), i] }));
      const pids = (await outcomesOf(lab.client, f, calls)).map(resultOf) as number[];
      const counts = new Map<number, number>();
      for (const pid of pids) counts.set(pid, (counts.get(pid) ?? 0) + 1);
      assert.ok(
        [...counts.values()].every((count) => count <= 7),
        `${[...counts.values()]}`,
      );
      assert.ok(counts.size >= 15);
      const marks = lab.marks('marks').map(Number);
      assert.deepEqual(
        marks.sort((a, b) => a - b),
        calls.map((_, i) => i),
      );
    });

    it('after each task gives each a process of its own', async () => {
      lab = await Lab.open({ workers: 2, restartAfter: 1 });
      const pid = await lab.function(PID);
      const pids = (await outcomesOf(lab.client, pid, Array(10).fill({}))).map(resultOf);
      assert.equal(new Set(pids).size, 10);
    });

    it('when they are idle for long ends their processes, and starts others when there is work', async () => {
      lab = await Lab.open({ workers: 1, idleShutdown: 0.05 });
      const bell = await lab.bell();
      const source = `${WAIT_FOR_ANSWER}
lines = []
def hold(bell):
    import os
    lines.append(ring(bell, os.getpid()))
    return os.getpid()`;
      const pid = await lab.result(source, bell.path);
      const line = await bell.next();
      assert.equal(line.text, String(pid));
      await line.gone;
      assert.equal((await details())?.total_workers, 0);
      assert.notEqual(await lab.result(PID), pid);
    });
  });

  describe('with a time limit', () => {
    it('ends a task that runs longer, with all that it has started and printed', async () => {
      lab = await Lab.open({ workers: 1, timeLimit: 0.1 });
      const bell = await lab.bell();
      const source = `${WAIT_FOR_ANSWER}
def endless(bell):
    import os
    line = ring(bell)
    print("so far")
    if os.fork() == 0:
        line.recv(1)
    while True:
        pass`;
      const outcome = await lab.run(source, [bell.path]);
      assert.ok(outcome.status === 'failed');
      assert.equal(outcome.error.code, 'TASK_TIMEOUT');
      assert.match(outcome.error.message, new RegExp(`^Task ${outcome.taskId} ran longer than its limit of 0\\.1 s`));
      assert.equal(outcome.output, 'so far');
      assert.ok((outcome.timings?.runMs ?? 0) >= 100);
      await (await bell.next()).gone;
    });

    it('lets others of the same window run to their end, once', async () => {
      lab = await Lab.open({ workers: 1, timeLimit: 0.4 });
      const f = await lab.function(`${MARK}
def f(file, i):
    mark(file, i)
    while i % 50 == 10:
        pass
    return i`);
      await outcomesOf(
        lab.client,
        f,
        Array.from({ length: 9 }, () => ({ args: [lab.path('warm'), 1] })),
      );
      const calls = Array.from({ length: 100 }, (_, i) => ({ args: [lab.path('marks'), i] }));
      const outcomes = await outcomesOf(lab.client, f, calls);
      for (const [i, outcome] of outcomes.entries()) {
        if (i % 50 === 10) assert.equal(outcome.status === 'failed' && outcome.error.code, 'TASK_TIMEOUT');
        else assert.equal(resultOf(outcome), i);
      }
      assert.equal(lab.marks('marks').length, 100);
    });

    it('counts the time of each task alone, not of all that a worker has', async () => {
      lab = await Lab.open({ workers: 1, timeLimit: 1 });
      const f = await lab.function('def f():\n    import time\n    time.sleep(0.05)\n    return 1');
      const outcomes = await outcomesOf(lab.client, f, Array(25).fill({}));
      assert.deepEqual(outcomes.map(resultOf), Array(25).fill(1));
    });
  });

  describe('whose options are changed', () => {
    it('takes over what waits, also what is submitted meanwhile, and ends what runs', async () => {
      lab = await Lab.open({ workers: 1 });
      const bell = await lab.bell();
      const wait: FunctionId = await lab.function(WAIT_FOR_ANSWER);
      const running = outcomeOf(lab.client, wait, { args: [bell.path, 'running'] });
      const waiting = [1, 2].map((i) => outcomeOf(lab.client, wait, { args: [bell.path, i] }));
      await bell.next();
      const endpoint = lab.endpoint;
      const opened = lab.openEndpoint({ workers: 3 });
      const meanwhile = outcomeOf(lab.client, wait, { args: [bell.path, 3] });
      await opened;
      assert.equal(lab.endpoint, endpoint);
      const outcome = await running;
      assert.equal(outcome.status === 'failed' && outcome.error.code, 'TASK_INTERRUPTED');
      for (let i = 0; i < 3; i++) (await bell.next()).answer();
      assert.deepEqual((await Promise.all([...waiting, meanwhile])).map(resultOf), [1, 2, 3]);
    });

    it('is left alone when they are the same', async () => {
      lab = await Lab.open({ workers: 1 });
      const pid = await lab.result(PID);
      await lab.openEndpoint();
      assert.equal(await lab.result(PID), pid);
    });

    it('is one, though it is opened twice at the same moment', async () => {
      lab = await Lab.open({ workers: 1 });
      const options = { name: 'twice', cwd: lab.folder, workers: 1 };
      const ids = await Promise.all([1, 2, 3].map(() => lab.hub.localEndpoint(options)));
      assert.equal(new Set(ids).size, 1);
      assert.equal((await lab.hub.listEndpoints()).filter(({ name }) => name === 'twice').length, 1);
    });

    it('refuses values that make no sense, and stays as it is', async () => {
      lab = await Lab.open({ workers: 1 });
      const pid = await lab.result(PID);
      for (const [name, value] of [
        ['workers', 0],
        ['workers', Number.NaN],
        ['timeLimit', -1],
        ['memoryLimit', Number.POSITIVE_INFINITY],
        ['restartAfter', 0],
        ['idleShutdown', -1],
      ] as const) {
        await assert.rejects(lab.openEndpoint({ [name]: value }), { code: 'BAD_INPUT', message: new RegExp(name) });
      }
      assert.equal(await lab.result(PID), pid);
    });
  });
});
