import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { RetryPolicy } from '../../../dist/lib/client.js';
import { type Ending, forbidden, outOfOrder, tooManyRequests, unreachable } from '../../stand-in/service.js';
import { useClock } from './clock.js';
import { type Inbox, OWNER, Scene, turns } from './fixture.js';

const VALUE_ERROR: Ending = { exception: 'Traceback (most recent call last):\n  File "f", line 1\nValueError: boom\n' };
const WORKER_LOST: Ending = { exception: 'The worker has ended.', error_code: 'WORKER_LOST' };
const LONG = 3_600_000;

describe('retries', () => {
  const clock = useClock();
  let scene: Scene;
  let inbox: Inbox;

  beforeEach(async () => {
    scene = new Scene();
    await scene.openWithoutLedger();
    inbox = scene.serve();
  });
  afterEach(() => scene.clean());

  /** The tries of the one call end like this; those after the last succeed. */
  function tries(...endings: readonly Ending[]): void {
    let next = 0;
    scene.stand.ending = ({ args }) => endings[next++] ?? { result: args[0] };
  }

  function submit(retry: Partial<RetryPolicy>): void {
    scene.submit('result', { retry: { retries: 1, errors: [], backoffMs: 1_000, ...retry } });
  }

  describe('of a task that failed', () => {
    it('are none unless asked for', async () => {
      tries(VALUE_ERROR);
      scene.submit('result');
      await clock.pass(LONG);
      assert.deepEqual(inbox.outcomes, ['REMOTE_EXCEPTION']);
    });

    it('are as many as asked for, and the last failure is told', async () => {
      tries(VALUE_ERROR, VALUE_ERROR, WORKER_LOST, VALUE_ERROR);
      submit({ retries: 2 });
      for (let i = 0; i < 5; i++) await clock.pass(LONG);
      assert.deepEqual(inbox.outcomes, ['WORKER_LOST']);
      assert.equal(scene.stand.tasks.size, 3);
      assert.deepEqual(scene.stand.unacknowledged, []);
      assert.deepEqual([scene.client.counts.failed, scene.client.counts.pending], [1, 0]);
    });

    it('end with the first success', async () => {
      tries(VALUE_ERROR);
      submit({ retries: 5 });
      await clock.pass(LONG);
      assert.deepEqual(inbox.outcomes, ['result']);
      assert.equal(scene.stand.tasks.size, 2);
      assert.deepEqual([scene.client.counts.done, scene.client.counts.failed], [1, 0]);
    });

    for (const [name, errors, ending, tried] of [
      ['by code', ['WORKER_LOST'], WORKER_LOST, true],
      ['by another code', ['WORKER_LOST'], VALUE_ERROR, false],
      ['by the name of the exception', ['KeyError', 'ValueError'], VALUE_ERROR, true],
      ['by another name', ['KeyError'], VALUE_ERROR, false],
      ['by the code of all exceptions', ['REMOTE_EXCEPTION'], VALUE_ERROR, true],
    ] as const) {
      it(`are ${tried ? 'made' : 'not made'} where errors are named ${name}`, async () => {
        tries(ending);
        submit({ errors });
        await clock.pass(LONG);
        assert.deepEqual(inbox.outcomes[0] === 'result', tried);
        assert.equal(inbox.deliveries.length, 1);
      });
    }

    it('wait twice as long each time, less up to a half, so that many calls do not come back together', async () => {
      tries(VALUE_ERROR, VALUE_ERROR, VALUE_ERROR, VALUE_ERROR);
      mock.method(Math, 'random', () => 0);
      submit({ retries: 4, backoffMs: 1_000 });
      for (const [round, pause] of [500, 1_000, 2_000, 4_000].entries()) {
        await clock.pass(pause - 1);
        assert.equal(scene.stand.tasks.size, round + 1);
        await clock.pass(1);
        assert.equal(scene.stand.tasks.size, round + 2);
      }
      mock.restoreAll();
    });

    it('wait for the whole pause at most', async () => {
      tries(VALUE_ERROR);
      mock.method(Math, 'random', () => 1 - Number.EPSILON);
      submit({ backoffMs: 1_000 });
      await clock.pass(998);
      assert.equal(scene.stand.tasks.size, 1);
      await clock.pass(2);
      assert.equal(scene.stand.tasks.size, 2);
      mock.restoreAll();
    });

    it('wait five minutes at most', async () => {
      tries(VALUE_ERROR);
      submit({ backoffMs: LONG });
      await clock.pass(5 * 60_000);
      assert.deepEqual(inbox.outcomes, ['result']);
    });

    it('leave their place to others meanwhile', async () => {
      scene.client.configure({ inFlight: 1 });
      tries(VALUE_ERROR);
      submit({});
      scene.submit('other');
      await turns();
      assert.deepEqual(inbox.outcomes, ['other']);
      await clock.pass(LONG);
      assert.deepEqual(inbox.outcomes, ['other', 'result']);
    });

    it('count as pending meanwhile, and against the limit of the queue', async () => {
      scene.client.configure({ queueLimit: 1 });
      tries(VALUE_ERROR);
      submit({});
      await turns();
      scene.submit('other');
      await turns();
      assert.deepEqual(inbox.outcomes, ['QUEUE_FULL']);
    });

    it('are not made of what is taken back meanwhile', async () => {
      tries(VALUE_ERROR);
      submit({});
      await turns();
      assert.equal(scene.client.cancelFor(OWNER), 1);
      await clock.pass(LONG);
      assert.deepEqual(inbox.outcomes, ['TASK_CANCELLED']);
      assert.equal(scene.stand.tasks.size, 1);
    });

    it('are not made after the deadline', async () => {
      tries(VALUE_ERROR);
      scene.submit('result', {
        retry: { retries: 1, errors: [], backoffMs: 10_000 },
        deadline: Date.now() + 1_000,
      });
      await clock.pass(LONG);
      assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED']);
      assert.equal(scene.stand.tasks.size, 1);
    });

    it('have the late result of an earlier try go to nobody', async () => {
      const unclaimed: unknown[] = [];
      scene.client.onUnclaimed((outcome) => unclaimed.push(outcome));
      tries(VALUE_ERROR);
      submit({});
      await turns();
      scene.stand.repeat([...scene.stand.tasks.values()]);
      await clock.pass(LONG);
      assert.deepEqual([inbox.outcomes, unclaimed], [['result'], []]);
    });

    it('are not made by a client that is closed', async () => {
      tries(VALUE_ERROR);
      submit({});
      await turns();
      await scene.client.close();
      await clock.pass(LONG);
      assert.equal(scene.stand.tasks.size, 1);
    });

    it('are never made of a task that was submitted by others, of which the arguments are not known', async () => {
      scene.stand.holding = true;
      scene.submit(1, {}, 'other');
      await turns();
      const ids = [...scene.stand.tasks.keys()];
      scene.client.waitForOwner(OWNER, 0, ids, { retry: { retries: 3, errors: [], backoffMs: 1 } });
      scene.stand.end(scene.stand.open, () => VALUE_ERROR);
      await clock.pass(LONG);
      assert.deepEqual(inbox.outcomes, ['REMOTE_EXCEPTION']);
      assert.equal(scene.stand.submissions.length, 1);
    });
  });

  describe('of a submission', () => {
    it('are made for as long as it takes where the failure may pass', async () => {
      scene.stand.refuse('submit', unreachable(), tooManyRequests(), outOfOrder(), unreachable());
      scene.submit('result');
      for (let i = 0; i < 5; i++) await clock.pass(60_000);
      assert.deepEqual(inbox.outcomes, ['result']);
    });

    it('are made after a pause, not at once', async () => {
      scene.stand.refuse('submit', tooManyRequests());
      scene.submit('result');
      await turns();
      assert.equal(scene.stand.submissions.length, 0);
      await clock.pass(60_000);
      assert.equal(scene.stand.submissions.length, 1);
    });

    it('are not made where the service refuses for good', async () => {
      scene.stand.refuse('submit', forbidden());
      submit({});
      await clock.pass(LONG);
      assert.deepEqual(inbox.outcomes, ['ENDPOINT_ACCESS_FORBIDDEN']);
    });

    it('are made all the same where the refusal is one of the errors named', async () => {
      scene.stand.refuse('submit', forbidden());
      submit({ errors: ['ENDPOINT_ACCESS_FORBIDDEN'] });
      await clock.pass(LONG);
      assert.deepEqual(inbox.outcomes, ['result']);
    });

    it('of one function that is refused do not take another down', async () => {
      const { submit: original } = scene.stand;
      const other = '33333333-3333-4333-8333-333333333333';
      scene.stand.submit = async (endpoint, body) => {
        if (other in body.tasks) throw forbidden();
        return original.call(scene.stand, endpoint, body);
      };
      scene.client.submitFor(OWNER, 0, { functionId: other as never, calls: [{ args: ['refused'] }] });
      scene.submit('made');
      await turns();
      assert.deepEqual(inbox.outcomes.sort(), ['ENDPOINT_ACCESS_FORBIDDEN', 'made']);
    });
  });
});
