import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { once } from '../storage/scratch.js';
import { OWNER, Scene, turns, until } from './fixture.js';

const LARGE = { payload: 'x'.repeat(10_000) };

describe('the ledger on a full disk', () => {
  let scene: Scene;
  let disk: string;

  beforeEach(async function () {
    scene = new Scene();
    scene.stand.holding = true;
    disk = path.join(scene.scratch.directory, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'funcx-test', disk], { stdio: 'ignore' });
    } catch {
      this.skip(); // This process may not mount a disk of one megabyte.
    }
    scene.file = path.join(disk, 'ledger.db');
    await scene.open();
    scene.submit('before', {}, 'away');
    await scene.quiet();
    fill();
  });
  afterEach(async () => {
    await scene.client?.close().catch(() => {});
    await scene.store?.close().catch(() => {});
    try {
      execFileSync('umount', ['--lazy', disk], { stdio: 'ignore' });
    } catch {
      // It was not mounted.
    }
    await scene.clean();
  });

  function fill(): void {
    try {
      writeFileSync(path.join(disk, 'filler'), Buffer.alloc(2_000_000));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }

  const free = () => rmSync(path.join(disk, 'filler'));

  it('lets what is accepted flow, submitted and sent on', async () => {
    const inbox = scene.serve();
    const failing = once(scene.store, 'failing');
    for (let i = 0; i < 20; i++) scene.submit(i, {}, OWNER, LARGE as never);
    await failing;
    for (let i = 20; i < 40; i++) scene.submit(i, {}, OWNER, LARGE as never);
    await until(() => scene.stand.open.length === 41);
    await turns();
    scene.stand.end();
    await inbox.take(40);
    assert.equal(inbox.outcomes.length, 40);
    assert.equal(scene.ledger.size, 1);
  });

  it('says that what is accepted is not kept', async () => {
    scene.submit(1, {}, OWNER, LARGE as never);
    for (let i = 0; i < 10; i++) scene.submit(i, {}, OWNER, { ...LARGE } as never);
    await assert.rejects(scene.ledger.durable(), { code: 'STORE_FAILED', message: /full/ });
    assert.match(String(scene.store.failure), /full/);
  });

  it('has everything on disk once there is room, and nothing that has ended meanwhile', async () => {
    const inbox = scene.serve();
    const failing = once(scene.store, 'failing');
    for (let i = 0; i < 20; i++) scene.submit(i, {}, OWNER, { ...LARGE } as never);
    await failing;
    await until(() => scene.stand.open.length === 21);
    await turns();
    scene.stand.end(scene.stand.open.filter(({ args }) => typeof args[0] === 'number' && args[0] < 15));
    await inbox.take(15);
    const recovered = once(scene.store, 'recovered');
    free();
    await recovered;
    await scene.store.flush();
    scene.freeze();
    await scene.crash();
    await scene.open();
    const [away, left] = [scene.serve('away'), scene.serve()];
    scene.stand.end();
    await away.take(1);
    await left.take(5);
    await turns();
    assert.deepEqual(left.outcomes.sort(), [15, 16, 17, 18, 19]);
  });

  it('can be closed, which says what could not be saved, and has kept what it had', async () => {
    for (let i = 0; i < 20; i++) scene.submit(i, {}, OWNER, { ...LARGE } as never);
    await assert.rejects(scene.client.close(), { code: 'STORE_FAILED' });
    await assert.rejects(scene.store.close(), { code: 'STORE_FAILED' });
    free();
    await scene.open();
    const away = scene.serve('away');
    scene.stand.end();
    await away.take(1);
    assert.deepEqual(away.outcomes, ['before']);
  });
});

describe('the ledger in a file that is lost while it is open', () => {
  let scene: Scene;
  let worker: Worker;

  beforeEach(async () => {
    scene = new Scene();
    scene.stand.holding = true;
    process.once('worker', (started) => {
      worker = started;
    });
    await scene.open();
  });
  afterEach(() => scene.clean());

  it('writes what is open into the new one', async () => {
    scene.store.on('refused', () => {}); // What was on its way finds no table.
    scene.submit('before');
    await scene.quiet();
    const damaged = once(scene.store, 'damaged');
    const recovered = once(scene.store, 'recovered');
    scene.store.once('failing', () => {
      rmSync(`${scene.store.file}-wal`, { force: true });
      writeFileSync(scene.store.file, 'overwritten'.repeat(1_000));
    });
    const failing = once(scene.store, 'failing');
    void worker.terminate();
    await failing;
    scene.submit('meanwhile');
    await damaged;
    await recovered;
    scene.submit('after');
    await scene.quiet();
    await scene.quiet();
    await scene.restartAfterCrash();
    const inbox = scene.serve();
    await turns();
    scene.stand.end();
    await inbox.take(3);
    assert.deepEqual(inbox.outcomes.sort(), ['after', 'before', 'meanwhile']);
    assert.equal(scene.stand.tasks.size, 3);
  });
});
