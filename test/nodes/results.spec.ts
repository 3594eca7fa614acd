import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { batchRun, passingTheId, pythonFunction, results, run, surroundings, then } from './support/flow';
import { type Msg, useRuntime } from './support/runtime';

/** Returns when the file that it is given exists: tests decide when tasks end. */
const WHEN =
  'def when(path):\n    import os, time\n    while not os.path.exists(path): time.sleep(0.005)\n    return os.path.basename(path)\n';

describe('funcx-results', () => {
  const red = useRuntime();

  const path = (name: string) => join(red.userDir, name);
  const release = (name: string) => writeFileSync(path(name), '');

  describe('of the tasks that messages speak of', () => {
    const load = (properties = {}, code = WHEN) =>
      red.load([
        ...surroundings({ workers: '3' }),
        pythonFunction(code),
        run({ ...passingTheId, wires: [['results']] }),
        batchRun({ ...then('ids'), wires: [['results']] }),
        results(properties),
      ]);

    const payloads = async (count: number) => (await red.out.take(count)).map(({ payload }) => payload);

    it('sends the same message on when its task has ended, with the result', async () => {
      await load();
      const msg: Msg = { payload: path('a'), topic: 'kept' };
      red.send('run', msg);
      release('a');
      const out = await red.out.first();
      assert.equal(out, msg);
      assert.equal(out.payload, 'a');
      assert.equal((out.funcx as { status: string }).status, 'success');
    });

    it('sends them in the order in which they complete', async () => {
      await load();
      for (const name of ['a', 'b', 'c']) red.send('run', { payload: path(name) });
      release('b');
      assert.deepEqual(await payloads(1), ['b']);
      release('c');
      assert.deepEqual(await payloads(2), ['b', 'c']);
      release('a');
      assert.deepEqual(await payloads(3), ['b', 'c', 'a']);
    });

    it('sends them in the order in which they were sent, if it is set so', async () => {
      await load({ order: 'sent' });
      for (const name of ['a', 'b', 'c']) red.send('run', { payload: path(name) });
      release('c');
      release('b');
      release('a');
      assert.deepEqual(await payloads(3), ['a', 'b', 'c']);
    });

    it('keeps that order when one of them fails', async () => {
      await load({ order: 'sent' }, WHEN.replace('return', 'if path.endswith("a"): raise ValueError()\n    return'));
      for (const name of ['a', 'b']) red.send('run', { payload: path(name) });
      release('b');
      release('a');
      await red.out.first();
      assert.equal(red.caught.items.length, 1);
    });

    it('makes one message of each result when the message speaks of several tasks', async () => {
      await load();
      red.send('batch', { payload: ['a', 'b', 'c'].map(path), topic: 'kept' });
      release('c');
      const first = await red.out.first();
      assert.equal(first.payload, 'c');
      assert.equal(first.topic, 'kept');
      const parts = first.parts as { index: number; count: number };
      assert.deepEqual([parts.index, parts.count], [2, 3]);
      release('a');
      release('b');
      assert.deepEqual((await payloads(3)).sort(), ['a', 'b', 'c']);
    });

    it('makes one message with the list of them in the order of the ids, if it is set so', async () => {
      await load({ order: 'together' });
      red.send('batch', { payload: ['a', 'b', 'c'].map(path) });
      for (const name of ['c', 'b', 'a']) release(name);
      assert.deepEqual(await payloads(1), [['a', 'b', 'c']]);
    });

    it('answers a list of one task with a list', async () => {
      await load({ order: 'together' });
      red.send('batch', { payload: [path('a')] });
      release('a');
      assert.deepEqual(await payloads(1), [['a']]);
    });

    it('catches the failure of a task with its own message', async () => {
      await load({}, 'def f(x):\n    raise ValueError(x)\n');
      red.send('run', { payload: 'boom', topic: 'kept' });
      const caught = (await red.caught.first()) as Msg & { error: { message: string; source: { id: string } } };
      assert.equal(caught.error.message, 'ValueError: boom');
      assert.equal(caught.error.source.id, 'results');
      assert.equal(caught.topic, 'kept');
    });

    it('finds a task that ended before it was asked for', async () => {
      await red.load([
        ...surroundings({ workers: '1' }),
        pythonFunction('def f(x):\n    return x\n'),
        run({ ...passingTheId, wires: [['out']] }),
        run({ id: 'after' }),
        results(),
      ]);
      red.send('run', { payload: 'early' });
      const msg = await red.out.first();
      red.send('after', { payload: 'of the same worker, so later' });
      await red.out.take(2);
      red.send('results', msg);
      assert.equal((await red.out.take(3))[2]?.payload, 'early');
    });

    it('refuses a message without a task id, naming where it looked', async () => {
      await load();
      red.send('results', { payload: 1 });
      const { error } = (await red.caught.first()) as { error: { message: string } };
      assert.match(
        error.message,
        /^Tasks: msg\.funcx\.taskId \(or msg\.funcx\.taskIds\) is undefined\. Give the id of a task: a UUID/,
      );
    });

    it('names the one of several ids that is none', async () => {
      await load({ tasks: 'payload' });
      red.send('results', { payload: ['4b116d3c-1703-4f8f-9f6f-39921e5864df', 'x'] });
      const { error } = (await red.caught.first()) as { error: { message: string } };
      assert.match(error.message, /^Tasks: msg\.payload\[1\] is "x"\./);
    });

    it('tells of a task that the service does not know', async () => {
      await load();
      red.send('results', { funcx: { taskId: '4b116d3c-1703-4f8f-9f6f-39921e5864df' } });
      const { error } = (await red.caught.first()) as { error: { code: string; message: string } };
      assert.equal(error.code, 'TASK_NOT_FOUND');
      assert.match(error.message, /4b116d3c-1703-4f8f-9f6f-39921e5864df/);
    });
  });

  describe('of the client', () => {
    const flow = () => [
      ...surroundings(),
      pythonFunction('def f(x):\n    if x == "bad": raise ValueError(x)\n    return x\n'),
      run({ ...passingTheId, wires: [[]] }),
      run({ id: 'waiting', wires: [[]] }),
      results({ from: 'client', inputs: 0 }),
    ];

    it('sends every result that nobody else waits for, as a message of its own', async () => {
      await red.load(flow());
      red.send('waiting', { payload: 'awaited by its own node' });
      red.send('run', { payload: 'unclaimed' });
      const out = await red.out.first();
      assert.equal(out.payload, 'unclaimed');
      assert.match(String((out.funcx as { taskId: string }).taskId), /^[0-9a-f-]{36}$/);
    });

    it('sends failures to a Catch node', async () => {
      await red.load(flow());
      red.send('run', { payload: 'bad' });
      const { error, funcx } = (await red.caught.first()) as { error: { message: string }; funcx: { status: string } };
      assert.equal(error.message, 'ValueError: bad');
      assert.equal(funcx.status, 'failed');
    });

    it('finds the results that came before it was there, after a restart of all', async () => {
      const before = [
        ...surroundings({ workers: '1' }),
        pythonFunction('def f(x):\n    return x\n'),
        run({ ...passingTheId, wires: [[]] }),
        run({ id: 'after' }),
      ];
      await red.load(before);
      red.send('run', { payload: 'nobody waits' });
      red.send('after', { payload: 'of the same worker, so later' });
      await red.out.first();
      await red.deploy([...before, results({ from: 'client', inputs: 0 })], 'full');
      assert.equal((await red.out.take(2))[1]?.payload, 'nobody waits');
    });
  });
});
