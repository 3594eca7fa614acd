import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { openDatabase } from '../../../dist/lib/storage/database.js';
import { type Damage, StoreLocked } from '../../../dist/lib/storage/index.js';
import { drivers, INSERT_NOTE, NOTES, Scratch } from './scratch.js';

for (const driver of drivers) {
  describe(`a damaged file, with ${driver}`, () => {
    let scratch: Scratch;
    const damages: Damage[] = [];

    beforeEach(() => {
      scratch = new Scratch();
      damages.length = 0;
    });
    afterEach(() => scratch.clean());

    /** Opens it, and checks that what was there is kept beside a new, empty and working file. */
    async function openDamaged(reason: RegExp): Promise<Damage> {
      const before = readFileSync(scratch.file);
      const store = await scratch.open({ driver, onDamaged: (damage) => damages.push(damage) });
      const [damage] = damages;
      assert.ok(damage);
      assert.equal(damages.length, 1);
      assert.equal(damage.file, store.file);
      assert.match(damage.movedTo, /test\.db\.damaged-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/);
      assert.match(damage.reason, reason);
      assert.deepEqual(readFileSync(damage.movedTo), before);
      assert.deepEqual(await store.all('SELECT * FROM notes'), []);
      store.write(INSERT_NOTE, [1, 'new']);
      await store.committed();
      return damage;
    }

    async function writeNotes(count: number): Promise<void> {
      const store = await scratch.open({ driver });
      for (let id = 1; id <= count; id++) store.write(INSERT_NOTE, [id, 'x'.repeat(1_000)]);
      await store.close();
    }

    it('that is no database is set aside', async () => {
      writeFileSync(scratch.file, 'These are not the rows you are looking for.'.repeat(100));
      await openDamaged(/file is not a database/);
    });

    it('with broken pages inside is set aside', async () => {
      await writeNotes(100);
      const descriptor = openSync(scratch.file, 'r+');
      writeSync(descriptor, Buffer.alloc(4096 * 3, 0xa5), 0, 4096 * 3, 4096 * 4);
      closeSync(descriptor);
      await openDamaged(/\w/);
    });

    it('that was cut off is set aside', async () => {
      await writeNotes(100);
      writeFileSync(scratch.file, readFileSync(scratch.file).subarray(0, 4096 * 5));
      await openDamaged(/\w/);
    });

    it('is set aside with its log', async () => {
      writeFileSync(scratch.file, 'no database'.repeat(1_000));
      writeFileSync(`${scratch.file}-wal`, 'its log');
      const { movedTo } = await openDamaged(/file is not a database/);
      assert.equal(readFileSync(`${movedTo}-wal`, 'utf8'), 'its log');
    });

    it('is told from an empty one, which is new, and from a sound one', async () => {
      writeFileSync(scratch.file, '');
      await (await scratch.open({ driver, onDamaged: () => assert.fail('it was taken for damaged') })).close();
      await scratch.open({ driver, onDamaged: () => assert.fail('it was taken for damaged') });
    });

    // node-sqlite3-wasm locks with a directory, which is taken for a stale one once the pid lock is held.
    if (driver === 'node') {
      it('is told from one that another program has open', async () => {
        const other = openDatabase(scratch.file, driver);
        try {
          other.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; ${NOTES};`);
          await assert.rejects(scratch.open({ driver }), (error) => {
            assert.ok(error instanceof StoreLocked);
            assert.match(error.message, /test\.db is open in another program/);
            return true;
          });
        } finally {
          other.close();
        }
        await scratch.open({ driver, migrations: [], onDamaged: () => assert.fail('it was taken for damaged') });
      });
    }
  });

  describe(`the schema of a file, with ${driver}`, () => {
    let scratch: Scratch;

    beforeEach(() => {
      scratch = new Scratch();
    });
    afterEach(() => scratch.clean());

    it('gets the migrations it has not had, in order', async () => {
      await (await scratch.open({ driver })).close();
      const store = await scratch.open({
        driver,
        migrations: [
          'never run again',
          'ALTER TABLE notes ADD COLUMN author TEXT',
          'CREATE INDEX a ON notes (author) -- for the list',
        ],
      });
      store.write('INSERT INTO notes (id, author) VALUES (?, ?)', [1, 'ada']);
      assert.deepEqual(await store.get('SELECT author FROM notes'), { author: 'ada' });
      assert.deepEqual(await store.get('PRAGMA user_version'), { user_version: 3 });
    });

    it('stays as it was when a migration fails, and the message says which', async () => {
      const migrations = [NOTES, 'CREATE TABLE more (id); INSERT INTO nowhere VALUES (1)'];
      await assert.rejects(scratch.open({ driver, migrations }), {
        code: 'STORE_FAILED',
        message: /migration 2 failed: no such table: nowhere/,
      });
      const store = await scratch.open({ driver });
      assert.deepEqual(await store.all("SELECT name FROM sqlite_schema WHERE name IN ('notes', 'more')"), [
        { name: 'notes' },
      ]);
      assert.deepEqual(await store.get('PRAGMA user_version'), { user_version: 1 });
    });

    it('is left untouched when it is newer than the program', async () => {
      await (await scratch.open({ driver, migrations: [NOTES, 'CREATE TABLE later (id)'] })).close();
      const before = readFileSync(scratch.file);
      const { mtimeMs } = statSync(scratch.file);
      await assert.rejects(scratch.open({ driver, onDamaged: () => assert.fail('it was taken for damaged') }), {
        code: 'STORE_FAILED',
        message: /newer version of this program .*version 2, this program knows up to 1.*; update the program/,
      });
      assert.deepEqual(readFileSync(scratch.file), before);
      assert.equal(statSync(scratch.file).mtimeMs, mtimeMs);
      assert.deepEqual(readdirSync(scratch.directory), ['test.db']);
    });
  });
}
