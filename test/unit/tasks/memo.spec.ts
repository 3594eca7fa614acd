import assert from 'node:assert/strict';
import { forbidden, StandIn } from '../../stand-in/service.js';
import { useClock } from './clock.js';
import { ENDPOINT, FUNCTION, type Inbox, OWNER, Scene, turns } from './fixture.js';

const MEMO = { memoMs: 60_000 };

describe('memoization', () => {
  const clock = useClock();
  let scene: Scene;
  let inbox: Inbox;

  beforeEach(async () => {
    scene = new Scene(new StandIn({ cancel: true }));
    await scene.openWithoutLedger();
    inbox = scene.serve();
  });
  afterEach(() => scene.clean());

  /** Number of tasks that the service has run. */
  const runs = () => scene.stand.tasks.size;

  it('is off unless asked for', async () => {
    scene.submit('same');
    await turns();
    scene.submit('same');
    await turns();
    assert.equal(runs(), 2);
  });

  it('gives the same function and arguments the result there is, without a task', async () => {
    scene.submit('same', MEMO);
    await turns();
    scene.submit('same', MEMO);
    await turns();
    assert.deepEqual([inbox.outcomes, runs()], [['same', 'same'], 1]);
    assert.deepEqual(scene.client.counts, { pending: 0, queued: 0, blocked: 0, done: 2, failed: 0, dropped: 0 });
  });

  it('tells nothing before the caller is done', async () => {
    scene.submit('same', MEMO);
    await turns();
    scene.submit('same', MEMO);
    assert.equal(inbox.deliveries.length, 1);
  });

  it('tells other arguments, functions and endpoints apart', async () => {
    const call = (functionId: string, endpointId: string, arg: unknown) =>
      scene.client.submitFor(
        OWNER,
        0,
        { functionId: functionId as never, endpointId: endpointId as never, calls: [{ args: [arg] }] },
        MEMO,
      );
    call(FUNCTION, ENDPOINT, 'a');
    call(FUNCTION, ENDPOINT, 'b');
    call('33333333-3333-4333-8333-333333333333', ENDPOINT, 'a');
    call(FUNCTION, '44444444-4444-4444-8444-444444444444', 'a');
    call(FUNCTION, ENDPOINT, `${'long'.repeat(1_000)}a`);
    call(FUNCTION, ENDPOINT, `${'long'.repeat(1_000)}b`);
    await turns();
    assert.equal(runs(), 6);
  });

  it('knows long arguments again', async () => {
    scene.submit('long'.repeat(10_000), MEMO);
    await turns();
    scene.submit('long'.repeat(10_000), MEMO);
    await turns();
    assert.deepEqual([inbox.deliveries.length, runs()], [2, 1]);
  });

  it('does not use a result that is older than the call allows', async () => {
    scene.submit('same', MEMO);
    await clock.pass(60_000);
    scene.submit('same', MEMO);
    await turns();
    assert.equal(runs(), 1);
    await clock.pass(1);
    scene.submit('same', { memoMs: 10 });
    await turns();
    assert.equal(runs(), 2);
    await clock.pass(60_001);
    scene.submit('same', MEMO);
    await turns();
    assert.equal(runs(), 3);
  });

  it('is passed by where a message says so, which changes nothing for others', async () => {
    scene.submit('same', MEMO);
    await turns();
    scene.submit('same');
    await turns();
    scene.submit('same', MEMO);
    await turns();
    assert.equal(runs(), 2);
  });

  it('keeps no failure', async () => {
    scene.stand.ending = () => ({ exception: 'ValueError: boom' });
    scene.submit('same', MEMO);
    await turns();
    scene.stand.ending = ({ args }) => ({ result: args[0] });
    scene.submit('same', MEMO);
    await turns();
    assert.deepEqual(inbox.outcomes, ['REMOTE_EXCEPTION', 'same']);
  });

  it('keeps a bounded number of results, the youngest', async () => {
    scene.client.configure({ queueLimit: 20_000 });
    scene.submit('oldest', MEMO);
    await turns();
    for (let i = 0; i < 10_000; i++) scene.submit(i, MEMO);
    await inbox.take(10_001);
    scene.submit('oldest', MEMO);
    scene.submit(9_999, MEMO);
    await inbox.take(10_003);
    assert.equal(runs(), 10_002);
  }).timeout(20_000);

  it('keeps a bounded number of characters', async () => {
    const large = 'x'.repeat(9 * 1024 * 1024);
    scene.stand.ending = ({ args }) => ({ result: `${args[0]}${large}` });
    for (let i = 0; i < 8; i++) {
      scene.submit(i, MEMO);
      await inbox.take(i + 1);
    }
    const before = runs();
    scene.submit(7, MEMO);
    await inbox.take(9);
    assert.equal(runs(), before);
    scene.submit(0, MEMO);
    await inbox.take(10);
    assert.equal(runs(), before + 1);
  }).timeout(20_000);

  describe('of calls at the same time', () => {
    beforeEach(() => {
      scene.stand.holding = true;
    });

    it('runs one task for all, and each gets the result', async () => {
      for (let i = 0; i < 5; i++) scene.submit('same', MEMO);
      await turns();
      assert.equal(runs(), 1);
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, Array(5).fill('same'));
      assert.deepEqual(scene.stand.unacknowledged, []);
      assert.equal(scene.client.counts.done, 5);
    });

    it('gives all of them the failure of the one', async () => {
      for (let i = 0; i < 3; i++) scene.submit('same', MEMO);
      await turns();
      scene.stand.end(scene.stand.open, () => ({ exception: 'ValueError: boom' }));
      await turns();
      assert.deepEqual(inbox.outcomes, Array(3).fill('REMOTE_EXCEPTION'));
    });

    it('makes each of them try where the one is refused', async () => {
      scene.stand.refuse('submit', forbidden());
      for (let i = 0; i < 3; i++) scene.submit('same', MEMO);
      await turns();
      assert.deepEqual([inbox.outcomes, runs()], [['ENDPOINT_ACCESS_FORBIDDEN'], 1]);
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, ['ENDPOINT_ACCESS_FORBIDDEN', 'same', 'same']);
    });

    it('runs it for the others when the one is taken back', async () => {
      for (const owner of ['first', OWNER, OWNER]) scene.submit('same', MEMO, owner);
      scene.serve('first');
      await turns();
      scene.client.cancelFor('first');
      await turns();
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, ['same', 'same']);
      scene.submit('same', MEMO);
      await turns();
      assert.equal(inbox.outcomes.length, 3);
      assert.equal(runs(), 2);
    });

    it('runs it for the others when the one is taken back before the service has replied', async () => {
      for (const owner of ['first', OWNER, OWNER]) scene.submit('same', MEMO, owner);
      scene.serve('first');
      scene.client.cancelFor('first');
      await turns();
      scene.stand.end();
      await turns();
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, ['same', 'same']);
    });

    it('runs it for the others when the one is past its deadline', async () => {
      scene.submit('same', { ...MEMO, deadline: Date.now() + 1_000 });
      scene.submit('same', MEMO);
      await clock.pass(1_100);
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED', 'same']);
    });

    it('runs it for the others when the one is dropped', async () => {
      scene.client.configure({ inFlight: 1, queueLimit: 4, whenFull: 'drop-oldest' });
      scene.submit('runs');
      scene.submit('same', MEMO);
      scene.submit('same', MEMO);
      scene.submit('waits');
      scene.submit('new');
      scene.stand.holding = false;
      await turns();
      scene.stand.end();
      await inbox.take(5);
      assert.deepEqual(inbox.outcomes, ['DROPPED', 'runs', 'waits', 'same', 'new']);
    });

    it('goes on for the one when another is taken back', async () => {
      for (const owner of [OWNER, 'second', OWNER]) scene.submit('same', MEMO, owner);
      scene.serve('second');
      await turns();
      scene.client.cancelFor('second');
      await turns();
      assert.deepEqual([runs(), scene.stand.cancelled], [1, []]);
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, ['same', 'same']);
      assert.equal(scene.client.counts.pending, 0);
    });

    it('runs it for those that are left when the one is taken back, and another was before', async () => {
      for (const owner of ['first', 'second', OWNER, OWNER]) scene.submit('same', MEMO, owner);
      await turns();
      for (const owner of ['second', 'first']) scene.client.cancelFor(owner);
      await turns();
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, ['same', 'same']);
      assert.equal(scene.client.counts.pending, 0);
    });

    it('goes on for the one when another is past its deadline', async () => {
      scene.submit('same', MEMO);
      scene.submit('same', { ...MEMO, deadline: Date.now() + 1_000 });
      await clock.pass(1_100);
      assert.deepEqual([inbox.outcomes, runs()], [['DEADLINE_EXCEEDED'], 1]);
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, ['DEADLINE_EXCEEDED', 'same']);
    });

    it('waits for the retries of the one', async () => {
      const retry = { retries: 1, errors: [], backoffMs: 1_000 };
      scene.submit('same', { ...MEMO, retry });
      scene.submit('same', MEMO);
      await turns();
      scene.stand.end(scene.stand.open, () => ({ exception: 'ValueError: boom' }));
      await clock.pass(2_000);
      scene.stand.end();
      await turns();
      assert.deepEqual(inbox.outcomes, ['same', 'same']);
    });

    it('runs it again after a restart, for each call that had no task of its own', async () => {
      await scene.client.close();
      scene = new Scene();
      scene.stand.holding = true;
      await scene.open();
      for (let i = 0; i < 3; i++) scene.submit('same', MEMO);
      await scene.quiet();
      await scene.restart();
      inbox = scene.serve();
      scene.stand.holding = false;
      await turns();
      scene.stand.end();
      await scene.quiet();
      await inbox.take(3);
      assert.deepEqual(inbox.outcomes, ['same', 'same', 'same']);
      assert.ok(runs() <= 2);
    });
  });
});
