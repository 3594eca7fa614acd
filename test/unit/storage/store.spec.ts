import assert from 'node:assert/strict';
import { once as onceEvent } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { joined, type Store, StoreFailed, type Write } from '../../../dist/lib/storage/index.js';
import { startChild } from './child.js';
import { drivers, INSERT_NOTE, LONG_QUERY, once, Scratch } from './scratch.js';

for (const driver of drivers) {
  describe(`Store on ${driver}`, () => {
    let scratch: Scratch;
    let store: Store;

    beforeEach(async () => {
      scratch = new Scratch();
      store = await scratch.open({ driver });
    });
    afterEach(() => scratch.clean());

    describe('values', () => {
      const values: [string, unknown, unknown?][] = [
        ['null', null],
        ['zero', 0],
        ['the largest safe integer', Number.MAX_SAFE_INTEGER],
        ['the smallest 64-bit integer', -(2n ** 63n)],
        ['the first integer a number cannot hold', 2n ** 53n + 1n],
        ['a small bigint, as a number', 12n, 12],
        ['a fraction', 0.1],
        ['a number of 300 digits', 1e300],
        ['empty text', ''],
        ['text of several scripts', 'Grüße, 世界 🌍'],
        ['no bytes', new Uint8Array(0)],
        ['a megabyte', new Uint8Array(1_000_000).fill(7)],
        ['a slice of a larger buffer', new Uint8Array(Buffer.from('abcdef').subarray(2, 4))],
      ];
      for (const [name, value, expected = value] of values) {
        it(`keeps ${name}`, async () => {
          store.write('CREATE TABLE kept (value ANY) STRICT');
          store.write('INSERT INTO kept VALUES (?)', [value as null]);
          assert.deepEqual(await store.all('SELECT value FROM kept'), [{ value: expected }]);
        });
      }

      it('keeps whole numbers whole, so that text made of one is the same with every driver', async () => {
        store.write(INSERT_NOTE, [1, 'a']);
        assert.deepEqual(await store.get("SELECT typeof(?) AS type, ? || '' AS text", [7, 7]), {
          type: 'integer',
          text: '7',
        });
      });

      it('takes a copy of a view into a buffer that others use, not the buffer', async () => {
        const shared = Buffer.from('xxkeptxx');
        store.write('CREATE TABLE kept (value BLOB)');
        store.write('INSERT INTO kept VALUES (?)', [shared.subarray(2, 6)]);
        await store.committed();
        assert.equal(shared.toString(), 'xxkeptxx');
        const row = await store.get('SELECT value FROM kept');
        assert.equal(Buffer.from(row?.value as Uint8Array).toString(), 'kept');
      });

      for (const size of [9, 300_000]) {
        it(`keeps ${size} bytes that were joined from parts`, async () => {
          const parts = [Buffer.alloc(size / 3, 1), new Uint8Array(0), Buffer.alloc((size * 2) / 3, 2)];
          store.write('CREATE TABLE kept (value BLOB)');
          store.write('INSERT INTO kept VALUES (?)', [joined(parts)]);
          await store.committed();
          const row = await store.get('SELECT value FROM kept');
          assert.deepEqual(Buffer.from(row?.value as Uint8Array), Buffer.concat(parts));
        });
      }

      const refused: [string, unknown][] = [
        ['undefined', undefined],
        ['a boolean', true],
        ['an object', {}],
        ['NaN', Number.NaN],
        ['an integer over 64 bits', 2n ** 63n],
        ['text with a NUL', 'a\0b'],
      ];
      for (const [name, value] of refused) {
        it(`refuses ${name} where it is written, naming the statement`, async () => {
          const expected = { code: 'BAD_INPUT', message: /Parameter 2 of "INSERT INTO notes/ };
          assert.throws(() => store.write(INSERT_NOTE, [1, value as null]), expected);
          await assert.rejects(store.all(INSERT_NOTE, [1, value as null]), expected);
          assert.deepEqual(await store.all('SELECT * FROM notes'), []);
        });
      }
    });

    describe('reads', () => {
      it('see what was written before, without waiting for the window', async () => {
        await store.close();
        store = await scratch.open({ driver, commitWindowMs: 1_000 });
        store.write(INSERT_NOTE, [1, 'one']);
        const read = store.all('SELECT * FROM notes');
        store.write(INSERT_NOTE, [2, 'two']);
        assert.deepEqual(await read, [{ id: 1, text: 'one' }]);
      });

      it('give the first row, or undefined', async () => {
        store.write(INSERT_NOTE, [1, 'one']);
        store.write(INSERT_NOTE, [2, 'two']);
        assert.deepEqual(await store.get('SELECT id FROM notes ORDER BY id DESC'), { id: 2 });
        assert.equal(await store.get('SELECT id FROM notes WHERE id = ?', [3]), undefined);
      });

      it('reject with the fault of their SQL, and the next one works', async () => {
        await assert.rejects(store.all('SELECT * FROM nowhere'), {
          code: 'STORE_FAILED',
          message: /test\.db.*no such table: nowhere \(in "SELECT \* FROM nowhere"\)/,
        });
        assert.deepEqual(await store.all('SELECT 1 AS one'), [{ one: 1 }]);
        assert.equal(store.failure, undefined);
      });

      it('find words with FTS5', async () => {
        store.write('CREATE VIRTUAL TABLE functions USING fts5(name, description)');
        store.write('INSERT INTO functions VALUES (?, ?)', ['hello', 'Says hello to the world']);
        store.write('INSERT INTO functions VALUES (?, ?)', ['pi', 'Estimates pi']);
        assert.deepEqual(await store.all("SELECT name FROM functions WHERE functions MATCH 'estim*'"), [
          { name: 'pi' },
        ]);
      });
    });

    describe('group commit', () => {
      it('runs statements in the order they were written', async () => {
        store.write(INSERT_NOTE, [1, 'first']);
        store.write("UPDATE notes SET text = text || ' second' WHERE id = ?", [1]);
        store.write("UPDATE notes SET text = text || ' third' WHERE id = ?", [1]);
        assert.deepEqual(await store.get('SELECT text FROM notes'), { text: 'first second third' });
      });

      it('asks contributors for what is dirty when the group is sent', async () => {
        const dirty = new Map([[1, 'old']]);
        store.writer((write) => {
          for (const [id, text] of dirty) write(INSERT_NOTE, [id, text]);
          dirty.clear();
        });
        store.touch();
        dirty.set(1, 'new');
        await store.committed();
        assert.deepEqual(await store.all('SELECT * FROM notes'), [{ id: 1, text: 'new' }]);
      });

      it('never writes what began and ended between two commits', async () => {
        const dirty = new Map<number, string>();
        store.writer((write) => {
          for (const [id, text] of dirty) write(INSERT_NOTE, [id, text]);
          dirty.clear();
        });
        await store.all('SELECT 1');
        const size = statSync(`${store.file}-wal`).size;
        for (let id = 0; id < 100; id++) {
          dirty.set(id, 'begun');
          store.touch();
          dirty.delete(id);
        }
        await store.committed();
        assert.equal(statSync(`${store.file}-wal`).size, size, 'nothing went to the log');
        assert.deepEqual(await store.all('SELECT * FROM notes'), []);
      });

      it('asks a contributor no more once it is taken off', async () => {
        let asked = 0;
        const off = store.writer(() => {
          asked += 1;
        });
        store.touch();
        await store.committed();
        off();
        store.touch();
        await store.committed();
        assert.equal(asked, 1);
      });

      it('puts what a contributor writes to the store itself into the next group', async () => {
        const off = store.writer(() => {
          off();
          store.write("UPDATE notes SET text = 'that' WHERE id = 1");
          void store.flush();
        });
        store.write(INSERT_NOTE, [1, 'this']);
        await store.flush();
        await store.committed();
        assert.deepEqual(await store.all('SELECT text FROM notes'), [{ text: 'that' }]);
      });

      it('keeps at most two groups with a busy thread, and gathers the rest in one', async () => {
        const groups: number[] = [];
        let id = 0;
        store.writer((write) => {
          groups.push(id);
          write(INSERT_NOTE, [id, 'latest']);
        });
        const busy = store.all(LONG_QUERY);
        const durable: Promise<void>[] = [];
        for (id = 1; id <= 10; id++) {
          store.touch();
          durable.push(store.flush());
        }
        await Promise.all([busy, ...durable]);
        assert.deepEqual(groups, [1, 2, 11]);
        assert.deepEqual(await store.all('SELECT id FROM notes'), [{ id: 1 }, { id: 2 }, { id: 11 }]);
      });

      it('leaves the event loop free while the thread is busy', async () => {
        let turns = 0;
        let running = true;
        const turn = () => {
          turns += 1;
          if (running) setImmediate(turn);
        };
        setImmediate(turn);
        store.write(INSERT_NOTE, [1, 'one']);
        const [count] = await Promise.all([store.get(LONG_QUERY), store.committed()]);
        running = false;
        assert.deepEqual(count, { count: 1_000_000 });
        assert.ok(turns > 10, `${turns} turns of the loop`);
      });

      it('leaves out a statement that can never succeed, keeps the others, and says so', async () => {
        const refused = once(store, 'refused');
        store.write(INSERT_NOTE, [1, 'one']);
        store.write(INSERT_NOTE, [1, 'one again']);
        store.write(INSERT_NOTE, [2, 'two']);
        await assert.rejects(store.committed(), {
          code: 'STORE_FAILED',
          message: /"INSERT INTO notes .* was refused: UNIQUE constraint failed: notes\.id/,
        });
        assert.ok((await refused) instanceof StoreFailed);
        assert.deepEqual(await store.all('SELECT id FROM notes'), [{ id: 1 }, { id: 2 }]);
        store.write(INSERT_NOTE, [3, 'three']);
        await store.committed();
      });

      it('refuses a group whose deferred constraint fails, and goes on with the next', async () => {
        store.on('refused', () => undefined);
        store.write('CREATE TABLE replies (note INTEGER REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED)');
        await store.committed();
        store.write('INSERT INTO replies VALUES (?)', [99]);
        await assert.rejects(store.committed(), /FOREIGN KEY constraint failed; no row of the group is kept/);
        store.write(INSERT_NOTE, [1, 'one']);
        await store.committed();
        assert.deepEqual(await store.all('SELECT * FROM replies'), []);
      });

      it('tells who waits when a contributor throws, and asks the others all the same', async () => {
        const refused = once(store, 'refused');
        const off = store.writer(() => {
          throw new Error('no rows for you');
        });
        store.writer((write) => write('INSERT OR IGNORE INTO notes VALUES (1, ?)', ['from the other']));
        store.touch();
        await assert.rejects(store.committed(), {
          code: 'STORE_FAILED',
          message: /contributor threw: no rows for you/,
        });
        assert.match(String(await refused), /no rows for you/);
        off();
        assert.deepEqual(await store.all('SELECT id FROM notes'), [{ id: 1 }]);
      });

      it('lets no contributor write once its group is sent', async () => {
        let kept: Write = () => undefined;
        store.writer((write) => {
          kept = write;
        });
        store.touch();
        await store.committed();
        assert.throws(() => kept(INSERT_NOTE, [1, 'late']), { code: 'BAD_INPUT', message: /after its group was sent/ });
      });

      it('keeps working with more texts of SQL than it keeps prepared', async () => {
        for (let id = 1; id <= 300; id++) store.write(`INSERT INTO notes VALUES (${id}, ?)`, ['x']);
        for (let id = 1; id <= 300; id++) store.write(`UPDATE notes SET text = ? WHERE id = ${id}`, ['y']);
        assert.deepEqual(await store.get("SELECT count(*) AS count FROM notes WHERE text = 'y'"), { count: 300 });
      });
    });

    describe('close', () => {
      it('commits what is left, and leaves one file', async () => {
        store.write(INSERT_NOTE, [1, 'last']);
        await store.close();
        for (const suffix of ['-wal', '-shm', '.lock', '.pid']) assert.ok(!existsSync(store.file + suffix), suffix);
        store = await scratch.open({ driver });
        assert.deepEqual(await store.all('SELECT * FROM notes'), [{ id: 1, text: 'last' }]);
      });

      it('can be called twice, and answers the reads made before', async () => {
        const read = store.all('SELECT 1 AS one');
        await Promise.all([store.close(), store.close()]);
        await store.close();
        assert.deepEqual(await read, [{ one: 1 }]);
      });

      it('refuses everything after it', async () => {
        await store.close();
        const closed = { code: 'CLOSED', message: /test\.db is closed/ };
        assert.throws(() => store.write(INSERT_NOTE, [1, 'late']), closed);
        assert.throws(() => store.touch(), closed);
        assert.throws(() => store.writer(() => undefined), closed);
        await assert.rejects(store.committed(), closed);
        await assert.rejects(store.flush(), closed);
        await assert.rejects(store.all('SELECT 1'), closed);
      });
    });
  });
}

describe('Store', () => {
  it('does not keep a program running that has nothing left to write, and prints nothing', async () => {
    const scratch = new Scratch();
    try {
      const child = startChild('idle-child', [scratch.file], { stderr: 'pipe' });
      const printed = child.stderr ? text(child.stderr) : undefined;
      assert.deepEqual(await onceEvent(child, 'exit'), [0, null]);
      assert.equal(await printed, '');
      const store = await scratch.open();
      assert.deepEqual(await store.all('SELECT * FROM notes'), [{ id: 1, text: 'written before the end' }]);
    } finally {
      await scratch.clean();
    }
  });

  it('refuses options of the wrong kind', async () => {
    const scratch = new Scratch();
    try {
      await assert.rejects(scratch.open({ file: '' }), { code: 'BAD_INPUT' });
      await assert.rejects(scratch.open({ commitWindowMs: -1 }), {
        code: 'BAD_INPUT',
        message: /commitWindowMs is -1/,
      });
      await assert.rejects(scratch.open({ driver: 'pg' as 'wasm' }), { code: 'BAD_INPUT', message: /is "pg"/ });
    } finally {
      await scratch.clean();
    }
  });
});
