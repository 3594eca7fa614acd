import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { serialize } from 'node:v8';
import { MAX_STATUS_IDS } from '../../../dist/lib/compute/limits.js';
import { Ledger } from '../../../dist/lib/tasks/ledger.js';
import { forbidden, outOfOrder, StandIn, unreachable } from '../../stand-in/service.js';
import { FUNCTION, OWNER, Scene, turns, until } from './fixture.js';

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
      assert.deepEqual(await scene.rows(), []);
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
      assert.ok(Number((await scene.rows())[0]?.bytes) < Number(before?.bytes) / 5);
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

  describe('after a restart', () => {
    it('submits what was not submitted, in the order it came', async () => {
      await scene.open({ inFlight: 1 });
      for (let i = 0; i < 5; i++) scene.submit(i);
      await until(() => scene.stand.open.length === 1);
      await scene.restart({ inFlight: 1 });
      const inbox = scene.serve();
      scene.stand.holding = false;
      scene.stand.end();
      await inbox.take(5);
      assert.deepEqual(inbox.outcomes, [0, 1, 2, 3, 4]);
      assert.equal(scene.stand.tasks.size, 5, 'none was submitted twice');
    });

    it('asks at once for what was submitted, 128 tasks a request', async () => {
      await scene.open();
      for (let i = 0; i < 300; i++) scene.submit(i);
      await until(() => scene.stand.open.length === 300);
      await scene.close();
      const asked = scene.stand.statusRequests.length;
      await scene.open();
      await until(() => scene.stand.statusRequests.length === asked + 3);
      const sizes = scene.stand.statusRequests.slice(asked).map((ids) => ids.length);
      assert.deepEqual(sizes, [MAX_STATUS_IDS, MAX_STATUS_IDS, 300 - 2 * MAX_STATUS_IDS]);
      assert.equal(scene.stand.submissions.length, 1);
    });

    it('delivers what ended meanwhile, and what ends later, each once', async () => {
      await scene.open();
      for (let i = 0; i < 10; i++) scene.submit(i);
      await until(() => scene.stand.open.length === 10);
      await scene.close();
      scene.stand.end(scene.stand.open.slice(0, 5));
      await scene.open();
      const inbox = scene.serve();
      await inbox.take(5);
      scene.stand.end();
      await inbox.take(10);
      await turns();
      assert.deepEqual(inbox.outcomes.sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      assert.ok(inbox.deliveries.every(({ recovered }) => recovered));
      assert.deepEqual(scene.stand.unacknowledged, []);
    });

    for (const silentOnUnknown of [false, true]) {
      it(`ends a task that the service no longer knows in an error that says so${silentOnUnknown ? ', where the reply leaves it out' : ''}`, async () => {
        scene.stand.faults.silentOnUnknown = silentOnUnknown;
        await scene.open();
        scene.submit('forgotten');
        scene.submit('known');
        await until(() => scene.stand.open.length === 2);
        const [forgotten] = scene.stand.open;
        await scene.close();
        scene.stand.forget([forgotten as never]);
        await scene.open();
        const inbox = scene.serve();
        const [delivery] = await inbox.take(1);
        assert.ok(delivery?.outcome.status === 'failed');
        assert.equal(delivery.outcome.error.code, 'TASK_NOT_FOUND');
        assert.match(delivery.outcome.error.message, new RegExp(String(forgotten?.id)));
        scene.stand.end();
        await inbox.take(2);
        assert.deepEqual(await scene.rows(), []);
      });
    }

    it('keeps a task whose deadline has passed meanwhile from running for nothing', async () => {
      await scene.open({ inFlight: 1 });
      scene.submit('runs');
      scene.submit('too late', { deadline: Date.now() - 1_000 });
      await until(() => scene.stand.open.length === 1);
      await scene.restart({ inFlight: 1 });
      const inbox = scene.serve();
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED']);
      scene.stand.end();
      await inbox.take(2);
      assert.equal(scene.stand.tasks.size, 1);
    });

    it('ends a call whose arguments could not be serialized, and submits nothing for it', async () => {
      await scene.open();
      scene.submitBatch([1, Buffer.from('bytes, which this service does not take'), 3]);
      await scene.quiet();
      assert.equal(scene.stand.open.length, 2);
      await scene.restartAfterCrash();
      const inbox = scene.serve();
      await turns();
      assert.equal(scene.stand.tasks.size, 2);
      scene.stand.end();
      await inbox.take(3);
      assert.deepEqual(inbox.outcomes.map(String).sort(), ['1', '3', 'NOT_SERIALIZABLE']);
    });

    it('asks again, for as long as it takes, where the service cannot be asked', async () => {
      await scene.open();
      scene.submit(1);
      await until(() => scene.stand.open.length === 1);
      await scene.close();
      scene.stand.end();
      for (const task of scene.stand.tasks.values()) task.acknowledged = true; // It is not delivered again.
      scene.stand.refuse('batchStatus', unreachable(), outOfOrder(), unreachable());
      await scene.open();
      const inbox = scene.serve();
      mock.timers.enable({ apis: ['setTimeout'] });
      try {
        await until(() => {
          mock.timers.tick(60_000);
          return inbox.deliveries.length > 0;
        });
      } finally {
        mock.timers.reset();
      }
      assert.deepEqual(inbox.outcomes, [1]);
    });

    it('takes no task down with another that the service refuses to tell of', async () => {
      await scene.open();
      for (let i = 0; i < 5; i++) scene.submit(i);
      await until(() => scene.stand.open.length === 5);
      await scene.close();
      scene.stand.end();
      for (const task of scene.stand.tasks.values()) task.acknowledged = true;
      const [first] = scene.stand.tasks.keys();
      const { batchStatus } = scene.stand;
      scene.stand.batchStatus = async (ids) => {
        if (ids.includes(first as never)) throw forbidden();
        return batchStatus.call(scene.stand, ids);
      };
      await scene.open();
      const inbox = scene.serve();
      await inbox.take(5);
      assert.deepEqual(inbox.outcomes.map(String).sort(), ['1', '2', '3', '4', 'ENDPOINT_ACCESS_FORBIDDEN']);
    });

    it('keeps the ledgers of two clients in one store apart', async () => {
      await scene.open();
      scene.submit(1);
      await scene.ledger.durable();
      const other = await Ledger.open(scene.store, 'other client', scene.codec, assert.fail);
      assert.deepEqual(await other.recover({} as never), []);
      await other.close();
    });
  });

  describe('of what may have been sent on before', () => {
    it('says nothing after a good end: not of what had ended, not of what had not', async () => {
      await scene.open();
      scene.submit('ends before');
      scene.submit('ends after');
      await until(() => scene.stand.open.length === 2);
      await scene.close();
      scene.stand.end(scene.stand.open.slice(0, 1));
      await scene.open();
      const inbox = scene.serve();
      await inbox.take(1);
      scene.stand.end();
      await inbox.take(2);
      assert.deepEqual(
        inbox.deliveries.map(({ redelivered }) => redelivered),
        [false, false],
      );
    });

    it('marks, after a crash, what the crashed process sent on without living to note it', async () => {
      await scene.open();
      scene.submit('sent on');
      await until(() => scene.stand.open.length === 1);
      await scene.ledger.durable();
      scene.freeze();
      const first = scene.serve();
      scene.stand.end();
      assert.equal(first.deliveries.length, 1);
      await scene.crash();
      await scene.open();
      const inbox = scene.serve();
      const [delivery] = await inbox.take(1);
      assert.equal(delivery?.redelivered, true);
      assert.equal(delivery?.recovered, true);
    });

    it('sends nothing on that is on disk as not submitted: it is noted first', async () => {
      scene.commitWindowMs = 1_000;
      await scene.open();
      scene.stand.faults.slow = 1;
      scene.submit('quick');
      await scene.store.flush();
      const inbox = scene.serve();
      scene.stand.faults.slow = 0;
      await until(() => scene.stand.open.length === 1);
      await turns();
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, []);
      await scene.store.flush();
      await inbox.take(1);
      scene.freeze();
      assert.equal(scene.client.counts.done, 1);
      await scene.crash();
      await scene.open();
      const again = scene.serve();
      assert.equal((await again.take(1))[0]?.redelivered, true);
      assert.equal(scene.stand.tasks.size, 1);
    });

    it('does not mark what was not submitted, however much of it there is', async () => {
      await scene.open({ inFlight: 1 });
      for (let i = 0; i < 100; i++) scene.submit(i);
      await scene.quiet();
      await scene.restartAfterCrash();
      const inbox = scene.serve();
      await scene.quiet();
      scene.stand.holding = false;
      scene.stand.end();
      await inbox.take(100);
      assert.deepEqual(
        inbox.deliveries.filter(({ redelivered }) => redelivered),
        [],
      );
    });

    const told: readonly (readonly [string, () => void])[] = [
      ['refused', () => scene.stand.refuse('submit', forbidden(), forbidden())],
      ['cancelled', () => scene.client.cancelFor(OWNER)],
      ['dropped', () => scene.client.configure({ inFlight: 1, queueLimit: 2, whenFull: 'drop-oldest' })],
    ];
    for (const [name, end] of told) {
      it(`marks also what the owner was told is ${name}, and comes again`, async () => {
        scene.commitWindowMs = 1_000;
        await scene.open({ inFlight: 1 });
        scene.submit('runs', {}, 'other');
        await scene.quiet();
        scene.submit('told of');
        await scene.quiet();
        const first = scene.serve();
        end();
        if (name === 'dropped') scene.submit('new', {}, 'other');
        if (name === 'refused') scene.stand.end();
        await scene.quiet();
        await first.take(1);
        scene.freeze(); // That it was sent on is in the next commit.
        assert.match(String(first.outcomes), /FORBIDDEN|CANCELLED|DROPPED/);
        await scene.crash();
        await scene.open();
        const inbox = scene.serve();
        await until(() => {
          scene.stand.end();
          return inbox.deliveries.length > 0;
        });
        assert.equal(inbox.deliveries[0]?.redelivered, true);
      });
    }

    it('marks nothing that had not ended when it was asked for after the crash', async () => {
      await scene.open();
      scene.submit('still runs');
      await until(() => scene.stand.open.length === 1);
      await scene.ledger.durable();
      await scene.restartAfterCrash();
      const asked = scene.stand.statusRequests.length;
      const inbox = scene.serve();
      await until(() => scene.stand.statusRequests.length > asked - 1 && scene.stand.idle);
      await turns();
      scene.stand.end();
      const [delivery] = await inbox.take(1);
      assert.deepEqual([delivery?.recovered, delivery?.redelivered], [true, false]);
    });

    it('does not trust the clock of the service', async () => {
      await scene.open();
      scene.submit('sent on');
      await until(() => scene.stand.open.length === 1);
      await scene.ledger.durable();
      scene.freeze();
      const first = scene.serve();
      scene.stand.end();
      await first.take(1);
      for (const task of scene.stand.tasks.values()) {
        task.status = { ...task.status, completion_t: String(Date.now() / 1000 + 60) } as never;
      }
      await scene.crash();
      await scene.open();
      const inbox = scene.serve();
      assert.equal((await inbox.take(1))[0]?.redelivered, true);
    });

    it('does not forget it in a good end that follows the crash', async () => {
      await scene.open();
      scene.submit('sent on');
      await until(() => scene.stand.open.length === 1);
      await scene.ledger.durable();
      scene.freeze();
      const first = scene.serve();
      scene.stand.end();
      assert.equal(first.deliveries.length, 1);
      await scene.crash();
      await scene.open(); // The owner stays away.
      await scene.restart();
      const inbox = scene.serve();
      assert.equal((await inbox.take(1))[0]?.redelivered, true);
    });

    it('marks nothing that came after the crash, however the next process ends', async () => {
      await scene.open();
      await scene.ledger.durable();
      await scene.restartAfterCrash();
      scene.submit('new');
      await until(() => scene.stand.open.length === 1);
      await scene.restart();
      const inbox = scene.serve();
      scene.stand.end();
      assert.equal((await inbox.take(1))[0]?.redelivered, false);
    });

    it('takes one that rested and went on for one that crashed', async () => {
      await scene.open();
      scene.submit('waits');
      await until(() => scene.stand.open.length === 1);
      await scene.ledger.rest(true);
      await scene.ledger.rest(false);
      await scene.crash();
      scene.stand.end();
      await scene.open();
      const inbox = scene.serve();
      assert.equal((await inbox.take(1))[0]?.redelivered, true);
    });
  });

  describe('in closing', () => {
    it('knows the ids of what was handed in a moment before', async () => {
      await scene.open();
      scene.submit(1);
      await scene.close();
      assert.equal(scene.stand.tasks.size, 1);
      await scene.open();
      const inbox = scene.serve();
      await turns();
      scene.stand.end();
      await inbox.take(1);
      assert.equal(scene.stand.tasks.size, 1, 'it was not submitted a second time');
    });

    it('knows the ids of what a slow service takes at this moment', async () => {
      scene = new Scene(new StandIn({ faults: { slow: 0.95 }, seed: 3 }));
      scene.stand.holding = true;
      await scene.open();
      scene.submit(1);
      await until(() => scene.stand.tasks.size === 1);
      await scene.close();
      await scene.open();
      const inbox = scene.serve();
      await turns(200);
      scene.stand.end();
      await inbox.take(1);
      assert.equal(scene.stand.tasks.size, 1, 'it was not submitted a second time');
    });

    it('loses nothing that is settled while it is written', async () => {
      await scene.open();
      const inbox = scene.serve(OWNER, { settles: false });
      scene.submit(1);
      await until(() => scene.stand.open.length === 1);
      scene.stand.end();
      await inbox.take(1);
      await scene.store.flush();
      const closing = scene.client.close();
      await turn();
      inbox.settle();
      await closing;
      await scene.store.close();
      await scene.open();
      assert.deepEqual(await scene.rows(), []);
    });

    it('is closed once, and the second caller waits for the first', async () => {
      await scene.open();
      scene.submit(1);
      let closed = false;
      const first = scene.client.close().then(() => {
        closed = true;
      });
      await scene.client.close();
      assert.equal(closed, true);
      await first;
    });

    it('takes no harm from what is settled afterwards', async () => {
      await scene.open();
      const inbox = scene.serve(OWNER, { settles: false });
      scene.submit(1);
      await until(() => scene.stand.open.length === 1);
      scene.stand.end();
      await inbox.take(1);
      await scene.close();
      inbox.settle();
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
      await until(() => scene.stand.open.length === 3);
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
        const [row, ...others] = await scene.rows();
        assert.deepEqual([row?.page, others], [scene.unreadable[0]?.page, []]);
      });
    }

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
