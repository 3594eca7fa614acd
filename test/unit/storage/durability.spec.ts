import assert from 'node:assert/strict';
import type { DriverName } from '../../../dist/lib/storage/index.js';
import { kill, startChild } from './child.js';
import { drivers, INSERT_NOTE, Scratch } from './scratch.js';
import { ROWS_OF_A_GROUP, WRITTEN } from './writing-child.js';

/** Lets a child write until it has confirmed `batches`, kills it, and gives the last one it confirmed. */
async function killedWhileWriting(file: string, driver: DriverName, batches: number): Promise<number> {
  const child = startChild('writing-child', [file, driver]);
  let last = 0;
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the child ended by itself (${code})`)));
    child.on('message', (batch) => {
      last = Number(batch);
      if (last >= batches) resolve();
    });
  });
  await kill(child);
  return last;
}

describe('durability', () => {
  let scratch: Scratch;

  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(() => scratch.clean());

  for (const writer of drivers) {
    for (const reader of drivers) {
      // The larger one is past the first time that the log is written back into the file (1,000 pages).
      for (const batches of [1, 200]) {
        it(`what ${writer} confirmed is there for ${reader} after kill -9, whole groups only (${batches})`, async () => {
          const confirmed = await killedWhileWriting(scratch.file, writer, batches);
          const store = await scratch.open({
            driver: reader,
            migrations: [WRITTEN],
            onDamaged: () => assert.fail('it was taken for damaged'),
          });
          const rows = await store.all('SELECT batch, count(*) AS count FROM written GROUP BY batch ORDER BY batch');
          assert.ok(rows.length >= confirmed, `${rows.length} groups, ${confirmed} were confirmed`);
          rows.forEach(({ batch, count }, i) => {
            assert.deepEqual([batch, count], [i + 1, ROWS_OF_A_GROUP]);
          });
          assert.deepEqual(await store.all('PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
        }).timeout(20_000);
      }
    }
  }

  for (const writer of drivers) {
    for (const reader of drivers) {
      it(`a file closed by ${writer} opens with ${reader}`, async () => {
        let store = await scratch.open({ driver: writer });
        store.write(INSERT_NOTE, [1, 'Grüße']);
        await store.close();
        store = await scratch.open({ driver: reader });
        store.write(INSERT_NOTE, [2, 'back']);
        assert.deepEqual(await store.all('SELECT * FROM notes'), [
          { id: 1, text: 'Grüße' },
          { id: 2, text: 'back' },
        ]);
      });
    }

    it(`${writer} syncs each commit to the disk, through a log, and locks the file for itself`, async () => {
      const store = await scratch.open({ driver: writer });
      assert.deepEqual(await store.get('PRAGMA journal_mode'), { journal_mode: 'wal' });
      assert.deepEqual(await store.get('PRAGMA synchronous'), { synchronous: 2 });
      assert.deepEqual(await store.get('PRAGMA locking_mode'), { locking_mode: 'exclusive' });
    });
  }
});
