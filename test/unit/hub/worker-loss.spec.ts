/** Workers that die: one task pays for it, and no other notices. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import {
  type FunctionId,
  type FuncXError,
  packBuffers,
  TaskError,
  type TaskGroupId,
  type TaskOutcome,
} from '../../../dist/lib/index.js';
import { Consumer, Lab, MARK, outcomeOf, outcomesOf, RING } from './fixture.js';

/** Keeps this process from everything else for so long. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

describe('a task that ends its worker', () => {
  let lab: Lab;

  before(async () => {
    lab = await Lab.open();
  });
  after(() => lab.clean());

  afterEach('others go on', async () => {
    assert.equal(await lab.result('def same(x):\n    return x', 7), 7);
  });

  async function lost(source: string, ...args: unknown[]): Promise<FuncXError> {
    const functionId = await lab.function(source);
    const outcome = await outcomeOf(lab.client, functionId, { args });
    assert.ok(outcome.status === 'failed' && outcome.error instanceof TaskError);
    assert.equal(outcome.error.code, 'WORKER_LOST', outcome.error.message);
    assert.equal(outcome.error.taskId, outcome.taskId);
    assert.match(outcome.error.message, new RegExp(`^Task ${outcome.taskId} was lost with its worker\\.`));
    return outcome.error;
  }

  for (const [what, statement, how] of [
    ['leaves by os._exit', 'os._exit(5)', /ended itself with exit code 5/],
    ['is killed', 'os.kill(os.getpid(), signal.SIGKILL)', /was killed \(SIGKILL\)/],
    ['aborts', 'os.abort()', /ended by SIGABRT/],
    ['crashes in C', 'ctypes.string_at(0)', /ended by SIGSEGV/],
    ['is ended by a signal', 'os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)', /ended by SIGTERM/],
    ['is ended by its thread', 'threading.Thread(target=os._exit, args=(6,)).start(); time.sleep(60)', /exit code 6/],
    ['replaces its program', 'os.execvp("true", ["true"])', /exit code 0/],
  ] as const) {
    it(`and ${what} is lost, and its error says how`, async () => {
      const error = await lost(`def f():\n    import ctypes, os, signal, threading, time\n    ${statement}`);
      assert.match(error.message, how);
    });
  }

  for (const [what, bytes] of [
    ['that are no record', 'b"x" * 1000'],
    ['that announce more than there is', 'b"\\xff" * 8'],
    ['that look like a record and are none', '(33).to_bytes(4, "little") + bytes(33)'],
  ] as const) {
    it(`by writing bytes ${what} into the line to the hub is lost, and the hub lives on`, async () => {
      const error = await lost(
        `def f():\n    import os, time\n    os.write(4, ${bytes})\n    time.sleep(0.05)\n    os._exit(1)`,
      );
      assert.equal(error.code, 'WORKER_LOST');
    });
  }

  for (const [line, ending] of [
    [3, 'has given its result before'],
    [4, 'is lost'],
  ] as const) {
    it(`by putting a file in the place of its line ${line} to the hub ${ending}, and runs once`, async () => {
      const source = `${MARK}
files = []
def f(marks, file):
    import os
    mark(marks, "began")
    os.close(${line})
    files.append(open(file, "w"))
    assert files[0].fileno() == ${line}`;
      const marks = `began ${line}`;
      const args = [lab.path(marks), lab.path('in its place')];
      if (line === 3) assert.equal(await lab.result(source, ...args), null);
      else await lost(source, ...args);
      assert.deepEqual(lab.marks(marks), ['began']);
    });
  }

  it('by closing all that is open has given its result before', async () => {
    assert.equal(
      await lab.result('def f():\n    import os\n    os.closerange(0, 1000)\n    return "all closed"'),
      'all closed',
    );
  });

  it('is lost with what it had printed last', async () => {
    const error = await lost('def f():\n    import os\n    print("x" * 5000 + " the end")\n    os._exit(1)');
    assert.match(error.message, /x the end$/);
    assert.ok(error.message.length < 3000);
  });

  it('when its worker is killed from outside is lost', async () => {
    const bell = await lab.bell();
    const functionId = await lab.function(`${RING}\ndef f(bell):\n    import os\n    ring(bell, os.getpid()).recv(1)`);
    const ended = outcomeOf(lab.client, functionId, { args: [bell.path] });
    const { text, gone } = await bell.next();
    process.kill(Number(text), 'SIGKILL');
    const outcome = await ended;
    assert.equal(outcome.status === 'failed' && outcome.error.code, 'WORKER_LOST');
    await gone;
  });

  it('is the only one that is lost of a whole window, and none runs twice', async () => {
    const functionId = await lab.function(`${MARK}
def f(marks, i, how):
    import os, signal
    mark(marks, i)
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return i`);
    const marks = lab.path('marks');
    const args = (i: number) => ({ args: [marks, i, i % 100 === 57 ? 'die' : 'live'] });
    const outcomes = await outcomesOf(
      lab.client,
      functionId,
      Array.from({ length: 1000 }, (_, i) => args(i)),
    );
    for (const [i, outcome] of outcomes.entries()) {
      if (i % 100 === 57) assert.equal(outcome.status === 'failed' && outcome.error.code, 'WORKER_LOST');
      else assert.equal(outcome.status === 'success' && outcome.result, i);
    }
    assert.deepEqual(
      lab
        .marks('marks')
        .map(Number)
        .sort((a, b) => a - b),
      Array.from({ length: 1000 }, (_, i) => i),
    );
  });

  it('after results that it had not sent yet does not take them with it', async () => {
    const functionId = await lab.function('def f(i):\n    import os\n    return os._exit(1) if i == 99 else "x" * i');
    // Several times, as it depends on the moment whether results are still gathered.
    for (let round = 0; round < 10; round++) {
      const outcomes = await outcomesOf(
        lab.client,
        functionId,
        Array.from({ length: 100 }, (_, i) => ({ args: [i] })),
      );
      assert.deepEqual(
        outcomes.map((outcome) => outcome.status === 'success' && (outcome.result as string).length),
        Array.from({ length: 100 }, (_, i) => i < 99 && i),
      );
    }
  });

  it('does not take results with it when more is sent to its worker before they are read', async () => {
    const own = await Lab.open({ workers: 1 });
    try {
      const f = await own.function(
        `${MARK}\ndef f(marks, last):\n    import os\n    if last:\n        mark(marks, os.getpid())\n        os._exit(1)`,
      );
      const marks = own.path('marks');
      const group = randomUUID() as TaskGroupId;
      const told = new Consumer(own.hub, group);
      const submit = (lasts: readonly boolean[]) => {
        const tasks = { [f]: lasts.map((last) => packBuffers([`11\n${JSON.stringify([marks, last])}`, '11\n{}'])) };
        return own.hub.submit(own.endpoint, { tasks, task_group_id: group, create_queue: true });
      };
      // So many that the worker is known to be quick, and is given more while it is at work.
      await submit(Array(500).fill(false));
      await told.until(500);
      const { tasks } = await submit([false, false, true]);
      // It ends while this process reads nothing, and has no occasion to notice.
      while (own.tryMarks('marks').length === 0) block(1);
      const [pid] = own.marks('marks');
      while (/^[^Z]/.test(spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout)) block(1);
      await submit([false]);
      await told.until(504);
      const failed = told.told.filter(({ status }) => status === 'failed').map(({ task_id }) => task_id);
      assert.deepEqual(failed, [tasks[f]?.[2]]);
    } finally {
      await own.clean();
    }
  });

  it('takes what it has started with it', async () => {
    const bell = await lab.bell();
    const source = `${RING}
def f(bell):
    import os, subprocess, sys
    line = ring(bell)
    line.set_inheritable(True)
    subprocess.Popen(["sleep", "1000"], close_fds=False)
    if os.fork() == 0:
        import time
        time.sleep(1000)
    os._exit(1)`;
    await lost(source, bell.path);
    await (await bell.next()).gone;
  });
});

describe('a worker with a limit of its memory', () => {
  let lab: Lab;

  before(async () => {
    lab = await Lab.open({ workers: 1, memoryLimit: 300 });
  });
  after(() => lab.clean());

  const take = 'def take(mb):\n    return len(bytearray(mb * 1_000_000))';

  it('fails what needs more, and goes on', async () => {
    assert.equal(await lab.result(take, 50), 50_000_000);
    const error = await lab.error(take, 500);
    assert.equal(error.message, 'MemoryError');
    assert.equal(await lab.result(take, 50), 50_000_000);
  });

  it('that cannot even start with it says so', async () => {
    const tiny = await Lab.open({ workers: 1, memoryLimit: 1 });
    try {
      const error = await tiny.error(take, 1);
      assert.ok(['WORKER_LOST', 'REMOTE_EXCEPTION'].includes(error.code), error.message);
    } finally {
      await tiny.clean();
    }
  });
});

describe('a worker that dies between two tasks', () => {
  let lab: Lab;
  let pid: FunctionId;

  before(async () => {
    lab = await Lab.open({ workers: 1 });
    pid = await lab.function('def pid():\n    import os\n    return os.getpid()');
  });
  after(() => lab.clean());

  const run = (functionId: FunctionId): Promise<TaskOutcome> => outcomeOf(lab.client, functionId);

  it('is replaced, and the next task does not notice', async () => {
    for (let round = 0; round < 5; round++) {
      const first = await run(pid);
      assert.ok(first.status === 'success');
      process.kill(first.result as number, 'SIGKILL');
      const second = await run(pid);
      assert.ok(second.status === 'success', 'the task that was sent to a dead worker runs elsewhere');
      assert.notEqual(second.result, first.result);
    }
  });

  it('again and again with the same task next is not tried for ever, and the tasks beside it run', async () => {
    // Python code that is run at the start of every interpreter: reading this task ends it, before the task begins.
    mkdirSync(lab.path('site'));
    writeFileSync(
      lab.path('site/sitecustomize.py'),
      `import json, os
${MARK}
make_scanner = json.scanner.make_scanner
def poisoned(decoder):
    scan = make_scanner(decoder)
    def scan_once(text, at):
        if "poison" in text:
            mark(${JSON.stringify(lab.path('deaths'))}, os.getpid())
            os._exit(9)
        return scan(text, at)
    return scan_once
json.scanner.make_scanner = poisoned
`,
    );
    process.env.PYTHONPATH = lab.path('site');
    try {
      await lab.openEndpoint({ idleShutdown: 100 });
      const same = await lab.function('def same(x):\n    return x');
      // Short ones first: then a worker is given many at once, the innocent before and after.
      await outcomesOf(lab.client, same, Array(100).fill({ args: ['short'] }));
      const names = [...'abcdefgh', 'poison', ...'ijklmnop'];
      const outcomes = await outcomesOf(
        lab.client,
        same,
        names.map((x) => ({ args: [x] })),
      );
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.status === 'success' ? outcome.result : outcome.error.code)),
        names.map((name) => (name === 'poison' ? 'WORKER_LOST' : name)),
      );
      // Three for each that may have been the cause until it has run, or has not.
      assert.ok(new Set(lab.marks('deaths')).size <= 3 * 9);
    } finally {
      delete process.env.PYTHONPATH;
    }
  });
});
