import assert from 'node:assert/strict';
import type { Delivery } from '../../../dist/lib/client.js';
import type { TaskGroupId } from '../../../dist/lib/compute/ids.js';
import { forbidden, StandIn } from '../../stand-in/service.js';
import { FUNCTION, OWNER, Scene, turns, until } from './fixture.js';

describe('owners', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = new Scene(new StandIn({ faults: { forgetsAcknowledged: true } }));
    scene.stand.holding = true;
    await scene.openWithoutLedger();
  });
  afterEach(() => scene.clean());

  /** Hands calls in, and waits until the service has them. */
  async function handIn(args: readonly unknown[], owner = OWNER): Promise<void> {
    for (const arg of args) scene.submit(arg, {}, owner);
    await turns();
    assert.ok(args.every((arg) => scene.stand.open.some((task) => task.args[0] === arg)));
  }

  describe('that are away', () => {
    it('get what came meanwhile when they serve again, once', async () => {
      await handIn([1, 2]);
      scene.stand.end();
      await turns();
      const inbox = scene.serve();
      await inbox.take(2);
      await turns();
      assert.deepEqual(inbox.outcomes, [1, 2]);
      assert.deepEqual(scene.stand.unacknowledged, []);
      assert.deepEqual([...scene.client.entriesOf(OWNER)], []);
    });

    it('leave results with the service, which is asked for them again', async () => {
      await handIn(['large']);
      scene.stand.end();
      await turns();
      assert.equal(scene.stand.unacknowledged.length, 1);
      const [entry] = scene.client.entriesOf(OWNER);
      assert.equal(entry?.calls[0]?.outcome, undefined, 'it is not held in memory');
      const asked = scene.stand.statusRequests.length;
      await scene.serve().take(1);
      assert.equal(scene.stand.statusRequests.length, asked + 1);
    });

    it('get errors that the service cannot be asked for again', async () => {
      scene.stand.refuse('submit', forbidden());
      scene.submit(1);
      await turns();
      const inbox = scene.serve();
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, ['ENDPOINT_ACCESS_FORBIDDEN']);
      assert.deepEqual([...scene.client.entriesOf(OWNER)], []);
    });

    it('get what was refused because there was no room', async () => {
      scene.client.configure({ queueLimit: 1 });
      await handIn([1]);
      scene.submit('no room');
      await turns();
      const inbox = scene.serve();
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, ['QUEUE_FULL']);
    });

    it('get what was dropped', async () => {
      scene.client.configure({ inFlight: 1, queueLimit: 2, whenFull: 'drop-oldest' });
      await handIn([1]);
      scene.submit('oldest');
      scene.submit('newest');
      await turns();
      const inbox = scene.serve();
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, ['DROPPED']);
    });

    it('get a result that was shared with another call', async () => {
      scene.submit('same', { memoMs: 60_000 }, 'other');
      scene.submit('same', { memoMs: 60_000 });
      await turns();
      scene.serve('other');
      assert.equal(scene.stand.tasks.size, 1);
      scene.stand.end();
      await turns();
      scene.stand.forget();
      const inbox = scene.serve();
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, ['same']);
    });

    it('get a result once, however often they come and go while the service is asked for it', async () => {
      await handIn([1, 2, 3]);
      scene.stand.end();
      await turns();
      for (let i = 0; i < 5; i++) scene.serve(OWNER, { settles: false }).stop();
      const inbox = scene.serve(OWNER, { settles: false });
      await inbox.take(3);
      await turns();
      assert.deepEqual(inbox.outcomes, [1, 2, 3]);
    });

    it('get an error once, however often they come and go', async () => {
      scene.stand.refuse('submit', forbidden());
      scene.submit(1);
      await turns();
      for (let i = 0; i < 5; i++) scene.serve(OWNER, { settles: false }).stop();
      const inbox = scene.serve(OWNER, { settles: false });
      await inbox.take(1);
      await turns();
      assert.equal(inbox.deliveries.length, 1);
    });

    it('keep their results from those who take what is nobody’s, though the service delivers them again', async () => {
      await handIn([1]);
      const stolen: unknown[] = [];
      scene.client.onUnclaimed((outcome, take) => {
        stolen.push(outcome);
        take();
      });
      scene.stand.end();
      await turns();
      scene.stand.repeat([...scene.stand.tasks.values()]);
      await turns();
      const inbox = scene.serve();
      await inbox.take(1);
      assert.deepEqual([stolen, inbox.outcomes], [[], [1]]);
    });

    it('can take back what they handed in', async () => {
      await handIn([1, 2]);
      assert.equal(scene.client.cancelFor(OWNER), 2);
      const inbox = scene.serve();
      await inbox.take(2);
      assert.deepEqual(inbox.outcomes, ['TASK_CANCELLED', 'TASK_CANCELLED']);
      scene.stand.end();
      await turns();
      assert.equal(inbox.deliveries.length, 2);
      assert.deepEqual(scene.stand.unacknowledged, []);
    });
  });

  describe('that serve', () => {
    it('get each result once, though the service delivers it again before and after it is settled', async () => {
      await handIn([1]);
      const unclaimed: unknown[] = [];
      scene.client.onUnclaimed((outcome) => unclaimed.push(outcome));
      const inbox = scene.serve(OWNER, { settles: false });
      scene.stand.end();
      scene.stand.repeat([...scene.stand.tasks.values()]);
      await turns();
      inbox.settle();
      await turns();
      scene.stand.repeat([...scene.stand.tasks.values()]);
      await turns();
      assert.deepEqual([inbox.outcomes, unclaimed], [[1], []]);
    });

    it('leave what they were told of and did not settle to whoever serves next', async () => {
      await handIn([1]);
      const first = scene.serve(OWNER, { settles: false });
      scene.stand.end();
      await first.take(1);
      first.stop();
      const second = scene.serve();
      await second.take(1);
      assert.deepEqual(second.outcomes, [1]);
    });

    it('are replaced by who serves later, and the first cannot take the second away', async () => {
      await handIn([1]);
      const first = scene.serve();
      const second = scene.serve();
      first.stop();
      scene.stand.end();
      await second.take(1);
      assert.deepEqual([first.outcomes, second.outcomes], [[], [1]]);
    });

    it('may fail, which is a warning and no loss', async () => {
      await handIn([1]);
      const warnings: string[] = [];
      const warned = (warning: Error) => warnings.push(warning.message);
      process.on('warning', warned);
      const stop = scene.client.serve(OWNER, () => {
        throw new Error('a fault of the owner');
      });
      scene.stand.end();
      await until(() => warnings.length > 0);
      process.off('warning', warned);
      stop();
      const inbox = scene.serve();
      await inbox.take(1);
      assert.deepEqual([warnings, inbox.outcomes], [['a fault of the owner'], [1]]);
    });

    it('get again what they give back', async () => {
      await handIn([1]);
      const inbox = scene.serve(OWNER, { settles: false });
      scene.stand.end();
      const [delivery] = await inbox.take(1);
      scene.client.giveBack(delivery as Delivery);
      await inbox.take(2);
      await turns();
      assert.deepEqual(inbox.outcomes, [1, 1]);
      inbox.settle();
      scene.client.giveBack(delivery as Delivery);
      await turns();
      assert.equal(inbox.deliveries.length, 2, 'not after it was settled');
    });

    it('get what they give back while everything pauses when it goes on', async () => {
      await handIn([1]);
      const inbox = scene.serve(OWNER, { settles: false });
      scene.stand.end();
      const [delivery] = await inbox.take(1);
      scene.client.pause();
      scene.client.giveBack(delivery as Delivery);
      await turns();
      assert.equal(inbox.deliveries.length, 1);
      scene.client.resume();
      await inbox.take(2);
    });

    it('settle twice to the effect of once', async () => {
      await handIn([1, 2]);
      const inbox = scene.serve();
      scene.stand.end();
      await inbox.take(2);
      inbox.settle();
      inbox.settle();
      assert.equal(scene.client.counts.done, 2);
    });
  });

  describe('while everything pauses', () => {
    it('are told of nothing, and of everything afterwards', async () => {
      await handIn([1, 2]);
      const inbox = scene.serve();
      scene.client.pause();
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, []);
      scene.client.resume();
      await inbox.take(2);
      assert.deepEqual(inbox.outcomes, [1, 2]);
    });

    it('are not told again of what they have and did not settle yet', async () => {
      await handIn([1, 2]);
      const inbox = scene.serve(OWNER, { settles: false });
      scene.stand.end(scene.stand.open.slice(0, 1));
      await inbox.take(1);
      scene.client.pause();
      scene.stand.end();
      await turns();
      scene.client.resume();
      await inbox.take(2);
      await turns();
      assert.deepEqual(inbox.outcomes, [1, 2]);
    });

    it('that are gone leave to their heirs afterwards', async () => {
      await handIn([1], 'gone');
      scene.client.pause();
      const { taken } = heir();
      scene.stand.end();
      scene.client.settleEstates(() => false);
      await turns();
      assert.deepEqual(taken, []);
      scene.client.resume();
      await until(() => taken.length === 1);
    });
  });

  describe('that are gone', () => {
    it('have their results, from before and from after, go to an heir', async () => {
      await handIn(['before', 'after'], 'gone');
      scene.stand.end(scene.stand.open.slice(0, 1));
      await turns();
      const { taken } = heir();
      scene.client.settleEstates((owner) => owner !== 'gone');
      await until(() => taken.length === 1);
      scene.stand.end();
      await until(() => taken.length === 2);
      await turns();
      assert.deepEqual(
        taken.map(({ entry, outcome }) => [entry.owner, entry.parcel, outcome.status]),
        [
          ['gone', 'before', 'success'],
          ['gone', 'after', 'success'],
        ],
      );
      assert.deepEqual(scene.stand.unacknowledged, []);
    });

    it('have nothing go to an heir as long as they exist, served or not', async () => {
      await handIn([1], 'away');
      const { taken } = heir();
      scene.stand.end();
      assert.deepEqual(
        scene.client.settleEstates(() => true),
        new Map(),
      );
      await turns();
      assert.deepEqual(taken, []);
    });

    it('leave to an heir that comes later', async () => {
      await handIn([1], 'gone');
      scene.stand.end();
      scene.client.settleEstates(() => false);
      await turns();
      const { taken } = heir();
      await until(() => taken.length === 1);
    });

    it('leave once, though they are said to be gone at every deploy', async () => {
      await handIn([1], 'gone');
      const { taken } = heir({ settles: false });
      scene.stand.end();
      for (let i = 0; i < 3; i++) {
        scene.client.settleEstates(() => false);
        await turns();
      }
      assert.equal(taken.length, 1);
    });

    it('leave to the next heir what the first declines', async () => {
      await handIn([1], 'gone');
      const declined: Delivery[] = [];
      scene.client.inherit((delivery) => {
        declined.push(delivery);
        return false;
      });
      const { taken } = heir();
      scene.client.settleEstates(() => false);
      scene.stand.end();
      await until(() => taken.length === 1);
      assert.equal(declined.length, 1);
    });

    it('have nothing go to an heir that has left', async () => {
      await handIn([1], 'gone');
      const { taken, stop } = heir();
      stop();
      scene.client.settleEstates(() => false);
      scene.stand.end();
      await turns();
      assert.deepEqual([taken, scene.stand.unacknowledged.length], [[], 1]);
    });

    it('are reported with the number of results that wait', async () => {
      await handIn([1, 2], 'gone');
      scene.submitBatch([3, 4, 5], {}, 'gone too');
      await handIn([6], 'here');
      assert.deepEqual(
        scene.client.settleEstates((owner) => owner === 'here'),
        new Map([
          ['gone', 2],
          ['gone too', 3],
        ]),
      );
    });

    it('are not reported where an heir gets what waits', async () => {
      await handIn([1, 2], 'gone');
      const leave = scene.client.inherit(() => true);
      assert.deepEqual(
        scene.client.settleEstates(() => false),
        new Map(),
      );
      leave();
      assert.deepEqual(
        scene.client.settleEstates(() => false),
        new Map([['gone', 2]]),
      );
    });

    it('get what waits after all when they come back', async () => {
      await handIn([1], 'gone');
      scene.stand.end();
      scene.client.settleEstates(() => false);
      await turns();
      const inbox = scene.serve('gone');
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, [1]);
    });

    it('are no longer gone when they exist again, though nobody serves', async () => {
      await handIn([1], 'undone');
      scene.client.settleEstates(() => false);
      scene.client.settleEstates(() => true);
      const { taken } = heir();
      scene.stand.end();
      await turns();
      assert.deepEqual(taken, []);
      await scene.serve('undone').take(1);
    });
  });

  function heir({ settles = true } = {}): { taken: Delivery[]; stop: () => void } {
    const taken: Delivery[] = [];
    const stop = scene.client.inherit((delivery) => {
      taken.push(delivery);
      if (settles) scene.client.settle(delivery);
      return true;
    });
    return { taken, stop };
  }

  describe('that wait for tasks of others', () => {
    it('get their results, whenever they end', async () => {
      await handIn([1, 2], 'other');
      const ids = [...scene.stand.tasks.keys()];
      scene.stand.end(scene.stand.open.slice(0, 1));
      scene.client.waitForOwner(OWNER, 'parcel', ids);
      const inbox = scene.serve();
      await inbox.take(1);
      scene.stand.end();
      await inbox.take(2);
      assert.deepEqual(
        inbox.deliveries.map(({ index, entry, outcome }) => [index, entry.parcel, outcome.status]),
        [
          [0, 'parcel', 'success'],
          [1, 'parcel', 'success'],
        ],
      );
    });

    it('do not take them from who submitted them', async () => {
      await handIn([1], 'other');
      scene.client.waitForOwner(OWNER, 'parcel', [...scene.stand.tasks.keys()]);
      await turns();
      const inboxes = [scene.serve(OWNER), scene.serve('other')];
      scene.stand.end();
      await turns();
      assert.deepEqual(
        inboxes.map(({ outcomes }) => outcomes),
        [[1], [1]],
      );
    });

    it('do not take them from others who wait for the same task and are away', async () => {
      await handIn([1], 'other');
      const ids = [...scene.stand.tasks.keys()];
      scene.serve('other');
      for (const owner of ['first', 'second']) scene.client.waitForOwner(owner, owner, ids);
      await turns();
      const first = scene.serve('first');
      scene.stand.end();
      await first.take(1);
      assert.equal(scene.stand.unacknowledged.length, 1);
      const second = scene.serve('second');
      await second.take(1);
      assert.deepEqual([first.outcomes, second.outcomes], [[1], [1]]);
      assert.deepEqual(scene.stand.unacknowledged, []);
    });

    it('do not take them from others who have them and did not send them on yet', async () => {
      await handIn([1], 'other');
      const ids = [...scene.stand.tasks.keys()];
      scene.serve('other');
      scene.client.waitForOwner('first', 1, ids);
      const first = scene.serve('first', { settles: false });
      await turns();
      scene.stand.end();
      await first.take(1);
      scene.client.waitForOwner('second', 2, ids);
      await scene.serve('second').take(1);
      assert.equal(scene.stand.unacknowledged.length, 1);
      first.settle();
      await turns();
      assert.deepEqual(scene.stand.unacknowledged, []);
    });

    it('do not take them from who submitted them and is away', async () => {
      await handIn([1], 'other');
      scene.client.waitForOwner(OWNER, 'parcel', [...scene.stand.tasks.keys()]);
      await turns();
      const inbox = scene.serve(OWNER);
      scene.stand.end();
      await inbox.take(1);
      const submitter = scene.serve('other');
      await submitter.take(1);
      assert.deepEqual(submitter.outcomes, [1]);
      assert.deepEqual(scene.stand.unacknowledged, []);
    });

    it('are told that a task is not known', async () => {
      scene.client.waitForOwner(OWNER, 'parcel', [scene.stand.random.uuid() as never]);
      const inbox = scene.serve();
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, ['TASK_NOT_FOUND']);
    });

    it('wait on after a restart', async () => {
      await scene.client.close();
      const taskGroupId = scene.stand.random.uuid() as TaskGroupId;
      await scene.open({ taskGroupId });
      scene.client.submit({ functionId: FUNCTION, args: [1] }, () => {});
      await turns();
      scene.client.waitForOwner(OWNER, 'parcel', [...scene.stand.tasks.keys()]);
      await scene.restart({ taskGroupId });
      const inbox = scene.serve();
      await turns();
      scene.stand.end();
      const [delivery] = await inbox.take(1);
      assert.deepEqual([inbox.outcomes, delivery?.entry.parcel], [[1], 'parcel']);
    });
  });

  describe('that want task ids', () => {
    it('get them as soon as the service has the tasks, and the results are for others', async () => {
      const unclaimed: unknown[] = [];
      scene.client.onUnclaimed((outcome) => unclaimed.push(outcome));
      scene.submit(1, { until: 'accepted' });
      const inbox = scene.serve();
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, [...scene.stand.tasks.keys()]);
      await turns();
      scene.stand.end();
      await turns();
      assert.equal(unclaimed.length, 1);
      assert.equal(scene.stand.unacknowledged.length, 1);
    });

    it('have the results offered while the id was not sent on yet, too', async () => {
      const unclaimed: unknown[] = [];
      scene.client.onUnclaimed((outcome) => unclaimed.push(outcome));
      scene.submit(1, { until: 'accepted' });
      const inbox = scene.serve(OWNER, { settles: false });
      await inbox.take(1);
      await turns();
      scene.stand.end();
      await turns();
      assert.equal(unclaimed.length, 1);
    });

    it('get them again after a restart, of the same tasks', async () => {
      await scene.client.close();
      await scene.open();
      scene.submit(1, { until: 'accepted' });
      await scene.quiet();
      await scene.restart();
      const inbox = scene.serve();
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, [...scene.stand.tasks.keys()]);
      assert.equal(scene.stand.tasks.size, 1);
    });

    it('get an error where the service cannot keep them', async () => {
      scene.stand.refuse('durable', forbidden());
      scene.submit(1, { until: 'accepted' });
      const inbox = scene.serve();
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, ['ENDPOINT_ACCESS_FORBIDDEN']);
    });

    it('share none, however equal the calls', async () => {
      const inbox = scene.serve();
      for (let i = 0; i < 3; i++) scene.submit('same', { until: 'accepted', memoMs: 60_000 });
      await inbox.take(3);
      assert.equal(new Set(inbox.outcomes).size, 3);
    });

    it('have the task stopped that was taken back before the service had replied', async () => {
      await scene.client.close();
      scene = new Scene(new StandIn({ cancel: true }));
      scene.stand.holding = true;
      await scene.openWithoutLedger();
      scene.submit(1, { until: 'accepted' });
      const inbox = scene.serve();
      await until(() => scene.stand.tasks.size === 1);
      scene.client.cancelFor(OWNER);
      await until(() => scene.stand.cancelled.length === 1);
      assert.deepEqual(inbox.outcomes, ['TASK_CANCELLED']);
    });
  });
});
