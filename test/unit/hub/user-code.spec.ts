/** Functions that treat their process as their own, and what of it reaches others. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Lab, RING } from './fixture.js';

describe('user code', () => {
  let lab: Lab;

  before(async () => {
    lab = await Lab.open({ workers: 1, envAllow: ['FUNCX_TEST_ALLOWED'] });
    process.env.FUNCX_TEST_ALLOWED = 'seen';
    process.env.FUNCX_TEST_SECRET = 'hidden';
    await lab.openEndpoint({ idleShutdown: 200 });
  });
  after(async () => {
    delete process.env.FUNCX_TEST_ALLOWED;
    delete process.env.FUNCX_TEST_SECRET;
    await lab.clean();
  });

  /** That process of the worker goes on, and answers what it is asked. */
  async function assertGoesOn(pid?: unknown): Promise<void> {
    const source = 'def same(x):\n    import os\n    return [x, os.getpid()]';
    const results = (await Promise.all([1, 2, 3].map((i) => lab.result(source, i)))) as [number, number][];
    const worker = pid ?? results[0]?.[1];
    assert.deepEqual(
      results,
      [1, 2, 3].map((i) => [i, worker]),
    );
  }

  afterEach(() => assertGoesOn());

  describe('sees', () => {
    it('its own task id', async () => {
      const functionId = await lab.function('def f():\n    import os\n    return os.environ["GC_TASK_UUID"]');
      const { taskIds } = await lab.client.batchRun({ functionId, calls: [{}, {}] });
      const ids = await Promise.all(
        taskIds.map(
          (id) => new Promise((resolve) => lab.client.waitFor(id, (o) => resolve(o.status === 'success' && o.result))),
        ),
      );
      assert.deepEqual(ids, taskIds);
    });

    it('its working folder, and modules there', async () => {
      writeFileSync(lab.path('ours.py'), 'ANSWER = 42\n');
      const source = 'def f():\n    import os, ours\n    return [os.getcwd(), ours.ANSWER]';
      assert.deepEqual(await lab.result(source), [lab.folder, 42]);
    });

    it('of the environment what is allowed, and no secret', async () => {
      const source = 'def f(*names):\n    import os\n    return [os.environ.get(name) for name in names]';
      const seen = await lab.result(source, 'FUNCX_TEST_ALLOWED', 'FUNCX_TEST_SECRET', 'PATH', 'NODE_OPTIONS');
      assert.deepEqual(seen, ['seen', null, process.env.PATH, null]);
    });

    it("the standard library's modules, whatever ours are called", async () => {
      const source = `def f():
    import inspect, platform, queue, select
    names = []
    for name in ("recorder", "output", "packing", "values", "functions", "worker", "inspect_source", "frames"):
        try:
            __import__(name)
            names.append(name)
        except ImportError:
            pass
    return [inspect.signature(lambda a, b: 0).__str__(), names]`;
      assert.deepEqual(await lab.result(source), ['(a, b)', []]);
    });

    it('nothing of what other functions have defined', async () => {
      await lab.result('SECRET = 1\ndef f():\n    global MORE\n    MORE = 2\n    return SECRET');
      const source = 'def f():\n    return ["SECRET" in globals(), "MORE" in globals(), "Worker" in globals()]';
      assert.deepEqual(await lab.result(source), [false, false, false]);
    });

    it('what the same function has kept at the top level, as its worker stays warm', async () => {
      const functionId = await lab.function('calls = []\ndef f():\n    calls.append(1)\n    return len(calls)');
      const counts: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        const outcome = await new Promise<unknown>((resolve) =>
          lab.client.submit({ functionId }, (o) => resolve(o.status === 'success' && o.result)),
        );
        counts.push(outcome);
      }
      assert.deepEqual(counts, [1, 2, 3]);
    });
  });

  describe('harms nobody when it', () => {
    for (const [what, statements] of [
      ['clears the environment', 'os.environ.clear()'],
      ['puts a dict in the place of the environment', 'os.environ = {}'],
      ['changes into another folder', 'os.chdir("/")'],
      ['changes into a folder that it removes', 'os.mkdir("gone"); os.chdir("gone"); os.rmdir("../gone")'],
      ['changes the recursion limit', 'sys.setrecursionlimit(200)'],
      ['changes how JSON is written', 'import json.encoder; json.dumps = json.encoder.encode_basestring_ascii = None'],
      ['calls os.setsid', 'os.setsid() if os.getpid() != os.getsid(0) else None'],
      [
        'sets signal handlers',
        'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGCHLD, signal.SIG_IGN)',
      ],
      [
        'sends itself a signal that it ignores',
        'import signal; signal.signal(signal.SIGUSR1, signal.SIG_IGN); os.kill(os.getpid(), signal.SIGUSR1)',
      ],
      [
        'leaves threads behind',
        'import threading; [threading.Thread(target=threading.Event().wait).start() for _ in range(5)]',
      ],
      [
        'leaves a thread that raises',
        'import threading; t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()',
      ],
      ['registers what is to be done at exit', 'import atexit; atexit.register(print, "bye")'],
      ['sets its umask', 'os.umask(0o777)'],
      ['deletes what it was called by', 'import gc; gc.collect(); gc.disable()'],
      ['sets a trace function', 'sys.settrace(lambda *a: None)'],
      ['changes its process group', 'os.getpgrp() == os.getpid() or os.setpgrp()'],
    ] as const) {
      it(what, async () => {
        const pid = await lab.result(`def f():\n    import os, sys\n    ${statements}\n    return os.getpid()`);
        await assertGoesOn(pid);
        // What it has changed is meant to last as long as its worker.
        await lab.openEndpoint({ idleShutdown: 201 });
        await lab.openEndpoint({ idleShutdown: 200 });
      });
    }
  });

  describe('that makes processes', () => {
    it('by os.fork answers once, though the child comes back from the function too', async () => {
      const source = `def f():
    import os
    child = os.fork()
    if child == 0:
        return "child"
    status = os.waitpid(child, 0)[1]
    return ["parent", os.WEXITSTATUS(status)]`;
      assert.deepEqual(await lab.result(source), ['parent', 0]);
    });

    it('by os.fork sees the status with which the child leaves', async () => {
      const source = `def f(how):
    import os, sys
    child = os.fork()
    if child == 0:
        if how == "raise":
            raise ValueError("in the child")
        sys.exit(7)
    return os.WEXITSTATUS(os.waitpid(child, 0)[1])`;
      assert.equal(await lab.result(source, 'exit'), 7);
      const outcome = await lab.run(source, ['raise']);
      assert.equal(outcome.status === 'success' && outcome.result, 1);
      assert.match(outcome.output ?? '', /ValueError: in the child/);
    });

    it('by os.fork and leaves the child alone gets the answer of its own', async () => {
      const bell = await lab.bell();
      const source = `${RING}
def f(bell):
    import os
    if os.fork() == 0:
        ring(bell).recv(1)
        return "child"
    return "parent"`;
      assert.equal(await lab.result(source, bell.path), 'parent');
      const child = await bell.next();
      assert.equal(await lab.result('def g():\n    return "next"'), 'next');
      child.answer();
      await child.gone;
    });

    for (const method of ['fork', 'spawn', 'forkserver']) {
      it(`by multiprocessing with ${method}`, async () => {
        const source = `def f(method):
    import math, multiprocessing
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(math.sqrt, [1, 4, 9])`;
        assert.deepEqual(await lab.result(source, method), [1, 2, 3]);
      });
    }

    it('by concurrent.futures', async () => {
      const source = `def f():
    import math
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(math.factorial, [3, 4]))`;
      assert.deepEqual(await lab.result(source), [6, 24]);
    });

    it('by subprocess gives them nothing of the line to the hub', async () => {
      const source = `def f():
    import subprocess, sys
    code = "import os; print([fd for fd in range(3, 20) if os.path.exists('/proc/self/fd/%d' % fd)])"
    run = subprocess.run([sys.executable, "-c", code], close_fds=False, capture_output=True, text=True)
    return run.stdout.strip()`;
      // 3 is what listing itself opens, if anything.
      assert.match(String(await lab.result(source)), /^\[\d?\]$/);
    });
  });

  describe('of an endpoint', () => {
    it('in another working folder does not see the first', async () => {
      mkdirSync(lab.path('other'), { recursive: true });
      await lab.openEndpoint({ cwd: lab.path('other'), idleShutdown: 200 });
      assert.equal(await lab.result('def f():\n    import os\n    return os.getcwd()'), lab.path('other'));
    });
  });
});
