import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mock } from 'node:test';
import { batchRun, client, type FlowNode, pythonFunction, run, surroundings, then } from './support/flow';
import { root, useRuntime } from './support/runtime';

const PID = 'def f(x):\n    import os\n    return os.getpid()\n';
const ECHO = 'def f(x):\n    return x\n';

describe('funcx-client', () => {
  const red = useRuntime();

  const load = (code: string, clientProperties = {}, properties = {}) =>
    red.load([...surroundings(clientProperties), pythonFunction(code), run(properties)]);

  async function pid(count: number): Promise<number> {
    red.send('run', { payload: 0 });
    return (await red.out.take(count))[count - 1]?.payload as number;
  }

  async function errorOf(payload: unknown): Promise<{ code: string; message: string }> {
    red.send('run', { payload });
    return (await red.caught.first()).error as never;
  }

  const isAlive = (process_: number) => {
    try {
      // A zombie is only an entry until its parent has looked at it.
      return !/^State:\s*Z/m.test(readFileSync(`/proc/${process_}/status`, 'utf8'));
    } catch {
      return false;
    }
  };

  describe('while it opens', () => {
    it('has the messages wait, and does them in their order', async () => {
      await load(ECHO, { workers: '1' });
      for (let i = 0; i < 50; i++) red.send('run', { payload: i });
      const payloads = (await red.out.take(50)).map(({ payload }) => payload);
      assert.deepEqual(
        payloads,
        Array.from({ length: 50 }, (_, i) => i),
      );
    });

    it('refuses messages beyond its queue limit, and does those that fit', async () => {
      await load(ECHO, { queueLimit: '3' });
      for (let i = 0; i < 5; i++) red.send('run', { payload: i });
      const errors = (await red.caught.take(2)).map(({ error }) => error as { code: string; message: string });
      assert.deepEqual(
        errors.map(({ code }) => code),
        ['QUEUE_FULL', 'QUEUE_FULL'],
      );
      assert.match(errors[0]?.message ?? '', /^3 messages wait already.*raise its queue limit/);
      assert.deepEqual((await red.out.take(3)).map(({ payload }) => payload).sort(), [0, 1, 2]);
    });
  });

  describe('while it opens, with more messages than its queue limit', () => {
    const codes = (count: number) =>
      red.caught
        .take(count)
        .then((all) => all.map(({ payload, error }) => [payload, (error as { code: string }).code]));
    const payloads = async (count: number) => (await red.out.take(count)).map(({ payload }) => payload);

    async function send(whenFull: string): Promise<void> {
      await load(ECHO, { queueLimit: '3', workers: '1', whenFull });
      for (let i = 0; i < 5; i++) red.send('run', { payload: i });
    }

    it('does them all where they may wait', async () => {
      await send('block');
      assert.deepEqual(await payloads(5), [0, 1, 2, 3, 4]);
    });

    it('drops the newest', async () => {
      await send('drop-newest');
      assert.deepEqual(
        [await codes(2), await payloads(3)],
        [
          [
            [3, 'DROPPED'],
            [4, 'DROPPED'],
          ],
          [0, 1, 2],
        ],
      );
    });

    it('drops the oldest', async () => {
      await send('drop-oldest');
      assert.deepEqual(
        [await codes(2), await payloads(3)],
        [
          [
            [0, 'DROPPED'],
            [1, 'DROPPED'],
          ],
          [2, 3, 4],
        ],
      );
    });
  });

  describe('that cannot open', () => {
    it('for want of Python ends every message in an error that says what to install', async () => {
      await load(ECHO, { python: '/nowhere/python3' });
      const error = await errorOf(1);
      assert.equal(error.code, 'PYTHON_NOT_FOUND');
      assert.match(error.message, /\/nowhere\/python3: not found.*[Ii]nstall/);
    });

    it('opens for a message that comes after Python was installed', async () => {
      const python = join(red.userDir, 'python3');
      await load(ECHO, { python });
      await errorOf(1);
      writeFileSync(python, '#!/bin/sh\nexec python3 "$@"\n');
      chmodSync(python, 0o755);
      const now = performance.now.bind(performance);
      mock.method(performance, 'now', () => now() + 6000);
      try {
        red.send('run', { payload: 'now it works' });
        assert.equal((await red.out.first()).payload, 'now it works');
      } finally {
        mock.restoreAll();
      }
    });

    it('with other settings is not opened beside itself when it can, and closes as a whole', async () => {
      const python = join(red.userDir, 'python3');
      await load(PID);
      await pid(1);
      await red.deploy([...surroundings({ python }), pythonFunction(PID), run()], 'full');
      assert.equal((await errorOf(1)).code, 'PYTHON_NOT_FOUND');
      writeFileSync(python, '#!/bin/sh\nexec python3 "$@"\n');
      chmodSync(python, 0o755);
      const now = performance.now.bind(performance);
      mock.method(performance, 'now', () => now() + 6000);
      try {
        await pid(2);
      } finally {
        mock.restoreAll();
      }
      assert.ok(existsSync(join(red.userDir, 'funcx/hub.db.pid')));
      await red.stop();
      assert.ok(!existsSync(join(red.userDir, 'funcx/hub.db.pid')));
    });

    it('because another Node-RED has the same user directory says so', async () => {
      const script = `require(${JSON.stringify(join(root, 'dist/lib/index.js'))}).Hub.open({ file: process.argv[1] }).then(() => { console.log('open'); setInterval(() => {}, 1e6); });`;
      const other = spawn(process.execPath, ['-e', script, join(red.userDir, 'funcx/hub.db')], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        await once(other.stdout, 'data');
        await load(ECHO);
        const error = await errorOf(1);
        assert.equal(error.code, 'STORE_LOCKED');
        assert.match(error.message, /hub\.db/);
      } finally {
        other.kill('SIGKILL');
        await once(other, 'exit');
      }
    });

    it('for a field that cannot be used names the field', async () => {
      await load(ECHO, { timeLimit: 'soon' });
      const error = await errorOf(1);
      assert.equal(error.code, 'BAD_INPUT');
      assert.equal(
        error.message,
        'Time limit: "soon" is not a positive number of seconds. Change it in the client, or leave it empty.',
      );
    });
  });

  describe('when flows are deployed', () => {
    const flow = (code: string, ...more: FlowNode[]) => [
      ...surroundings({ workers: '1' }),
      pythonFunction(code),
      run(),
      ...more,
    ];

    it('stays open, with its workers, if it is not changed itself', async () => {
      await red.load(flow(PID));
      const before = await pid(1);
      await red.deploy([...surroundings({ workers: '1' }), pythonFunction(PID), run({ name: 'renamed' })], 'nodes');
      assert.equal(await pid(2), before);
    });

    it('has other workers if it is changed', async () => {
      await red.load(flow(PID));
      const before = await pid(1);
      await red.deploy([...surroundings({ workers: '1', timeLimit: '60' }), pythonFunction(PID), run()], 'nodes');
      assert.notEqual(await pid(2), before);
      assert.ok(!isAlive(before));
    });

    it('closes when its last user is gone', async () => {
      await red.load(flow(PID));
      const before = await pid(1);
      await red.deploy([...surroundings({ workers: '1' }), pythonFunction(PID)], 'nodes');
      await red.deploy(flow(PID), 'nodes');
      assert.notEqual(await pid(2), before);
    });

    it('keeps its endpoint id, and registered functions, across restarts', async () => {
      await red.load(flow(ECHO));
      red.send('run', { payload: 1 });
      await red.out.first();
      await red.deploy(flow(ECHO), 'full');
      red.send('run', { payload: 2 });
      const ids = (await red.out.take(2)).map(({ funcx }) => funcx as { endpointId: string; functionId: string });
      assert.equal(ids[0]?.endpointId, ids[1]?.endpointId);
    });
  });

  describe('when a node is closed in the middle of its tasks', () => {
    /** Waits for a file, if it is given one. All run in one worker, so that they end in their order. */
    const WAIT =
      'def f(path):\n    import os, time\n    while path and not os.path.exists(path): time.sleep(0.005)\n    return path\n';

    const flow = (node: FlowNode) => [...surroundings({ workers: '1' }), pythonFunction(WAIT), node];

    it('its results are sent by the next node of its id, each once', async () => {
      const path = join(red.userDir, 'go');
      await red.load(flow(run({ name: 'before' })));
      for (const payload of ['', path]) red.send('run', { payload, of: 'the old node' });
      await red.out.first();
      await red.deploy(flow(run({ name: 'after' })), 'nodes');
      writeFileSync(path, '');
      red.send('run', { payload: path, of: 'the new node' });
      assert.deepEqual(
        (await red.out.take(3)).map((msg) => msg.of),
        ['the old node', 'the old node', 'the new node'],
      );
    });

    it('what is left of its batch is sent by the next node of its id, with the same parts', async () => {
      const path = join(red.userDir, 'go');
      await red.load(flow(batchRun({ ...then('each'), name: 'before' })));
      red.send('batch', { payload: ['', path], of: 'the old node' });
      await red.out.first();
      await red.deploy(flow(batchRun({ ...then('each'), name: 'after' })), 'nodes');
      writeFileSync(path, '');
      const parts = (await red.out.take(2)).map((msg) => msg.parts as { id: string; index: number });
      assert.deepEqual(
        parts.map(({ index }) => index),
        [0, 1],
      );
      assert.equal(parts[0]?.id, parts[1]?.id);
    });
  });

  describe('when a node is deleted in the middle of its tasks', () => {
    it('says how many results wait for it, and gives them to it when the deletion is undone', async () => {
      const wait =
        'def f(path):\n    import os, time\n    while not os.path.exists(path): time.sleep(0.005)\n    return "done"\n';
      const flow = [...surroundings(), pythonFunction(wait), run({ id: 'other', wires: [] })];
      await red.load([...flow, run()]);
      red.send('run', { payload: '/' });
      await red.out.first();
      const path = join(red.userDir, 'go');
      for (let i = 0; i < 2; i++) red.send('run', { payload: path });
      const warned = once(red.node('client'), 'call:warn');
      await red.deploy(flow, 'nodes');
      const [{ args }] = (await warned) as [{ args: string[] }];
      assert.match(args[0] ?? '', /^The node run is gone, and results wait for it: 2\./);
      writeFileSync(path, '');
      await red.deploy([...flow, run()], 'nodes');
      const all = await red.out.take(3);
      assert.deepEqual(new Set(all.map(({ payload }) => payload)), new Set(['done']));
    });
  });

  describe('when Node-RED stops', () => {
    it('ends its workers, even in the middle of a task, in less than a second', async () => {
      await load(
        'def f(path, role):\n    import os, time\n' +
          '    if role == "work":\n        open(path + "~", "w").write(str(os.getpid()))\n' +
          '        os.rename(path + "~", path)\n        time.sleep(60)\n' +
          '    while not os.path.exists(path): time.sleep(0.005)\n    return int(open(path).read())\n',
        {},
        { messageAs: 'list' },
      );
      const path = join(red.userDir, 'pid');
      for (const role of ['work', 'look']) red.send('run', { payload: [path, role] });
      const worker = (await red.out.first()).payload as number;
      assert.ok(isAlive(worker));
      const began = performance.now();
      await red.stop();
      assert.ok(performance.now() - began < 1000);
      assert.ok(!isAlive(worker));
    });

    it('is closed when that happens while it opens, and does later what waited for it', async () => {
      await load(ECHO, { workers: '1' });
      red.send('run', { payload: 1 });
      await red.stop();
      // Another one could not have the file otherwise.
      await load(ECHO, { workers: '1' });
      red.send('run', { payload: 2 });
      const all = (await red.out.take(2)).map(({ payload, funcx }) => [
        payload,
        (funcx as { recovered?: true }).recovered,
      ]);
      assert.deepEqual(all, [
        [1, true],
        [2, undefined],
      ]);
    });
  });

  describe('while its interpreter does not answer', () => {
    it('is closed without waiting for it, and the interpreter is ended', async () => {
      const python = join(red.userDir, 'python3');
      const pipe = join(red.userDir, 'held-by-python');
      execFileSync('mkfifo', [pipe]);
      writeFileSync(python, `#!/bin/sh\nexec 3> ${pipe}\nexec sleep 60\n`);
      chmodSync(python, 0o755);
      const held = createReadStream(pipe).resume();
      const ended = once(held, 'end');
      await load(ECHO, { python });
      red.send('run', { payload: 1 });
      await once(held, 'open');
      // It would be asleep for longer than this test may take.
      await red.stop();
      await ended;
    });
  });

  describe('together with another', () => {
    it('shares one hub: a function registered with one can be run by the other', async () => {
      await red.load([
        ...surroundings(),
        client({ id: 'second' }),
        pythonFunction(ECHO),
        run({ wires: [['other']] }),
        run({ id: 'other', client: 'second', functionFrom: 'id' }),
      ]);
      red.send('run', { payload: 'through both' });
      assert.equal((await red.out.first()).payload, 'through both');
    });

    it('leaves it open when only one of them closes, whose workers end', async () => {
      const both = [...surroundings({ workers: '1' }), client({ id: 'second', workers: '1' }), pythonFunction(PID)];
      const second = run({ id: 'other', client: 'second' });
      await red.load([...both, run(), second]);
      const before = await pid(1);
      red.send('other', { payload: 0 });
      const closed = (await red.out.take(2))[1]?.payload;
      await red.deploy([...both, run()], 'nodes');
      assert.equal(await pid(3), before);
      await red.deploy([...both, run(), second], 'nodes');
      red.send('other', { payload: 0 });
      assert.notEqual((await red.out.take(4))[3]?.payload, closed);
    });
  });

  it('sees only the environment variables that are allowed', async () => {
    process.env.FUNCX_TEST_SECRET = 'secret';
    process.env.FUNCX_TEST_ALLOWED = 'allowed';
    try {
      await load(
        'def f(x):\n    import os\n    return [os.environ.get("FUNCX_TEST_SECRET"), os.environ.get("FUNCX_TEST_ALLOWED")]\n',
        {
          envAllow: 'OTHER, FUNCX_TEST_ALLOWED',
        },
      );
      red.send('run', { payload: 1 });
      assert.deepEqual((await red.out.first()).payload, [null, 'allowed']);
    } finally {
      delete process.env.FUNCX_TEST_SECRET;
      delete process.env.FUNCX_TEST_ALLOWED;
    }
  });

  it('works in the folder that is chosen', async () => {
    await load('def f(x):\n    import os\n    return os.getcwd()\n', { cwd: '/' });
    red.send('run', { payload: 1 });
    assert.equal((await red.out.first()).payload, '/');
  });
});
