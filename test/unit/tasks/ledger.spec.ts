import assert from 'node:assert/strict';
import { serialize } from 'node:v8';
import { packArguments } from '../../../dist/lib/serialization/index.js';
import { ENDPOINT, FUNCTION, OWNER, Scene, shown, turns, until } from './fixture.js';

describe('the ledger', () => {
  let scene: Scene;

  beforeEach(() => {
    scene = new Scene();
    scene.stand.holding = true;
  });
  afterEach(() => scene.clean());

  /** Writes down what is done to pages from now on. */
  async function spyOnPages(): Promise<() => Promise<string[]>> {
    scene.store.write('CREATE TABLE done (what TEXT)');
    for (const what of ['INSERT', 'UPDATE', 'DELETE']) {
      scene.store.write(
        `CREATE TRIGGER on_${what} AFTER ${what} ON ledger BEGIN INSERT INTO done VALUES ('${what}'); END`,
      );
    }
    await scene.store.flush();
    return async () => (await scene.store.all('SELECT what FROM done')).map(({ what }) => String(what));
  }

  describe('of what was accepted', () => {
    it('has it on disk with the next commit: parcel, owner, deadline and arguments', async () => {
      await scene.open();
      const deadline = Date.now() + 3_600_000;
      scene.submit('an argument', { deadline, late: 'send' }, 'some-node', { _msgid: 'a', topic: 'b' } as never);
      await scene.ledger.durable();
      scene.stand.forget();

      await scene.crash();
      const ledger = await scene.openLedger();
      const [entry, ...others] = await ledger.recover({} as never);
      assert.deepEqual(others, []);
      assert.equal(entry?.owner, 'some-node');
      assert.deepEqual(entry?.parcel, { _msgid: 'a', topic: 'b' });
      assert.deepEqual(entry?.options, { deadline, late: 'send' });
      assert.equal(entry?.functionId, FUNCTION);
      assert.equal(entry?.recovered, true);
    });

    it('has it on disk before the commit window is over, without being asked', async () => {
      await scene.open();
      scene.submit(1);
      // Sees what was committed, and does not cause a commit.
      const seen = async () => {
        await scene.crash();
        await scene.openLedger();
        return (await scene.rows()).length;
      };
      await new Promise((resolve) => setTimeout(resolve, 0));
      await scene.store.committed();
      assert.equal(await seen(), 1);
    });

    it('never writes what began and ended between two commits', async () => {
      scene.commitWindowMs = 1_000;
      await scene.open();
      const done = await spyOnPages();
      scene.stand.holding = false;
      const inbox = scene.serve();
      for (let i = 0; i < 10; i++) scene.submit(i);
      scene.submitBatch([11, 12, 13]);
      await inbox.take(13);
      assert.equal(scene.ledger.size, 0);
      assert.deepEqual(await done(), []);
    });

    it('writes entries accepted together as one record, and a batch as one', async () => {
      await scene.open();
      for (let i = 0; i < 100; i++) scene.submit(i);
      await scene.store.flush();
      assert.equal((await scene.rows()).length, 1);
      scene.submitBatch(Array.from({ length: 1_000 }, (_, i) => i));
      await scene.store.flush();
      assert.equal((await scene.rows()).length, 2);
    });

    it('bounds what one record holds', async () => {
      await scene.open();
      for (let i = 0; i < 1_000; i++) scene.submit(i);
      await scene.store.flush();
      const rows = await scene.rows();
      assert.equal(rows.length, 4);
      for (const { stages } of rows) assert.ok(String(stages).length <= 2 * 256);
    });

    it('removes the record with the last of its entries', async () => {
      await scene.open();
      const inbox = scene.serve();
      for (let i = 0; i < 10; i++) scene.submit(i);
      await until(() => scene.stand.open.length === 10);
      await scene.store.flush();
      assert.equal((await scene.rows()).length, 1);
      const [last, ...others] = scene.stand.open;
      scene.stand.end(others);
      await inbox.take(9);
      assert.equal((await scene.rows()).length, 1);
      scene.stand.end([last as never]);
      await inbox.take(10);
      assert.deepEqual(await scene.rowsInTheEnd(), []);
      assert.equal(scene.ledger.size, 0);
    });

    it('marks what has ended without writing messages again, and leaves it out when little is open', async () => {
      await scene.open();
      const inbox = scene.serve();
      for (let i = 0; i < 100; i++) scene.submit(i, {}, OWNER, { filling: 'x'.repeat(1_000) } as never);
      await until(() => scene.stand.open.length === 100);
      await scene.store.flush();
      const [before] = await scene.rows();
      const done = await spyOnPages();
      scene.stand.end(scene.stand.open.slice(0, 50));
      await inbox.take(50);
      await scene.store.flush();
      assert.deepEqual(await done(), ['UPDATE']);
      assert.equal((await scene.rows())[0]?.bytes, before?.bytes);

      scene.stand.end(scene.stand.open.slice(0, 40));
      await inbox.take(90);
      await scene.store.flush();
      assert.ok(Number((await scene.rowsInTheEnd())[0]?.bytes) < Number(before?.bytes) / 5);
    });

    it('writes a large batch no more often than the service replies, however many of its calls end', async () => {
      await scene.open();
      const inbox = scene.serve();
      scene.submitBatch(Array.from({ length: 200 }, (_, i) => i));
      await until(() => scene.stand.open.length === 200);
      await scene.quiet();
      const done = await spyOnPages();
      for (let ended = 1; ended < 200; ended++) {
        scene.stand.end(scene.stand.open.slice(0, 1));
        await inbox.take(ended);
        if (ended % 20 === 0) await scene.store.flush();
      }
      assert.deepEqual(new Set(await done()), new Set(['UPDATE']));
    });

    it('keeps what waits for room, too', async () => {
      await scene.open({ inFlight: 1, queueLimit: 1, whenFull: 'block' });
      scene.submit('runs');
      scene.submit('waits for room');
      assert.equal(scene.client.counts.blocked, 1);
      await scene.ledger.durable();
      await scene.restartAfterCrash();
      const inbox = scene.serve();
      scene.stand.holding = false;
      scene.stand.end();
      await inbox.take(2);
      assert.deepEqual(inbox.outcomes.sort(), ['runs', 'waits for room']);
    });
  });

  describe('of messages', () => {
    const cases: readonly (readonly [string, unknown])[] = [
      ['text of several scripts', { payload: 'Grüße, 世界 🌍' }],
      ['bytes', { payload: Buffer.from([0, 1, 254, 255]) }],
      ['a slice of a larger buffer', { payload: Buffer.from('abcdef').subarray(2, 4) }],
      ['numbers', { payload: [Number.NaN, -0, Number.POSITIVE_INFINITY, 2 ** 53, 1e300] }],
      ['big integers', { payload: 2n ** 70n }],
      ['dates', { payload: new Date(0) }],
      ['maps and sets', { payload: new Map<unknown, unknown>([['a', new Set([1n])]]) }],
      ['undefined and null', { payload: undefined, other: null }],
      ['an error', { error: new RangeError('too much') }],
      ['typed arrays', { payload: Float32Array.from([1, 2]) }],
      ['nothing', {}],
    ];
    it('keeps them as they were', async () => {
      await scene.open();
      for (const [name, parcel] of cases) scene.submit(name, {}, OWNER, parcel as never);
      await scene.restart();
      const inbox = scene.serve();
      await until(() => scene.stand.open.length === cases.length);
      await turns();
      scene.stand.end();
      await inbox.take(cases.length);
      for (const [i, [name, parcel]] of cases.entries()) {
        assert.deepEqual(inbox.deliveries[i]?.entry.parcel, parcel, name);
      }
    });

    it('keeps a circle a circle, and one object that is in two places one object', async () => {
      await scene.open();
      const shared = { deep: true };
      const parcel: Record<string, unknown> = { one: shared, two: shared };
      parcel.self = parcel;
      scene.submit(1, {}, OWNER, parcel as never);
      await scene.restart();
      const inbox = scene.serve();
      await until(() => scene.stand.open.length > 0);
      scene.stand.end();
      const [delivery] = await inbox.take(1);
      const kept = delivery?.entry.parcel as typeof parcel;
      assert.equal(kept.self, kept);
      assert.equal(kept.one, kept.two);
      assert.deepEqual(kept.one, shared);
    });

    it('gives back in the same process what was handed in, sockets and all', async () => {
      await scene.open();
      const parcel = { payload: 1, res: { end: () => {} } };
      const inbox = scene.serve();
      scene.submit(1, {}, OWNER, parcel as never);
      await until(() => scene.stand.open.length > 0);
      await scene.store.flush();
      scene.stand.end();
      assert.equal((await inbox.take(1))[0]?.entry.parcel, parcel);
    });

    it('keeps of one that cannot be cloned what the codec makes of it, and its neighbours as they are', async () => {
      scene.codec = {
        encode: (parcel) => parcel,
        reduce: (parcel) => ({ reduced: (parcel as { payload: unknown }).payload }),
        decode: (stored) => stored,
      };
      await scene.open();
      const refused: unknown[] = [];
      scene.store.on('refused', (error) => refused.push(error));
      scene.submit(1, {}, OWNER, { payload: 'before' } as never);
      scene.submit(2, {}, OWNER, { payload: 'with a function', done: () => {} } as never);
      scene.submit(3, {}, OWNER, { payload: 'after' } as never);
      await scene.restart();
      const inbox = scene.serve();
      await until(() => scene.stand.open.length === 3);
      scene.stand.end();
      await inbox.take(3);
      assert.deepEqual(
        inbox.deliveries.map(({ entry }) => entry.parcel),
        [{ payload: 'before' }, { reduced: 'with a function' }, { payload: 'after' }],
      );
      assert.deepEqual(refused, []);
    });

    it('says so where one cannot be kept in any way, and keeps those of other records', async () => {
      scene.codec = {
        encode: (parcel) => parcel,
        reduce: (parcel) => parcel,
        decode: (stored) => stored,
      };
      await scene.open();
      const refused: Error[] = [];
      scene.store.on('refused', (error) => refused.push(error));
      scene.submit(1, {}, OWNER, { done: () => {} } as never);
      for (let i = 0; i < 256; i++) scene.submit('kept', {}, OWNER, { kept: i } as never);
      await scene.store.flush().catch(() => {});
      await turns();
      assert.match(String(refused[0]), /could not be cloned/);
      assert.equal((await scene.rows()).length, 1);
      const inbox = scene.serve();
      await until(() => scene.stand.open.length === 257);
      await turns();
      scene.stand.end();
      await inbox.take(257);
    });
  });

  describe('that cannot read a record', () => {
    async function spoil(entries: Uint8Array): Promise<void> {
      await scene.open();
      scene.submit('before');
      await scene.store.flush();
      scene.submit('spoilt');
      await scene.store.flush();
      scene.submit('after');
      await scene.quiet();
      assert.equal(scene.stand.open.length, 3);
      const rows = await scene.rows();
      assert.equal(rows.length, 3);
      scene.store.write('UPDATE ledger SET entries = ? WHERE page = ?', [entries, rows[1]?.page as number]);
      await scene.store.flush();
      await scene.restartAfterCrash();
    }

    for (const [name, entries] of [
      ['of bytes that mean nothing', Buffer.from('nothing')],
      ['that was cut', serialize({ version: 1, records: [{}] }).subarray(0, 20)],
      ['without bytes', Buffer.alloc(0)],
      ['that holds something else', serialize('else')],
    ] as const) {
      it(`${name} tells of it, leaves it and takes up the others`, async () => {
        await spoil(entries);
        assert.equal(scene.unreadable.length, 1);
        const inbox = scene.serve();
        scene.stand.end();
        await inbox.take(2);
        assert.deepEqual(inbox.outcomes, ['before', 'after']);
        const [row, ...others] = await scene.rowsInTheEnd();
        assert.deepEqual([row?.page, others], [scene.unreadable[0]?.page, []]);
      });
    }

    it('of an older version takes it up', async () => {
      const calls = ['first', 'second'];
      const record = {
        owner: OWNER,
        watching: false,
        functionId: FUNCTION,
        endpointId: ENDPOINT,
        options: {},
        acceptedAt: Date.now(),
        packed: calls.map((call) => packArguments([call], {}, { rawBytes: false })),
        taskIds: [undefined, undefined],
        groupIds: [undefined, undefined],
      };
      await spoil(serialize({ version: 1, records: [record], parcels: ['of both'] }));
      assert.deepEqual(scene.unreadable, []);
      const inbox = scene.serve();
      await until(() => scene.stand.open.length === 5);
      scene.stand.end();
      await inbox.take(4);
      const found = inbox.deliveries.map(({ entry, outcome }) => [entry.parcel, shown(outcome)]);
      assert.deepEqual(found.sort(), [
        ['after', 'after'],
        ['before', 'before'],
        ['of both', 'first'],
        ['of both', 'second'],
      ]);
      assert.deepEqual(await scene.rowsInTheEnd(), []);
    });

    it('of a newer version says so', async () => {
      await spoil(serialize({ version: 1_000, records: [], parcels: [] }));
      assert.match(String(scene.unreadable[0]?.error), /newer version \(layout 1000/);
    });

    it('does not write another in its place', async () => {
      await spoil(Buffer.from('nothing'));
      for (let i = 0; i < 10; i++) {
        scene.submit(i);
        await scene.store.flush();
      }
      const rows = await scene.rows();
      assert.ok(rows.some(({ page, bytes }) => page === scene.unreadable[0]?.page && bytes === 7));
    });
  });
});
