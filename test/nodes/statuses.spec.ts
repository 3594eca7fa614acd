import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { batchRun, getResult, passingTheId, placed, pythonFunction, run, sink, surroundings } from './support/flow';
import { useRuntime } from './support/runtime';

/** Ends when the file that it is given exists, in the way that the name of the file says. */
const WHEN =
  'def when(path):\n    import os, time\n    while not os.path.exists(path): time.sleep(0.005)\n' +
  '    if path.endswith("bad"): raise ValueError("no")\n    return 1\n';

describe('The status of a node', () => {
  const red = useRuntime();

  const path = (name: string) => join(red.userDir, name);
  const release = (name: string) => writeFileSync(path(name), '');

  const load = (clientProperties = {}, ...nodes: ReturnType<typeof run>[]) =>
    red.load([
      ...surroundings({ workers: '1', ...clientProperties }),
      pythonFunction(WHEN),
      ...(nodes.length ? nodes : [run()]),
    ]);

  it('is a blue dot with what runs and what waits, while it works', async () => {
    await load();
    const statuses = red.statuses('run');
    for (const name of ['a', 'b', 'c']) red.send('run', { payload: path(name) });
    const status = await statuses.find(({ text }) => text === '1 running, 2 queued');
    assert.deepEqual([status.fill, status.shape], ['blue', 'dot']);
    release('a');
    release('b');
    await statuses.find(({ text }) => text === '1 running');
  });

  it('counts the tasks of a batch', async () => {
    await load({}, batchRun());
    const statuses = red.statuses('batch');
    red.send('batch', { payload: ['a', 'b', 'c', 'd'].map(path) });
    await statuses.find(({ text }) => text === '1 running, 3 queued');
  });

  it('is a green dot with the time it took, when all is done', async () => {
    await load();
    const statuses = red.statuses('run');
    release('a');
    red.send('run', { payload: path('a') });
    const status = await statuses.find(({ text }) => /^done [\d.]+ s$/.test(text ?? ''));
    assert.deepEqual([status.fill, status.shape], ['green', 'dot']);
  });

  it('is a green dot without a time, when only the id of the task was wanted', async () => {
    await load({}, run(passingTheId));
    const statuses = red.statuses('run');
    red.send('run', { payload: path('a') });
    await statuses.find(({ fill, text }) => fill === 'green' && text === 'done');
  });

  it('is a red ring with the kind of the last failure until the next success, even while others run', async () => {
    await load({ workers: '2' });
    const statuses = red.statuses('run');
    release('bad');
    red.send('run', { payload: path('bad') });
    red.send('run', { payload: path('good') });
    await red.caught.first();
    const status = await statuses.find(({ fill }) => fill === 'red');
    assert.deepEqual([status.shape, status.text], ['ring', 'failed: ValueError']);
    const shown = statuses.items.length;
    release('good');
    await statuses.find(({ fill }) => fill === 'green');
    assert.deepEqual(
      statuses.items.slice(shown).map(({ fill }) => fill),
      ['green'],
    );
  });

  it('is a red ring with the code when it is not the function that failed', async () => {
    await load();
    const statuses = red.statuses('run');
    red.send('run', { payload: new Map([[1, 'a key that is no text']]) });
    await statuses.find(({ text }) => text === 'failed: NOT_SERIALIZABLE');
  });

  it('is a yellow ring while messages wait for the client to open', async () => {
    const python = path('slow-python');
    writeFileSync(python, `#!/bin/sh\nwhile [ ! -e ${path('ready')} ]; do sleep 0.01; done\nexec python3 "$@"\n`);
    chmodSync(python, 0o755);
    await load({ python });
    const statuses = red.statuses('run');
    release('a');
    red.send('run', { payload: path('a') });
    const status = await statuses.find(({ text }) => text === 'starting');
    assert.deepEqual([status.fill, status.shape], ['yellow', 'ring']);
    release('ready');
    await statuses.find(({ fill }) => fill === 'green');
  });

  it('is a yellow ring when the queue is full, until the next success', async () => {
    await load({ queueLimit: '2' });
    const statuses = red.statuses('run');
    for (const name of ['a', 'b', 'c']) red.send('run', { payload: path(name) });
    const status = await statuses.find(({ text }) => text === 'full: 2 queued');
    assert.deepEqual([status.fill, status.shape], ['yellow', 'ring']);
    for (const name of ['a', 'b']) release(name);
    await statuses.find(({ fill }) => fill === 'green');
  });

  it('is a yellow ring while messages wait for room', async () => {
    await load({ queueLimit: '2', whenFull: 'block' });
    const statuses = red.statuses('run');
    for (const name of ['a', 'b']) red.send('run', { payload: path(name) });
    await statuses.find(({ text }) => text === '1 running, 1 queued');
    red.send('run', { payload: path('c') });
    const status = await statuses.find(({ text }) => text === 'full: 3 queued');
    assert.deepEqual([status.fill, status.shape], ['yellow', 'ring']);
    for (const name of ['a', 'b', 'c']) release(name);
    await statuses.find(({ fill }) => fill === 'green');
  });

  it('is a yellow ring with the state of the task when its result was asked for too early', async () => {
    await load({}, run({ ...passingTheId, wires: [['get']] }), getResult());
    const statuses = red.statuses('get');
    red.send('run', { payload: path('a') });
    const status = await statuses.find(({ text }) => /^pending: [a-z-]+$/.test(text ?? ''));
    assert.deepEqual([status.fill, status.shape], ['yellow', 'ring']);
  });

  it('is a red ring as soon as its client cannot open, without a message', async () => {
    await load({ python: '/nowhere' });
    await red.statuses('run').find(({ text }) => text === 'failed: PYTHON_NOT_FOUND');
  });

  it('is a grey ring without a client', async () => {
    const statuses = red.statuses('run');
    await load({}, run({ client: 'gone' }));
    assert.deepEqual(statuses.items, [{ fill: 'grey', shape: 'ring', text: 'no client' }]);
  });

  it('reaches Status nodes', async () => {
    const watcher = { ...placed('status', 'watcher'), scope: null, wires: [['seen']] };
    await red.load([...surroundings(), sink('seen'), watcher, pythonFunction(WHEN), run()]);
    red.send('run', { payload: path('a') });
    const { status } = (await red.inbox('seen').first()) as { status: { text: string; source: { id: string } } };
    assert.equal(status.source.id, 'run');
  });

  it('changes at most twice a second, whatever comes in', async () => {
    await load({}, run({ message: 'x', messageType: 'msg' }));
    const statuses = red.statuses('run');
    for (let i = 0; statuses.items.length < 4; i++) {
      release(`x${i}${i % 2 ? 'bad' : ''}`);
      red.send('run', { x: path(`x${i}${i % 2 ? 'bad' : ''}`) });
      const { out, caught } = red;
      await Promise.race([out.take(out.items.length + 1), caught.take(caught.items.length + 1)]);
    }
    // Timers of Node.js may be a millisecond early.
    const { times } = statuses;
    for (const [i, time] of times.entries()) assert.ok(i === 0 || time - (times[i - 1] ?? 0) > 495);
  });

  it('is cleared when the node is closed', async () => {
    await load();
    const statuses = red.statuses('run');
    await red.deploy([...surroundings({ workers: '1' }), pythonFunction(WHEN)], 'nodes');
    assert.deepEqual(statuses.items.at(-1), {});
  });
});
