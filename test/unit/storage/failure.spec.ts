import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { DRIVER_VARIABLE, type Store, StoreFailed } from '../../../dist/lib/storage/index.js';
import { drivers, INSERT_NOTE, LONG_QUERY, NOTES, once, Scratch } from './scratch.js';

/** A disk of one megabyte, where this process may mount one. */
class TinyDisk {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'funcx-test', directory], { stdio: 'ignore' });
  }

  get file(): string {
    return path.join(this.directory, 'test.db');
  }

  /** Leaves not one free page. */
  fill(): void {
    try {
      writeFileSync(path.join(this.directory, 'filler'), Buffer.alloc(2_000_000));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }

  free(): void {
    rmSync(path.join(this.directory, 'filler'));
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.directory]);
  }
}

for (const driver of drivers) {
  describe(`failures, with ${driver}`, () => {
    let scratch: Scratch;

    beforeEach(() => {
      scratch = new Scratch();
    });
    afterEach(() => scratch.clean());

    describe('of a full disk', () => {
      let disk: TinyDisk;
      let store: Store;

      beforeEach(async function () {
        try {
          disk = new TinyDisk(path.join(scratch.directory, 'disk'));
        } catch {
          this.skip();
        }
        store = await scratch.open({ file: disk.file, driver });
        store.write(INSERT_NOTE, [1, 'before']);
        await store.committed();
        disk.fill();
      });
      afterEach(async () => {
        await store.close().catch(() => undefined);
        disk.unmount();
      });

      function writeMuch(): void {
        for (let id = 2; id <= 50; id++) store.write(INSERT_NOTE, [id, 'x'.repeat(1_000)]);
      }

      it('are told to everyone who waits, with the file and the reason', async () => {
        const failing = once(store, 'failing');
        writeMuch();
        const expected = { code: 'STORE_FAILED', message: /disk\/test\.db failed: .*the disk is full/ };
        await Promise.all([
          assert.rejects(store.committed(), expected),
          assert.rejects(store.flush(), expected),
          assert.rejects(store.all('SELECT * FROM notes'), expected),
        ]);
        assert.ok((await failing) instanceof StoreFailed);
        assert.equal(store.failure, await failing);
        store.write(INSERT_NOTE, [100, 'later']);
        await assert.rejects(store.committed(), expected);
        await assert.rejects(store.get('SELECT 1'), expected);
      });

      it('lose nothing: once there is room, everything is durable, in order, and the store says so', async () => {
        let failures = 0;
        let asked = 0;
        const dirty = new Map([[200, 'contributed']]);
        store.on('failing', () => {
          failures += 1;
        });
        store.writer((write) => {
          asked += 1;
          for (const [id, text] of dirty) write(INSERT_NOTE, [id, text]);
          dirty.clear();
        });
        const failing = once(store, 'failing');
        writeMuch();
        store.write("UPDATE notes SET text = 'changed' WHERE id = 2");
        await failing;
        assert.equal(asked, 1);
        dirty.set(201, 'contributed while failing');
        store.write('DELETE FROM notes WHERE id = 3');
        store.touch();

        const recovered = once(store, 'recovered');
        disk.free();
        await recovered;
        assert.equal(store.failure, undefined);
        await store.committed();
        assert.equal(failures, 1);
        assert.deepEqual(await store.all('SELECT id FROM notes WHERE id >= 200'), [{ id: 200 }, { id: 201 }]);
        assert.deepEqual(await store.get('SELECT text FROM notes WHERE id = 2'), { text: 'changed' });
        assert.deepEqual(await store.get('SELECT count(*) AS count FROM notes'), { count: 51 });
        assert.deepEqual(await store.get('PRAGMA integrity_check'), { integrity_check: 'ok' });
      });

      it('let the store close, which says how much could not be saved and keeps what was durable', async () => {
        writeMuch();
        await assert.rejects(store.close(), {
          code: 'STORE_FAILED',
          message: /closed with writes that could not be saved \(49\): .*the disk is full/,
        });
        disk.free();
        store = await scratch.open({ file: disk.file, driver });
        assert.deepEqual(await store.all('SELECT id FROM notes'), [{ id: 1 }]);
      });

      it('are got over in closing when there is room by then', async () => {
        const failing = once(store, 'failing');
        writeMuch();
        await failing;
        disk.free();
        await store.close();
        store = await scratch.open({ file: disk.file, driver });
        assert.deepEqual(await store.get('SELECT count(*) AS count FROM notes'), { count: 50 });
      });

      it('make a bounded memory refuse more, naming the reason', async () => {
        const failing = once(store, 'failing');
        writeMuch();
        await failing;
        const large = new Uint8Array(100_000_000);
        assert.throws(
          () => {
            for (let id = 300; id < 310; id++) store.write('INSERT INTO notes VALUES (?, ?)', [id, large]);
          },
          { code: 'QUEUE_FULL', message: /takes no more until the disk catches up: .*the disk is full/ },
        );
      });
    });

    it('of a file that may not grow are failures of the disk', async () => {
      const store = await scratch.open({ driver, migrations: [`${NOTES}; PRAGMA max_page_count = 10`] });
      for (let id = 1; id <= 100; id++) store.write(INSERT_NOTE, [id, 'x'.repeat(1_000)]);
      await assert.rejects(store.committed(), { code: 'STORE_FAILED', message: /database or disk is full/ });
      await assert.rejects(store.close(), /closed with writes that could not be saved \(100\)/);
    });

    describe('of the thread', () => {
      let store: Store;
      let worker: Worker;

      beforeEach(async () => {
        process.once('worker', (started) => {
          worker = started;
        });
        store = await scratch.open({ driver });
        store.write(INSERT_NOTE, [1, 'before']);
        await store.committed();
      });

      it('are told, and a new thread takes up what was not durable', async () => {
        const failing = once(store, 'failing');
        const recovered = once(store, 'recovered');
        const expected = { code: 'STORE_FAILED', message: /its thread ended/ };
        const reading = store.get(LONG_QUERY);
        store.write(INSERT_NOTE, [2, 'in flight']);
        const told = Promise.all([
          assert.rejects(reading, expected),
          assert.rejects(store.flush(), expected),
          assert.rejects(store.get('SELECT 1'), expected),
        ]);
        void worker.terminate();
        await told;
        await failing;
        store.write(INSERT_NOTE, [3, 'meanwhile']);
        await recovered;
        await store.committed();
        assert.deepEqual(await store.all('SELECT id FROM notes'), [{ id: 1 }, { id: 2 }, { id: 3 }]);
      });

      it('never run a group twice, wherever in a commit the thread ended', async () => {
        store.on('refused', assert.fail);
        for (let round = 2; round <= 20; round++) {
          const recovered = once(store, 'recovered');
          store.write(INSERT_NOTE, [round, 'once']);
          store.write('UPDATE notes SET text = ? || text WHERE id = 1', ['+']);
          const told = store.flush().catch(() => 'told');
          // Each round ends it a little later in the commit.
          for (let spin = 0; spin < round * 20_000; spin++) Math.sqrt(spin);
          const next = new Promise<void>((resolve) => {
            process.once('worker', (started) => {
              worker = started;
              resolve();
            });
          });
          await worker.terminate();
          await Promise.all([told, next, recovered]);
        }
        assert.deepEqual(await store.get('SELECT count(*) AS count FROM notes'), { count: 20 });
        assert.deepEqual(await store.get('SELECT text FROM notes WHERE id = 1'), { text: `${'+'.repeat(19)}before` });
      }).timeout(20_000);

      it('are got over also when there was nothing to write', async () => {
        const failing = once(store, 'failing');
        const recovered = once(store, 'recovered');
        worker.postMessage({ kind: 'group', number: 0, epoch: 0 });
        assert.match(String(await failing), /its thread ended: .*undefined/);
        await recovered;
        assert.deepEqual(await store.all('SELECT id FROM notes'), [{ id: 1 }]);
      });

      it('do not make a new file where the old one has vanished, until it is back, and are told once', async () => {
        let failures = 0;
        store.on('failing', () => {
          failures += 1;
        });
        const failing = once(store, 'failing');
        const away = `${store.file}.away`;
        for (const suffix of ['', '-wal']) renameSync(store.file + suffix, away + suffix);
        void worker.terminate();
        await failing;
        store.write(INSERT_NOTE, [2, 'meanwhile']);
        await new Promise((resolve) => process.once('worker', (second) => second.once('message', resolve)));
        // The store hears of the refusal in the same turn of the loop.
        await new Promise(setImmediate);
        assert.ok(!existsSync(store.file));
        assert.match(store.failure?.message ?? '', /vanished while it was open/);
        for (const suffix of ['', '-wal']) renameSync(away + suffix, store.file + suffix);
        await once(store, 'recovered');
        assert.equal(failures, 1);
        await store.committed();
        assert.deepEqual(await store.all('SELECT id FROM notes'), [{ id: 1 }, { id: 2 }]);
      });

      it('that damaged the file are told, and the file is kept', async () => {
        const damaged = once(store, 'damaged');
        const recovered = once(store, 'recovered');
        store.once('failing', () => {
          rmSync(`${store.file}-wal`, { force: true });
          writeFileSync(store.file, 'overwritten'.repeat(1_000));
        });
        void worker.terminate();
        await once(store, 'failing');
        store.write(INSERT_NOTE, [2, 'meanwhile']);
        const { movedTo } = (await damaged) as { movedTo: string };
        assert.ok(existsSync(movedTo));
        await recovered;
        await store.committed();
        assert.deepEqual(await store.all('SELECT id FROM notes'), [{ id: 2 }]);
      });

      it('that keep it from ending do not hold up the store, whose file is closed', async () => {
        await store.close();
        // Node gives a thread that has ended the id -1.
        assert.notEqual(worker.threadId, -1);
        store = await scratch.open({ driver });
        assert.deepEqual(await store.all('SELECT id FROM notes'), [{ id: 1 }]);
      });

      it('let the store close', async () => {
        const failing = once(store, 'failing');
        void worker.terminate();
        await failing;
        store.write(INSERT_NOTE, [2, 'last']);
        await store.close();
        store = await scratch.open({ driver });
        assert.deepEqual(await store.all('SELECT id FROM notes'), [{ id: 1 }, { id: 2 }]);
      });
    });
  });
}

describe('the choice of the driver', () => {
  let scratch: Scratch;

  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(async () => {
    delete process.env[DRIVER_VARIABLE];
    await scratch.clean();
  });

  it('is node:sqlite where this Node has it', async () => {
    assert.equal((await scratch.open()).driver, drivers[0]);
  });

  it('can be forced from outside, and by an option before that', async () => {
    process.env[DRIVER_VARIABLE] = 'wasm';
    let store = await scratch.open();
    assert.equal(store.driver, 'wasm');
    await store.close();
    process.env[DRIVER_VARIABLE] = 'oracle';
    await assert.rejects(scratch.open(), { code: 'BAD_INPUT', message: /is "oracle"; expected "node" or "wasm"/ });
    store = await scratch.open({ driver: 'wasm' });
    assert.equal(store.driver, 'wasm');
  });
});
