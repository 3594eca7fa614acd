import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { StandIn } from '../../stand-in/service.js';
import { useClock } from './clock.js';
import { type Inbox, OWNER, Scene, turns } from './fixture.js';

const DAY = 24 * 3_600_000;

describe('deadlines', () => {
  const clock = useClock();
  let scene: Scene;
  let inbox: Inbox;

  async function open(standIn = new StandIn()): Promise<void> {
    scene = new Scene(standIn);
    scene.stand.holding = true;
    await scene.openWithoutLedger();
    inbox = scene.serve();
  }

  beforeEach(() => open());
  afterEach(() => scene.clean());

  const inMs = (ms: number) => ({ deadline: Date.now() + ms });

  it('end a call that takes longer, with how long it had', async () => {
    scene.submit(1, inMs(2_500));
    await clock.pass(2_400);
    assert.deepEqual(inbox.outcomes, []);
    await clock.pass(200);
    const [delivery] = inbox.deliveries;
    assert.ok(delivery?.outcome.status === 'failed');
    assert.equal(delivery.outcome.error.code, 'DEADLINE_EXCEEDED');
    assert.match(delivery.outcome.error.message, /2\.5 s after it was accepted/);
    assert.equal(delivery.late, false);
    assert.deepEqual([scene.client.counts.failed, scene.client.counts.pending], [1, 0]);
  });

  it('leave a call alone that ends in time', async () => {
    scene.submit(1, inMs(1_000));
    await clock.pass(900);
    scene.stand.end();
    await clock.pass(DAY);
    assert.deepEqual(inbox.outcomes, [1]);
  });

  it('are told a tenth of a second late at most, each at its time, however many there are', async () => {
    const times = [50, 100, 101, 149, 1_000, 5_000, 5_001];
    const started = Date.now();
    for (const [i, ms] of times.entries()) scene.submit(i, { deadline: started + ms }, OWNER);
    const told = new Map<unknown, number>();
    for (let ms = 0; ms < 6_000; ms += 10) {
      await clock.pass(10);
      for (const { entry } of inbox.deliveries) {
        if (!told.has(entry.parcel)) told.set(entry.parcel, Date.now() - started);
      }
    }
    for (const [i, ms] of times.entries()) {
      const at = told.get(i) ?? Number.NaN;
      assert.ok(at >= ms && at <= ms + 110, `deadline ${ms} was told at ${at}`);
    }
  });

  it('that have passed already end the call at once, after the caller is done', async () => {
    scene.submit(1, inMs(-1_000));
    assert.deepEqual(inbox.outcomes, []);
    await clock.pass(1);
    assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED']);
  });

  it('may be further away than a timer reaches', async () => {
    scene.submit(1, inMs(30 * DAY));
    for (let day = 0; day < 29; day++) await clock.pass(DAY);
    assert.deepEqual(inbox.outcomes, []);
    await clock.pass(DAY + 100);
    assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED']);
  });

  it('are of the calls of a batch that have not ended', async () => {
    scene.submitBatch([1, 2, 3], inMs(1_000));
    await turns();
    scene.stand.end(scene.stand.open.slice(0, 1));
    await clock.pass(1_100);
    assert.deepEqual(inbox.outcomes, [1, 'DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED']);
  });

  it('keep what waits here from being submitted', async () => {
    scene.client.configure({ inFlight: 1 });
    scene.submit(1);
    scene.submit(2, inMs(1_000));
    await clock.pass(1_100);
    scene.stand.end();
    await turns();
    assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED', 1]);
    assert.equal(scene.stand.tasks.size, 1);
  });

  it('are of no more interest when the client is closed', async () => {
    scene.submit(1, inMs(1_000));
    await turns();
    await scene.client.close();
    await clock.pass(DAY);
    assert.deepEqual(inbox.outcomes, []);
  });

  describe('with late results dropped', () => {
    it('acknowledge the late result, and tell nobody', async () => {
      scene.submit(1, { ...inMs(1_000), late: 'drop' });
      await clock.pass(1_100);
      const unclaimed: unknown[] = [];
      scene.client.onUnclaimed((outcome) => unclaimed.push(outcome));
      scene.stand.end();
      await turns();
      assert.deepEqual([inbox.outcomes, unclaimed], [['DEADLINE_EXCEEDED'], []]);
      assert.deepEqual(scene.stand.unacknowledged, []);
    });

    it('stop the task where the service can', async () => {
      await scene.client.close();
      await open(new StandIn({ cancel: true }));
      scene.submit(1, inMs(1_000));
      await clock.pass(1_100);
      assert.deepEqual(scene.stand.cancelled, [...scene.stand.tasks.keys()]);
    });
  });

  describe('with late results sent', () => {
    const late = (ms: number) => ({ ...inMs(ms), late: 'send' as const });

    it('tell of the deadline, and then of the result, marked late', async () => {
      scene.submit(1, late(1_000));
      await clock.pass(1_100);
      assert.deepEqual([inbox.outcomes, inbox.deliveries[0]?.late], [['DEADLINE_EXCEEDED'], false]);
      scene.stand.end();
      await turns();
      assert.deepEqual([inbox.outcomes, inbox.deliveries[1]?.late], [['DEADLINE_EXCEEDED', 1], true]);
      assert.deepEqual(scene.stand.unacknowledged, []);
      assert.deepEqual(scene.client.counts, { pending: 0, queued: 0, blocked: 0, done: 0, failed: 1, dropped: 0 });
      assert.deepEqual([...scene.client.entriesOf(OWNER)], []);
    });

    it('have the result told, though the owner settles that the deadline had passed after it has come', async () => {
      inbox.settles = false;
      scene.submit(1, late(1_000));
      await clock.pass(1_100);
      scene.stand.end();
      await turns();
      inbox.settle();
      assert.deepEqual(
        inbox.deliveries.map(({ interim, late: isLate }) => [interim, isLate]),
        [
          [true, false],
          [false, true],
        ],
      );
      assert.deepEqual([...scene.client.entriesOf(OWNER)], []);
    });

    it('tell of the deadline before the result, though both have to wait for the disk', async () => {
      await scene.client.close();
      scene = new Scene();
      scene.stand.holding = true;
      await scene.open({ inFlight: 1 });
      inbox = scene.serve();
      scene.serve('other');
      scene.submit('first', {}, 'other');
      scene.submit(1, late(1_000));
      await scene.quiet();
      scene.stand.holding = false;
      mock.timers.tick(1_100);
      scene.stand.end();
      await turns();
      await scene.quiet();
      await inbox.take(2);
      assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED', 1]);
      assert.deepEqual([inbox.deliveries[0]?.interim, inbox.deliveries[1]?.late], [true, true]);
      assert.deepEqual(await scene.rowsInTheEnd(), []);
    });

    it('do not stop the task', async () => {
      await scene.client.close();
      await open(new StandIn({ cancel: true }));
      scene.submit(1, late(1_000));
      await clock.pass(1_100);
      assert.deepEqual(scene.stand.cancelled, []);
    });

    it('tell of the deadline once', async () => {
      scene.submit(1, late(1_000));
      await clock.pass(DAY);
      assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED']);
      assert.equal(scene.client.counts.pending, 1);
    });

    it('submit what waits here all the same', async () => {
      scene.client.configure({ inFlight: 1 });
      scene.submit(1);
      scene.submit(2, late(1_000));
      await clock.pass(1_100);
      scene.stand.holding = false;
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED', 1, 2]);
    });

    it('keep the result for an owner that is away', async () => {
      scene.submit(1, late(1_000));
      await clock.pass(1_100);
      inbox.stop();
      scene.stand.end();
      await turns();
      const next = scene.serve();
      await next.take(1);
      assert.deepEqual([next.outcomes, next.deliveries[0]?.late], [[1], true]);
    });

    it('count the call once, though it is dropped or taken back after its deadline', async () => {
      scene.client.configure({ inFlight: 1, queueLimit: 2, whenFull: 'drop-oldest' });
      scene.submit(1);
      scene.submit(2, late(1_000));
      await clock.pass(1_100);
      scene.submit(3);
      await turns();
      scene.client.cancelFor(OWNER);
      await turns();
      const { done, failed, dropped } = scene.client.counts;
      assert.equal(done + failed + dropped, 3);
    });

    it('are still known after a restart: the result is marked late, the deadline not told again', async () => {
      await scene.client.close();
      scene = new Scene();
      scene.stand.holding = true;
      await scene.open();
      inbox = scene.serve();
      scene.submit(1, late(1_000));
      await scene.quiet();
      await clock.pass(1_100);
      await scene.quiet();
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED']);
      await scene.restart();
      inbox = scene.serve();
      await clock.pass(1_100);
      scene.stand.end();
      await inbox.take(1);
      assert.deepEqual([inbox.outcomes, inbox.deliveries[0]?.late], [[1], true]);
      assert.deepEqual(await scene.rowsInTheEnd(), []);
    });
  });
});
