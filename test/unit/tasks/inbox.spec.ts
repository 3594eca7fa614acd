import assert from 'node:assert/strict';
import { type Held, Inbox } from '../../../dist/lib/tasks/inbox.js';
import { ENDPOINT, FUNCTION, OWNER, PLAIN, Scene, turns, until } from './fixture.js';

describe('the inbox', () => {
  let scene: Scene;
  let inbox: Inbox;
  let unreadable: Error[];

  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.clean());

  async function open(): Promise<void> {
    await scene.open();
    inbox = new Inbox(PLAIN);
    unreadable = [];
    await inbox.attach(scene.store, (error) => unreadable.push(error));
  }

  const rows = () => scene.store.all('SELECT number, owner FROM inbox ORDER BY number');
  const waiting = (owner = OWNER) => [...inbox.of(owner)].map(({ parcel }) => parcel);
  const takeIn = (held: Held) =>
    scene.client.submitFor(OWNER, held.parcel, { functionId: FUNCTION, calls: [{ args: [held.parcel] }] }, {}, held);

  it('has after a crash what was in it for longer than one commit, in its order, for whom it came', async () => {
    await open();
    for (const parcel of [1, 2, 3]) inbox.add(OWNER, parcel, true);
    inbox.add('other', 4, true);
    await scene.store.flush();
    await scene.crash();
    await open();
    assert.deepEqual([waiting(), waiting('other')], [[1, 2, 3], [4]]);
    assert.ok([...inbox.of(OWNER)].every(({ recovered }) => recovered));
  });

  it('takes what comes before its store is open, and puts it after what an earlier process has left', async () => {
    await open();
    inbox.add(OWNER, 1, true);
    await scene.store.flush();
    await scene.crash();
    await scene.open();
    inbox = new Inbox(PLAIN);
    inbox.add(OWNER, 2, true);
    await inbox.attach(scene.store, () => {});
    assert.deepEqual(waiting(), [1, 2]);
    await scene.store.flush();
    await scene.crash();
    await open();
    assert.deepEqual(waiting(), [1, 2]);
  });

  it('writes nothing of what leaves before the commit, and nothing that is not to be stored', async () => {
    await open();
    inbox.add(OWNER, 1, true).remove();
    inbox.add(OWNER, 2, false);
    assert.deepEqual(await rows(), []);
    assert.deepEqual(waiting(), [2]);
  });

  it('is empty when everything has left', async () => {
    await open();
    const all = [1, 2].map((parcel) => inbox.add(OWNER, parcel, true));
    await scene.store.flush();
    for (const held of all) held.remove();
    for (const held of all) held.remove();
    assert.deepEqual(await rows(), []);
    assert.deepEqual([...inbox.counts()], []);
  });

  it('stores of a parcel what can be stored', async () => {
    await open();
    inbox.add(OWNER, { payload: 1, callback: () => {} }, true);
    await scene.store.flush();
    await scene.crash();
    await open();
    assert.deepEqual(waiting(), [{ payload: 1 }]);
  });

  it('says of a row that it cannot read, and leaves it where it is', async () => {
    await open();
    for (const parcel of [1, 2]) inbox.add(OWNER, parcel, true);
    await scene.store.flush();
    scene.store.write('UPDATE inbox SET parcel = ? WHERE number = 1', [Uint8Array.of(9, 9)]);
    await scene.close();
    await open();
    assert.deepEqual([waiting(), unreadable.length, (await rows()).length], [[2], 1, 2]);
  });

  it('keeps what is on the disk for the next store, and nothing of it in memory', async () => {
    await open();
    inbox.add(OWNER, 1, true);
    await scene.close();
    inbox.detach();
    assert.deepEqual(waiting(), []);
    await scene.open();
    await inbox.attach(scene.store, () => {});
    assert.deepEqual(waiting(), [1]);
  });

  describe('gives what waited on the disk to the ledger', () => {
    async function withOneOnDisk(): Promise<Held> {
      await open();
      inbox.add(OWNER, 'waited', true);
      await scene.store.flush();
      return [...inbox.of(OWNER)][0] as Held;
    }

    it('in one commit: before it the inbox has it, and nothing was submitted', async () => {
      takeIn(await withOneOnDisk());
      await turns();
      assert.equal(scene.stand.submissions.length, 0);
      await scene.crash();
      await open();
      assert.deepEqual([waiting(), [...scene.client.entriesOf(OWNER)].length], [['waited'], 0]);
    });

    it('in one commit: after it the ledger has it, and it is submitted once', async () => {
      scene.stand.holding = true;
      takeIn(await withOneOnDisk());
      await until(() => scene.stand.open.length === 1);
      await scene.quiet();
      await scene.crash();
      await open();
      assert.deepEqual([waiting(), await rows()], [[], []]);
      scene.stand.holding = false;
      const served = scene.serve();
      scene.stand.end();
      await served.take(1);
      assert.deepEqual([served.outcomes, scene.stand.tasks.size], [['waited'], 1]);
    });

    it('and marks what comes of it as recovered where an earlier process has left it', async () => {
      await withOneOnDisk();
      await scene.crash();
      await open();
      for (const held of inbox.of(OWNER)) takeIn(held);
      const [delivery] = await scene.serve().take(1);
      assert.deepEqual([delivery?.recovered, delivery?.redelivered], [true, false]);
    });

    it('and has what is handed in later wait behind it', async () => {
      const held = await withOneOnDisk();
      const served = scene.serve();
      takeIn(held);
      scene.submit('later');
      await served.take(2);
      assert.deepEqual(served.outcomes, ['waited', 'later']);
    });

    it('and tells nothing of it before the commit, also where there is no room for it', async () => {
      const held = await withOneOnDisk();
      scene.client.configure({ queueLimit: 1, inFlight: 1 });
      scene.stand.holding = true;
      scene.submit('first');
      await until(() => scene.stand.open.length === 1);
      const served = scene.serve();
      takeIn(held);
      await turns();
      assert.deepEqual(served.outcomes, []);
      await served.take(1);
      assert.deepEqual([served.outcomes, await rows()], [['QUEUE_FULL'], []]);
    });

    it('and takes it back when it is cancelled meanwhile', async () => {
      takeIn(await withOneOnDisk());
      assert.equal(scene.client.cancelFor(OWNER), 1);
      const served = scene.serve();
      await served.take(1);
      await scene.quiet();
      assert.deepEqual([served.outcomes, scene.stand.submissions.length], [['TASK_CANCELLED'], 0]);
      assert.equal(scene.client.counts.pending, 0);
    });

    it('as one that waits for tasks of others too', async () => {
      const held = await withOneOnDisk();
      const { taskIds } = await scene.client.batchRun({ functionId: FUNCTION, endpointId: ENDPOINT, calls: [{}] });
      const served = scene.serve();
      scene.client.waitForOwner(OWNER, 'parcel', taskIds, {}, held);
      await served.take(1);
      await scene.quiet();
      assert.deepEqual([await rows(), scene.client.counts.pending], [[], 0]);
    });
  });
});
