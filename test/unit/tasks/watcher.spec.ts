import assert from 'node:assert/strict';
import { FuncXError, ServiceError, type TaskGroupId, type TaskId, type TaskStatus } from '../../../dist/lib/index.js';
import type { Waiter } from '../../../dist/lib/tasks/waiter.js';
import { Watcher } from '../../../dist/lib/tasks/watcher.js';
import { useClock } from './clock.js';
import { newId, StandIn, success, turn } from './stand-in.js';

describe('the watcher', () => {
  let service: StandIn;
  let watcher: Watcher;
  let expecting: boolean;
  let unclaimed: [TaskId, take: () => void][];
  let told: [name: string, what: TaskId | string][];
  const group = newId<TaskGroupId>();

  beforeEach(() => {
    service = new StandIn();
    expecting = false;
    unclaimed = [];
    told = [];
    watcher = new Watcher(
      service,
      () => expecting,
      (status, take) => unclaimed.push([status.task_id, take]),
    );
  });
  afterEach(() => watcher.close());

  function waiter(name = 'waiter'): Waiter {
    return {
      ended: (status: TaskStatus) => told.push([name, status.task_id]),
      failed: (error: FuncXError) => told.push([name, error.code]),
    };
  }

  const offered = () => unclaimed.map(([id]) => id);

  describe('of tasks whose results are pushed', () => {
    it('tells who waits, once; what was sent on is then acknowledged', async () => {
      const [a, b] = [newId<TaskId>(), newId<TaskId>()];
      watcher.follow(group);
      watcher.follow(group);
      assert.equal(service.streams.length, 1);
      watcher.expect(a, waiter('a'));
      watcher.expect(b, waiter('b'));
      assert.equal(watcher.size, 2);
      service.tell(success(b), success(a));
      assert.deepEqual(told, [
        ['b', b],
        ['a', a],
      ]);
      assert.equal(watcher.size, 0);
      await turn();
      assert.deepEqual(service.acknowledged, []);
      watcher.ack(b);
      watcher.ack(a);
      await turn();
      assert.deepEqual(service.acknowledged, [b, a]);
    });

    it('keeps a result that comes before its task id, and tells it then', () => {
      const id = newId<TaskId>();
      watcher.follow(group);
      expecting = true;
      service.tell(success(id));
      assert.deepEqual([told, offered(), service.acknowledged], [[], [], []]);
      watcher.expect(id, waiter());
      assert.deepEqual(told, [['waiter', id]]);
      watcher.settleEarly();
      assert.deepEqual(offered(), []);
    });

    it('offers a result that nobody waits for, and acknowledges it only when it is taken', async () => {
      const id = newId<TaskId>();
      watcher.follow(group);
      service.tell(success(id));
      assert.equal(unclaimed.length, 1);
      assert.deepEqual(service.acknowledged, []);
      unclaimed[0]?.[1]();
      await turn();
      assert.deepEqual(service.acknowledged, [id]);
    });

    it('offers what was held back for submissions on their way when those have arrived', () => {
      const id = newId<TaskId>();
      watcher.follow(group);
      expecting = true;
      service.tell(success(id));
      watcher.settleEarly();
      assert.deepEqual(offered(), []);
      expecting = false;
      watcher.settleEarly();
      assert.deepEqual(offered(), [id]);
    });

    it('holds back no more than 10,000', () => {
      watcher.follow(group);
      expecting = true;
      service.tell(...Array.from({ length: 10_001 }, () => success(newId<TaskId>())));
      assert.equal(unclaimed.length, 1);
    });

    it('offers again what nobody has taken, which the service is asked for', async () => {
      const [a, b] = [newId<TaskId>(), newId<TaskId>()];
      watcher.follow(group);
      for (const id of [a, b]) service.known.set(id, success(id));
      service.tell(success(a), success(b));
      unclaimed[0]?.[1]();
      watcher.offerAgain();
      await turn();
      assert.deepEqual(offered(), [a, b, b]);
      unclaimed[2]?.[1]();
      watcher.offerAgain();
      await turn();
      assert.equal(unclaimed.length, 3);
    });

    it('tells nobody of a result that comes again after it was acknowledged, but acknowledges it again', async () => {
      const id = newId<TaskId>();
      watcher.follow(group);
      watcher.expect(id, waiter());
      service.tell(success(id));
      watcher.ack(id);
      service.tell(success(id));
      await turn();
      assert.deepEqual([told.length, offered(), service.acknowledged], [1, [], [id, id]]);
    });

    it('remembers that for the last 10,000 at least, and not for ever', () => {
      const ids = Array.from({ length: 40_000 }, () => newId<TaskId>());
      watcher.follow(group);
      for (const id of ids) watcher.ack(id);
      service.tell(...ids.map((id) => success(id)));
      const forgotten = offered();
      assert.deepEqual(forgotten, ids.slice(0, forgotten.length));
      assert.ok(forgotten.length >= 20_000 && forgotten.length <= 30_000);
    });

    it('tells nobody of a result that comes again while it is somebody’s, and does not acknowledge it', async () => {
      const id = newId<TaskId>();
      watcher.follow(group);
      watcher.expect(id, waiter());
      service.tell(success(id));
      watcher.claim(id);
      service.tell(success(id));
      await turn();
      assert.deepEqual([told.length, offered(), service.acknowledged], [1, [], []]);
    });
  });

  describe('of a task whose result does not come', () => {
    const clock = useClock();
    const ids = Array.from({ length: 130 }, () => newId<TaskId>());

    it('asks for it after half a minute, in portions of 128, one a second', async () => {
      for (const id of ids) service.known.set(id, { task_id: id, status: 'running' });
      for (const id of ids) watcher.expect(id, waiter());
      await clock.pass(29_999);
      assert.deepEqual(service.asked, []);
      await clock.pass(1);
      await clock.pass(1000);
      assert.deepEqual(service.asked, [ids.slice(0, 128), ids.slice(128)]);
      await clock.pass(29_999);
      assert.equal(service.asked.length, 2);
      assert.deepEqual(told, []);
    });

    it('ends one that the service has forgotten, when it has said so twice', async () => {
      const [id] = ids as [TaskId];
      watcher.expect(id, waiter());
      await clock.pass(30_000);
      assert.deepEqual(told, []);
      await clock.pass(30_000);
      assert.deepEqual(told, [['waiter', id]]);
      await clock.pass(60_000);
      assert.equal(service.asked.length, 2, 'and asks no more');
    });

    it('tells a result that was never pushed', async () => {
      const [id] = ids as [TaskId];
      service.known.set(id, success(id));
      watcher.expect(id, waiter());
      await clock.pass(30_000);
      assert.deepEqual(told, [['waiter', id]]);
    });

    it('goes on after a portion that the service refuses to tell of', async () => {
      const [id] = ids as [TaskId];
      watcher.expect(id, waiter());
      service.failure = new ServiceError('REQUEST_MALFORMED', 400, 'no');
      await clock.pass(30_000);
      service.failure = undefined;
      for (let i = 0; i < 2; i++) await clock.pass(30_000);
      assert.deepEqual(told, [['waiter', id]]);
    });

    it('asks for none that has come', async () => {
      watcher.follow(group);
      const [id] = ids as [TaskId];
      watcher.expect(id, waiter());
      service.tell(success(id));
      await clock.pass(30_000);
      assert.deepEqual(service.asked, []);
    });
  });

  describe('of a task that may have ended long ago', () => {
    it('asks once for all that came in one turn, in portions of 128', async () => {
      const ids = Array.from({ length: 300 }, () => newId<TaskId>());
      for (const id of ids) {
        service.known.set(id, success(id));
        watcher.wait(id, waiter());
      }
      assert.equal(told.length, 0);
      await turn();
      await turn();
      assert.deepEqual(
        service.asked.map(({ length }) => length),
        [128, 128, 44],
      );
      assert.deepEqual(
        told.map(([, id]) => id),
        ids,
      );
    });

    it('tells everybody who waits for it', async () => {
      const id = newId<TaskId>();
      watcher.follow(group);
      watcher.expect(id, waiter('a'));
      watcher.wait(id, waiter('b'));
      watcher.wait(id, waiter('c'));
      service.tell(success(id));
      await turn();
      assert.deepEqual(
        told.map(([name]) => name),
        ['a', 'b', 'c'],
      );
    });

    it('is asked for again until it has ended, though its group is not followed', async () => {
      const [slow, fast] = [newId<TaskId>(), newId<TaskId>()];
      service.known.set(slow, { task_id: slow, status: 'running' });
      service.known.set(fast, success(fast));
      const ended = new Promise<void>((resolve) => {
        watcher.wait(slow, { ended: () => resolve(), failed: assert.fail });
      });
      watcher.wait(fast, waiter());
      await turn();
      assert.deepEqual(told, [['waiter', fast]]);
      service.known.set(slow, success(slow));
      await ended;
      assert.deepEqual(service.asked, [[slow, fast], [slow]]);
    });

    it('is asked for again though the service cannot be asked for a while', async () => {
      const id = newId<TaskId>();
      service.known.set(id, success(id));
      service.failure = new FuncXError('SERVICE_UNREACHABLE', 'gone for a moment');
      const ended = new Promise<void>((resolve) => {
        watcher.wait(id, { ended: () => resolve(), failed: assert.fail });
      });
      await turn();
      service.failure = undefined;
      await ended;
      assert.equal(service.asked.length, 2);
    }).timeout(10_000);

    it('tells that the service refuses to tell, those alone whom it concerns', async () => {
      service.failure = new ServiceError('USER_UNAUTHENTICATED', 401, 'no way');
      const [a, b] = [newId<TaskId>(), newId<TaskId>()];
      watcher.follow(group);
      watcher.expect(a, waiter('is told'));
      watcher.wait(a, waiter('a'));
      watcher.wait(b, waiter('b'));
      await turn();
      assert.deepEqual(told, [
        ['a', 'USER_UNAUTHENTICATED'],
        ['b', 'USER_UNAUTHENTICATED'],
      ]);
      service.tell(success(a));
      assert.deepEqual(told[2], ['is told', a]);
    });

    it('is said to be unknown where the service leaves it out', async () => {
      const id = newId<TaskId>();
      const reason = new Promise((resolve) => {
        watcher.wait(id, { ended: (status) => resolve(status.reason), failed: assert.fail });
      });
      assert.match(String(await reason), /unknown task/i);
    });

    it('tells who waits that it has not ended', async () => {
      const id = newId<TaskId>();
      const running = { task_id: id, status: 'running' };
      service.known.set(id, running);
      const seen: TaskStatus[] = [];
      watcher.wait(id, { ...waiter(), pending: (status) => seen.push(status) });
      await turn();
      assert.deepEqual(seen, [running]);
    });

    it('is forgotten when who waits has stopped, and told to those who have not', async () => {
      const id = newId<TaskId>();
      watcher.follow(group);
      const stop = watcher.wait(id, waiter('a'));
      watcher.wait(id, waiter('b'));
      stop();
      stop();
      service.tell(success(id));
      assert.deepEqual(told, [['b', id]]);
      const other = newId<TaskId>();
      watcher.wait(other, waiter('c'))();
      await turn();
      assert.ok(!service.asked.flat().includes(other));
      service.tell(success(other));
      assert.deepEqual(told.length, 1);
      assert.deepEqual(offered(), [other]);
    });
  });

  it('that was closed listens to nothing, asks nothing and tells nothing', async () => {
    const [a, b] = [newId<TaskId>(), newId<TaskId>()];
    watcher.follow(group);
    watcher.expect(a, waiter('a'));
    watcher.wait(b, waiter('b'));
    watcher.close();
    await turn();
    service.tell(success(a), success(b));
    watcher.follow(newId<TaskGroupId>());
    watcher.expect(newId<TaskId>(), waiter('c'));
    assert.deepEqual([told, offered(), service.asked], [[], [], []]);
    assert.deepEqual(
      service.streams.map(({ closed }) => closed),
      [true],
    );
    watcher.wait(newId<TaskId>(), waiter('late'));
    assert.deepEqual(told, []);
    await turn();
    assert.deepEqual(told, [['late', 'CLOSED']]);
  });
});
