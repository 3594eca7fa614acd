import assert from 'node:assert/strict';
import { forbidden } from '../../stand-in/service.js';
import { OWNER, Scene, turns, until } from './fixture.js';

describe('the ledger of what may have been sent on before', () => {
  let scene: Scene;

  beforeEach(() => {
    scene = new Scene();
    scene.stand.holding = true;
  });
  afterEach(() => scene.clean());

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
    await scene.quiet();
    assert.equal(scene.stand.open.length, 1);
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
    await scene.quiet();
    assert.equal(scene.stand.open.length, 1);
    await scene.restartAfterCrash();
    const asked = scene.stand.statusRequests.length;
    const inbox = scene.serve();
    await until(() => scene.stand.statusRequests.length > asked - 1 && scene.stand.idle);
    await turns();
    scene.stand.end();
    const [delivery] = await inbox.take(1);
    assert.deepEqual([delivery?.recovered, delivery?.redelivered], [true, false]);
    assert.equal(scene.stand.tasks.size, 1);
  });

  it('does not trust the clock of the service', async () => {
    await scene.open();
    scene.submit('sent on');
    await scene.quiet();
    assert.equal(scene.stand.open.length, 1);
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
    await scene.quiet();
    assert.equal(scene.stand.open.length, 1);
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

  it('takes a process that rests for one that has ended well', async () => {
    await scene.open();
    scene.submit('waits');
    await scene.quiet();
    await scene.ledger.rest(true);
    await scene.crash();
    scene.stand.end();
    await scene.open();
    const inbox = scene.serve();
    assert.equal((await inbox.take(1))[0]?.redelivered, false);
  });

  it('takes one that rested and went on for one that crashed', async () => {
    await scene.open();
    scene.submit('waits');
    await scene.quiet();
    await scene.ledger.rest(true);
    await scene.ledger.rest(false);
    await scene.crash();
    scene.stand.end();
    await scene.open();
    const inbox = scene.serve();
    assert.equal((await inbox.take(1))[0]?.redelivered, true);
  });
});
