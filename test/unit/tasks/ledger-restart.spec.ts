import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MAX_STATUS_IDS } from '../../../dist/lib/compute/limits.js';
import { Ledger } from '../../../dist/lib/tasks/ledger.js';
import { type Ending, forbidden, outOfOrder, StandIn, unreachable } from '../../stand-in/service.js';
import { OWNER, Scene, turns, until } from './fixture.js';

describe('the ledger after a restart', () => {
  let scene: Scene;

  beforeEach(() => {
    scene = new Scene();
    scene.stand.holding = true;
  });
  afterEach(() => scene.clean());

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
    await scene.quiet();
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
      assert.deepEqual(await scene.rowsInTheEnd(), []);
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

  describe('whose service keeps its results itself', () => {
    beforeEach(async () => {
      Object.assign(scene.stand.faults, { forgetsAcknowledged: true });
      // No commit by itself in the middle of a test.
      scene.commitWindowMs = 1_000;
      await scene.open();
      scene.submit('x');
      await scene.quiet();
      assert.equal((await scene.rows()).length, 1);
    });

    it('has told it of nothing that the disk did not know: after a crash the result is there to be sent again', async () => {
      scene.freeze();
      const inbox = scene.serve();
      scene.stand.end();
      await inbox.take(1);
      await turns();
      await scene.restartAfterCrash();
      const again = scene.serve();
      await again.take(1);
      assert.deepEqual([again.outcomes, again.deliveries[0]?.redelivered], [['x'], true]);
    });

    it('tells it after a crash of what was settled before, and nobody else gets that', async () => {
      const { results } = scene.stand;
      // Acknowledgements are lost on the way.
      scene.stand.results = (...args) => ({ ...results.apply(scene.stand, args), ack: () => {} });
      await scene.restart();
      const inbox = scene.serve();
      scene.stand.end();
      await inbox.take(1);
      await scene.store.flush();
      await scene.crash();
      scene.stand.results = results;
      const unclaimed: unknown[] = [];
      (await scene.open()).onUnclaimed((outcome) => unclaimed.push(outcome));
      await scene.quiet();
      assert.deepEqual([scene.stand.unacknowledged, unclaimed], [[], []]);
      assert.deepEqual(await scene.rowsInTheEnd(), []);
    });
  });

  describe('of a call that is tried again', () => {
    beforeEach(async () => void (await scene.open()));

    const retry = { retries: 2, errors: [], backoffMs: 0 };

    /** Ends the open task as a failure, and waits until the call is with the service again or told of. */
    async function fail(ending: Ending): Promise<void> {
      await until(() => scene.stand.open.length > 0);
      scene.stand.end(scene.stand.open, () => ending);
      await scene.quiet();
    }

    it('knows how often that was, so that no restart gives it more tries', async () => {
      scene.submit('x', { retry });
      for (let i = 0; i < 2; i++) {
        await fail({ exception: 'ValueError: no' });
        await until(() => scene.stand.open.length > 0);
        await scene.quiet();
        await scene.restartAfterCrash();
      }
      const inbox = scene.serve();
      await fail({ exception: 'ValueError: no' });
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, ['REMOTE_EXCEPTION']);
      assert.equal(scene.stand.tasks.size, 3);
    });

    it('ends it after ten interruptions, though it is repeatable, and counts no try for them', async () => {
      const interrupted: Ending = { exception: 'The hub ended.', error_code: 'TASK_INTERRUPTED' };
      scene.submit('x', { repeatable: true, retry: { ...retry, errors: ['ValueError'] } });
      for (let i = 0; i < 10; i++) {
        await fail(interrupted);
        await until(() => scene.stand.open.length > 0);
        await scene.quiet();
        if (i % 4 === 0) await scene.restartAfterCrash();
      }
      await fail({ exception: 'ValueError: no' });
      const inbox = scene.serve();
      await fail(interrupted);
      await inbox.take(1);
      assert.deepEqual(inbox.outcomes, ['TASK_INTERRUPTED']);
      assert.equal(scene.stand.tasks.size, 12);
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
      assert.deepEqual(await scene.rowsInTheEnd(), []);
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
});
