import assert from 'node:assert/strict';
import type { FlowCounts } from '../../../dist/lib/client.js';
import { type Desk, Entry } from '../../../dist/lib/tasks/entry.js';
import { WaitingRoom } from '../../../dist/lib/tasks/waiting-room.js';
import { StandIn, unreachable } from '../../stand-in/service.js';
import { ENDPOINT, FUNCTION, type Inbox, type OpenOptions, OWNER, Scene, turns, until } from './fixture.js';

describe('flow control', () => {
  let scene: Scene;
  let inbox: Inbox;

  afterEach(() => scene.clean());

  async function open(limits: OpenOptions, standIn = new StandIn()): Promise<void> {
    scene = new Scene(standIn);
    scene.stand.holding = true;
    await scene.openWithoutLedger(limits);
    inbox = scene.serve();
  }

  /** Hands calls in, one after the other. */
  function handIn(...args: readonly unknown[]): void {
    for (const arg of args) scene.submit(arg);
  }

  /** Arguments of the tasks that the service was given, in order. */
  function given(): unknown[] {
    return [...scene.stand.tasks.values()].map(({ args }) => args[0]);
  }

  function counted(expected: Partial<FlowCounts>): void {
    const none: FlowCounts = { pending: 0, queued: 0, blocked: 0, done: 0, failed: 0, dropped: 0 };
    assert.deepEqual(scene.client.counts, { ...none, ...expected });
  }

  /** Ends tasks as soon as the service has them, until so much was told. */
  async function endAll(count: number): Promise<void> {
    await until(() => {
      scene.stand.end();
      return inbox.deliveries.length >= count;
    });
  }

  describe('of tasks in flight', () => {
    it('gives the service no more than the limit at once', async () => {
      await open({ inFlight: 2 });
      handIn(1, 2, 3, 4, 5);
      await turns();
      assert.deepEqual(given(), [1, 2]);
      counted({ pending: 5, queued: 3 });
      for (let ended = 1; ended <= 5; ended++) {
        scene.stand.end(scene.stand.open.slice(0, 1));
        await inbox.take(ended);
        await turns();
        assert.ok(scene.stand.open.length <= 2);
      }
      assert.deepEqual(inbox.outcomes, [1, 2, 3, 4, 5]);
      counted({ done: 5 });
    });

    it('counts calls, not messages', async () => {
      await open({ inFlight: 2 });
      scene.submitBatch([1, 2, 3]);
      await turns();
      assert.deepEqual(given(), [1, 2]);
    });

    it('frees the place of a call that the service refuses', async () => {
      await open({ inFlight: 1 });
      scene.stand.faults.denies = 1;
      handIn(1);
      await inbox.take(1);
      scene.stand.faults.denies = 0;
      handIn(2);
      await endAll(2);
      assert.deepEqual(inbox.outcomes, ['ENDPOINT_ACCESS_FORBIDDEN', 2]);
    });

    it('frees the place of a call when its task has ended, once, though the result comes twice', async () => {
      await open({ inFlight: 1 });
      handIn(1, 2, 3);
      await turns();
      scene.stand.end();
      scene.stand.repeat([...scene.stand.tasks.values()]);
      await turns();
      assert.deepEqual(given(), [1, 2]);
    });

    it('keeps the place of a cancelled task for as long as the service has it', async () => {
      await open({ inFlight: 1 });
      handIn(1, 2);
      await turns();
      const [first] = scene.stand.tasks.keys();
      assert.equal(scene.client.cancelFor(OWNER, first), 1);
      await turns();
      assert.deepEqual(given(), [1]);
      scene.stand.end();
      await turns();
      assert.deepEqual(given(), [1, 2]);
    });

    it('frees the place of a call for whose id nobody waits any more', async () => {
      await open({ inFlight: 1 });
      scene.submit(1, { until: 'accepted' });
      scene.submit(2, { until: 'accepted' });
      await inbox.take(2);
      counted({ done: 2 });
    });

    it('can be changed at run time', async () => {
      await open({ inFlight: 1 });
      handIn(1, 2, 3, 4);
      await turns();
      scene.client.configure({ inFlight: 3 });
      await turns();
      assert.deepEqual(given(), [1, 2, 3]);
      scene.client.configure({ inFlight: 1 });
      scene.stand.end(scene.stand.open.slice(0, 2));
      await turns();
      assert.deepEqual(given(), [1, 2, 3], 'one is in flight still');
      scene.stand.end();
      await turns();
      assert.deepEqual(given(), [1, 2, 3, 4]);
    });

    for (const [name, limits] of [
      ['no tasks in flight', { inFlight: 0 }],
      ['a limit that is no number', { inFlight: Number.NaN }],
      ['no queue', { queueLimit: 0 }],
      ['a negative queue', { queueLimit: -1 }],
    ] as const) {
      it(`refuses ${name}, at the start and at run time`, async () => {
        await open({});
        await assert.rejects(scene.openWithoutLedger(limits), { code: 'BAD_INPUT', message: /expected at least 1/ });
        await open({});
        assert.throws(() => scene.client.configure(limits), { code: 'BAD_INPUT' });
      });
    }
  });

  describe('of a full queue', () => {
    describe('with an error', () => {
      it('refuses what does not fit, with the limit and what to do', async () => {
        await open({ queueLimit: 2 });
        handIn(1, 2, 3);
        const [delivery] = await inbox.take(1);
        assert.ok(delivery?.outcome.status === 'failed');
        assert.match(delivery.outcome.error.message, /^2 tasks are waiting or running.*raise its queue limit/);
        await endAll(3);
        assert.deepEqual(inbox.outcomes, ['QUEUE_FULL', 1, 2]);
        counted({ done: 2, failed: 1 });
      });

      it('tells nothing before the caller is done', async () => {
        await open({ queueLimit: 1 });
        handIn(1, 2);
        assert.deepEqual(inbox.outcomes, []);
      });

      it('refuses a batch as a whole: each of its calls fails', async () => {
        await open({ queueLimit: 2 });
        scene.submitBatch([1, 2, 3]);
        await inbox.take(3);
        assert.deepEqual(inbox.outcomes, ['QUEUE_FULL', 'QUEUE_FULL', 'QUEUE_FULL']);
        counted({ failed: 3 });
        assert.deepEqual(given(), []);
      });

      it('has room again when a task has ended', async () => {
        await open({ queueLimit: 1 });
        handIn(1);
        await endAll(1);
        handIn(2);
        await endAll(2);
        assert.deepEqual(inbox.outcomes, [1, 2]);
      });

      it('has room for what the owner hands in when it is told of a result', async () => {
        await open({ queueLimit: 1 });
        inbox.stop();
        const told: unknown[] = [];
        scene.client.serve(OWNER, (delivery) => {
          told.push(delivery.outcome.status);
          scene.client.settle(delivery);
          if (told.length < 3) scene.submit(told.length);
        });
        handIn(0);
        await until(() => {
          scene.stand.end();
          return told.length === 3;
        });
        assert.deepEqual(told, ['success', 'success', 'success']);
      });
    });

    describe('with drop-newest', () => {
      it('drops what does not fit, and says so', async () => {
        await open({ queueLimit: 1, whenFull: 'drop-newest' });
        handIn(1, 2, 3);
        await endAll(3);
        assert.deepEqual(inbox.outcomes, ['DROPPED', 'DROPPED', 1]);
        counted({ done: 1, dropped: 2 });
      });
    });

    describe('with drop-oldest', () => {
      it('drops what has waited longest, and takes the new', async () => {
        await open({ inFlight: 1, queueLimit: 3, whenFull: 'drop-oldest' });
        handIn(1, 2, 3, 4, 5);
        await endAll(5);
        assert.deepEqual(inbox.outcomes, ['DROPPED', 'DROPPED', 1, 4, 5]);
        assert.deepEqual(given(), [1, 4, 5]);
        counted({ done: 3, dropped: 2 });
      });

      it('drops nothing that the service has: without anything to drop, the new is refused', async () => {
        await open({ queueLimit: 2, whenFull: 'drop-oldest' });
        handIn(1, 2, 3);
        await endAll(3);
        assert.deepEqual(inbox.outcomes, ['QUEUE_FULL', 1, 2]);
      });

      it('drops nothing for a batch that will not fit all the same', async () => {
        await open({ inFlight: 2, queueLimit: 4, whenFull: 'drop-oldest' });
        handIn(1, 2, 3, 4);
        scene.submitBatch([5, 6, 7]);
        await endAll(7);
        assert.deepEqual(inbox.outcomes, ['QUEUE_FULL', 'QUEUE_FULL', 'QUEUE_FULL', 1, 2, 3, 4]);
        counted({ done: 4, failed: 3 });
      });

      it('makes room for a batch that fits', async () => {
        await open({ inFlight: 1, queueLimit: 4, whenFull: 'drop-oldest' });
        handIn(1, 2, 3);
        scene.submitBatch([4, 5, 6]);
        await endAll(6);
        assert.deepEqual(inbox.outcomes, ['DROPPED', 'DROPPED', 1, 4, 5, 6]);
      });
    });

    describe('with block', () => {
      const BLOCK = { inFlight: 1, queueLimit: 2, whenFull: 'block' } as const;

      it('has what does not fit wait, and does it in its order', async () => {
        await open(BLOCK);
        handIn(1, 2, 3, 4, 5);
        counted({ pending: 2, queued: 1, blocked: 3 });
        await endAll(5);
        assert.deepEqual(inbox.outcomes, [1, 2, 3, 4, 5]);
        counted({ done: 5 });
      });

      it('lets nothing overtake what waits, though it would fit', async () => {
        await open(BLOCK);
        handIn(1);
        scene.submitBatch([2, 3]);
        handIn(4);
        counted({ pending: 1, blocked: 3 });
        await endAll(4);
        assert.deepEqual(inbox.outcomes, [1, 2, 3, 4]);
      });

      it('refuses what would never fit', async () => {
        await open(BLOCK);
        scene.submitBatch([1, 2, 3]);
        await inbox.take(3);
        assert.deepEqual(inbox.outcomes, ['QUEUE_FULL', 'QUEUE_FULL', 'QUEUE_FULL']);
      });

      it('goes on with what would not fit any more under a limit set since', async () => {
        await open({ ...BLOCK, queueLimit: 3 });
        handIn(1, 2);
        scene.submitBatch([3, 4]);
        handIn(5);
        scene.client.configure({ ...BLOCK, queueLimit: 1 });
        await endAll(5);
        assert.deepEqual(inbox.outcomes, [1, 2, 3, 4, 5]);
      });

      it('has a hundred thousand wait, and refuses what is beyond', async () => {
        const limit = 60_000;
        await open({ ...BLOCK, queueLimit: limit });
        const args = Array.from({ length: limit }, () => 0);
        for (let i = 0; i < 3; i++) scene.submitBatch(args);
        counted({ pending: limit, queued: limit - 1, blocked: limit, failed: limit });
        await inbox.take(limit);
        assert.deepEqual(new Set(inbox.outcomes), new Set(['QUEUE_FULL']));
      });

      it('has no more wait than memory may hold', () => {
        const room = new WaitingRoom();
        const desk = {} as Desk;
        const entry = () => new Entry(desk, OWNER, 0, FUNCTION, ENDPOINT, {}, ['x'.repeat(2 ** 27)], 0);
        let taken = 0;
        for (let next = entry(); room.hasRoomFor(next); next = entry(), taken++) room.add(next);
        assert.equal(taken, 3);
        room.release();
        assert.ok(room.hasRoomFor(entry()));
      });

      it('goes on at once when the limit is raised', async () => {
        await open(BLOCK);
        handIn(1, 2, 3, 4);
        scene.client.configure({ ...BLOCK, queueLimit: 100 });
        counted({ pending: 4, queued: 3 });
      });

      it('takes back what waits for room', async () => {
        await open(BLOCK);
        handIn(1, 2, 3, 4);
        assert.equal(scene.client.cancelFor(OWNER), 4);
        await inbox.take(4);
        counted({ failed: 4 });
        scene.stand.end();
        await turns();
        assert.deepEqual(given(), [], 'none was given to the service');
        handIn(5);
        await endAll(5);
        assert.equal(inbox.outcomes[4], 5);
        counted({ failed: 4, done: 1 });
      });

      it('ends what waits for room at its deadline', async () => {
        await open(BLOCK);
        handIn(1, 2);
        scene.submit(3, { deadline: Date.now() - 1 });
        await inbox.take(1);
        assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED']);
        counted({ pending: 2, queued: 1, failed: 1 });
        await endAll(3);
        assert.deepEqual(given(), [1, 2]);
      });
    });
  });

  describe('of order', () => {
    it('submits in the order in which calls came, whichever function they are of', async () => {
      await open({ inFlight: 3 });
      const others = '33333333-3333-4333-8333-333333333333' as typeof FUNCTION;
      for (let i = 0; i < 6; i++) {
        scene.client.submitFor(OWNER, i, { functionId: i % 2 === 0 ? FUNCTION : others, calls: [{ args: [i] }] });
      }
      await turns();
      assert.deepEqual(given().sort(), [0, 1, 2]);
    });

    it('holds for a queue of many thousands, however much is taken out of its middle', async () => {
      await open({ inFlight: 1 });
      for (let i = 0; i < 20_000; i++) scene.submit(i, {}, i % 3 === 0 || i < 2 ? OWNER : 'other');
      scene.client.cancelFor('other');
      counted({ pending: 6_668, queued: 6_667, failed: 13_332 });
      scene.stand.holding = false;
      scene.stand.end();
      await inbox.take(6_668);
      const expected = Array.from({ length: 20_000 }, (_, i) => i).filter((i) => i % 3 === 0 || i < 2);
      assert.deepEqual(inbox.outcomes, expected);
    }).timeout(20_000);

    it('does not pile up what was taken out while the service is stuck', async () => {
      await open({ inFlight: 1, queueLimit: 10 });
      handIn('stuck');
      for (let i = 0; i < 5_000; i++) {
        scene.submit(i, {}, 'other');
        scene.client.cancelFor('other');
      }
      counted({ pending: 1, failed: 5_000 });
    });
  });

  describe('of a batch', () => {
    it('ends the call that cannot be serialized, with the place, and makes the others', async () => {
      await open({});
      scene.submitBatch([1, Buffer.from('bytes, which this service does not take'), 3]);
      const [delivery] = await inbox.take(1);
      assert.equal(delivery?.index, 1);
      assert.ok(delivery.outcome.status === 'failed');
      assert.equal(delivery.outcome.error.code, 'NOT_SERIALIZABLE');
      assert.match(delivery.outcome.error.message, /args\[0\]/);
      await endAll(3);
      assert.deepEqual(inbox.outcomes, ['NOT_SERIALIZABLE', 1, 3]);
      assert.equal(scene.stand.submissions.length, 1);
      counted({ done: 2, failed: 1 });
    });

    it('of calls none of which can be serialized tells each why', async () => {
      await open({});
      const calls = [{ args: [Buffer.from('a')] }, { kwargs: { b: Buffer.from('b') } }];
      scene.client.submitFor(OWNER, 0, { functionId: FUNCTION, calls });
      await inbox.take(2);
      const messages = inbox.deliveries.map(({ outcome }) =>
        outcome.status === 'failed' ? outcome.error.message : '',
      );
      assert.match(messages[0] ?? '', /args\[0\]/);
      assert.match(messages[1] ?? '', /kwargs/);
      counted({ failed: 2 });
    });

    it('of nothing leaves nothing behind', async () => {
      await open({});
      scene.submitBatch([]);
      counted({});
      assert.deepEqual([...scene.client.entriesOf(OWNER)], []);
    });
  });

  describe('of what is taken back', () => {
    it('is told to the owner once, and its late result is acknowledged and not delivered', async () => {
      await open({});
      handIn(1, 2);
      await turns();
      const [first] = scene.stand.tasks.keys();
      assert.equal(scene.client.cancelFor(OWNER, first), 1);
      assert.deepEqual(inbox.outcomes, ['TASK_CANCELLED']);
      await endAll(2);
      await turns();
      assert.deepEqual(inbox.outcomes, ['TASK_CANCELLED', 2]);
      assert.deepEqual(scene.stand.unacknowledged, []);
      assert.deepEqual(scene.stand.cancelled, [], 'this service has no such operation');
      counted({ done: 1, failed: 1 });
    });

    it('is stopped where the service can', async () => {
      await open({}, new StandIn({ cancel: true }));
      handIn(1);
      await turns();
      scene.client.cancelFor(OWNER);
      await turns();
      assert.deepEqual(scene.stand.cancelled, [...scene.stand.tasks.keys()]);
      assert.deepEqual([inbox.outcomes, scene.stand.unacknowledged], [['TASK_CANCELLED'], []]);
    });

    it('is stopped when its id comes, where that is not known yet', async () => {
      await open({}, new StandIn({ cancel: true }));
      handIn(1);
      await until(() => scene.stand.tasks.size === 1);
      scene.client.cancelFor(OWNER);
      await until(() => scene.stand.cancelled.length === 1);
      assert.deepEqual(inbox.outcomes, ['TASK_CANCELLED']);
    });

    it('is not given to the service where it has not been yet, and its neighbours are', async () => {
      await open({});
      scene.submit(1, {}, 'other');
      handIn(2);
      assert.equal(scene.client.cancelFor('other'), 1);
      await endAll(1);
      assert.deepEqual(given(), [2]);
      counted({ done: 1, failed: 1 });
    });

    it('is not given to a service that could not be reached before, and is no more in flight', async () => {
      await open({ inFlight: 1 });
      scene.stand.refuse('submit', unreachable());
      handIn(1);
      await turns();
      scene.client.cancelFor(OWNER);
      handIn(2);
      await endAll(2);
      assert.deepEqual(given(), [2]);
    });

    it('cannot be taken back a second time, nor when it has ended', async () => {
      await open({});
      handIn(1, 2);
      await turns();
      scene.stand.end(scene.stand.open.slice(0, 1));
      await inbox.take(1);
      assert.equal(scene.client.cancelFor(OWNER), 1);
      assert.equal(scene.client.cancelFor(OWNER), 0);
    });

    it('is only what the owner handed in', async () => {
      await open({});
      scene.submit(1, {}, 'other');
      handIn(2);
      await turns();
      const [others] = scene.stand.tasks.keys();
      assert.equal(scene.client.cancelFor(OWNER, others), 0);
      assert.equal(scene.client.cancelFor('nobody'), 0);
    });

    it('is not asked to be stopped when it has ended by itself, however early its result comes', async () => {
      await open({}, new StandIn({ cancel: true, faults: { hasty: 1 } }));
      scene.stand.holding = false;
      handIn(1, 2, 3);
      await inbox.take(3);
      await turns();
      assert.deepEqual(scene.stand.cancelled, []);
    });
  });

  describe('of results that come before the reply to their submission', () => {
    it('delivers them, and offers them to nobody else', async () => {
      await open({}, new StandIn({ faults: { hasty: 1 } }));
      scene.stand.holding = false;
      const unclaimed: unknown[] = [];
      scene.client.onUnclaimed((outcome) => unclaimed.push(outcome));
      handIn(0);
      await inbox.take(1);
      handIn(1, 2, 3);
      await inbox.take(4);
      await turns();
      assert.deepEqual([inbox.outcomes, unclaimed, scene.stand.unacknowledged], [[0, 1, 2, 3], [], []]);
    });
  });
});
