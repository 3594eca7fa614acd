/** The client over the embedded hub: the verbs of the funcX SDK, with real functions. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  type EndpointId,
  type FunctionId,
  FuncXClient,
  RemoteException,
  type TaskGroupId,
  type TaskId,
  type TaskOutcome,
  TaskPending,
} from '../../../dist/lib/index.js';
import { type Bell, endOf, Lab, outcomeOf, outcomesOf, WAIT_FOR_ANSWER, warningsOf } from '../hub/fixture.js';

describe('the client over the hub', () => {
  let lab: Lab;
  let bell: Bell;
  let add: FunctionId;
  let bad: FunctionId;
  let wait: FunctionId;

  before(async () => {
    lab = await Lab.open();
    add = await lab.function('def add(a, b=0):\n    return a + b');
    bad = await lab.function('def bad():\n    raise ValueError("boom ✓")');
    wait = await lab.function(WAIT_FOR_ANSWER);
  });
  beforeEach(async () => {
    bell = await lab.bell();
  });
  after(() => lab.clean());

  describe('run', () => {
    it('gives a task id, and the task is durable then', async () => {
      const id = await lab.client.run({ functionId: add, args: [1], kwargs: { b: 2 } });
      const outcome = await endOf(lab.client, id);
      assert.equal(outcome.status === 'success' && outcome.result, 3);
    });

    it('of what is not known rejects with the code of the service', async () => {
      const functionId = randomUUID() as string as FunctionId;
      await assert.rejects(lab.client.run({ functionId }), { code: 'FUNCTION_NOT_FOUND' });
      const endpointId = randomUUID() as string as EndpointId;
      await assert.rejects(lab.client.run({ functionId: add, endpointId }), { code: 'ENDPOINT_NOT_FOUND' });
    });

    it('of what cannot be written for Python rejects with the place of it', async () => {
      const circle: unknown[] = [];
      circle.push(circle);
      await assert.rejects(lab.client.run({ functionId: add, args: [0, { a: circle }] }), {
        code: 'NOT_SERIALIZABLE',
        message: /args\[1\]\.a/,
      });
      await assert.rejects(lab.client.batchRun({ functionId: add, calls: [{ kwargs: { b: { c: circle } } }] }), {
        code: 'NOT_SERIALIZABLE',
        message: /kwargs\.b\.c/,
      });
    });
  });

  describe('batchRun', () => {
    it('gives ids in the order of the calls, and the group they are in', async () => {
      const calls = Array.from({ length: 1500 }, (_, i) => ({ args: [i] }));
      const { taskIds, taskGroupId } = await lab.client.batchRun({ functionId: add, calls });
      assert.equal(new Set(taskIds).size, 1500);
      assert.equal((await lab.hub.taskGroup(taskGroupId as TaskGroupId)).taskgroup_id, taskGroupId);
      const results = await Promise.all(taskIds.map((id) => endOf(lab.client, id)));
      assert.deepEqual(
        results.map((outcome) => outcome.status === 'success' && outcome.result),
        calls.map((_, i) => i),
      );
    });

    it('of nothing gives nothing', async () => {
      assert.deepEqual((await lab.client.batchRun({ functionId: add, calls: [] })).taskIds, []);
    });
  });

  describe('submit', () => {
    it('tells the end exactly once, and never before it has returned', async () => {
      const calls = [
        { functionId: add, args: [1] },
        { functionId: bad },
        { functionId: randomUUID() as string as FunctionId },
        { functionId: add, args: [1n << 20000n, Symbol('x')] },
        { functionId: add, args: [(() => {}) as unknown] },
        { functionId: 'no id' as FunctionId },
        { functionId: add, endpointId: 'nowhere' as EndpointId },
      ];
      const ends = calls.map(() => 0);
      const early: number[] = [];
      let returned = false;
      const all = calls.map(
        (call, i) =>
          new Promise<void>((resolve) => {
            lab.client.submit(call, () => {
              ends[i] = (ends[i] ?? 0) + 1;
              if (!returned) early.push(i);
              resolve();
            });
          }),
      );
      returned = true;
      await Promise.all(all);
      await outcomeOf(lab.client, add, { args: [2] });
      assert.deepEqual(ends, Array(calls.length).fill(1));
      assert.deepEqual(early, []);
    });

    it('counts what is pending, done and failed', async () => {
      const counts = ({ counts: { pending, done, failed } }: FuncXClient) => [pending, done, failed];
      const client = await lab.openClient();
      const first = outcomeOf(client, wait, { args: [bell.path] });
      const second = outcomeOf(client, bad);
      assert.deepEqual(counts(client), [2, 0, 0]);
      await second;
      assert.deepEqual(counts(client), [1, 0, 1]);
      (await bell.next()).answer();
      await first;
      assert.deepEqual(counts(client), [0, 1, 1]);
      await client.close();
    });

    it('of a batch tells each with its place', async () => {
      const calls = Array.from({ length: 100 }, (_, i) => (i % 10 === 3 ? { args: ['x', 1] } : { args: [i, 1] }));
      const outcomes = await outcomesOf(lab.client, add, calls);
      for (const [i, outcome] of outcomes.entries()) {
        if (i % 10 === 3) assert.ok(outcome.status === 'failed' && outcome.error instanceof RemoteException);
        else assert.equal(outcome.status === 'success' && outcome.result, i + 1);
      }
    });

    it('beyond the limit of the queue is refused with QUEUE_FULL, and what waits is not harmed', async () => {
      const client = await FuncXClient.open({ service: lab.hub, endpointId: lab.endpoint, queueLimit: 3 });
      const waiting = [1, 2, 3].map((i) => outcomeOf(client, wait, { args: [bell.path, i] }));
      const refused = await outcomeOf(client, add, { args: [1] });
      assert.ok(refused.status === 'failed');
      assert.equal(refused.error.code, 'QUEUE_FULL');
      assert.match(refused.error.message, /3 tasks/);
      for (let i = 0; i < 3; i++) (await bell.next()).answer();
      assert.deepEqual(
        (await Promise.all(waiting)).map((outcome) => outcome.status === 'success' && outcome.result),
        [1, 2, 3],
      );
      assert.equal((await outcomeOf(client, add, { args: [1] })).status, 'success');
      await client.close();
    });

    it('is not disturbed by listeners that throw', async () => {
      let outcomes: TaskOutcome[] = [];
      const warnings = await warningsOf(async () => {
        outcomes = await new Promise<TaskOutcome[]>((resolve) => {
          const told: TaskOutcome[] = [];
          lab.client.submitBatch({ functionId: add, calls: Array(20).fill({ args: [1] }) }, (index, outcome) => {
            told.push(outcome);
            if (told.length === 20) resolve(told);
            if (index % 2) throw new Error(`listener ${index}`);
          });
        });
      });
      assert.ok(outcomes.every(({ status }) => status === 'success'));
      assert.equal(warnings.filter(({ message }) => /listener \d/.test(message)).length, 10);
    });
  });

  describe('getResult', () => {
    it('of a task that has not ended throws TaskPending with its state', async () => {
      const id = await lab.client.run({ functionId: wait, args: [bell.path, 'x'] });
      const visitor = await bell.next();
      await assert.rejects(lab.client.getResult(id), (error) => {
        assert.ok(error instanceof TaskPending);
        assert.deepEqual([error.code, error.taskId, error.status], ['TASK_PENDING', id, 'running']);
        return true;
      });
      visitor.answer();
      await endOf(lab.client, id);
      assert.equal(await lab.client.getResult(id), 'x');
      assert.equal(await lab.client.getResult(id), 'x');
    });

    it('of a task that failed throws its error', async () => {
      const id = await lab.client.run({ functionId: bad });
      await endOf(lab.client, id);
      await assert.rejects(lab.client.getResult(id), (error) => {
        assert.ok(error instanceof RemoteException);
        assert.deepEqual(
          [error.code, error.message, error.pythonType, error.pythonMessage, error.taskId],
          ['REMOTE_EXCEPTION', 'ValueError: boom ✓', 'ValueError', 'boom ✓', id],
        );
        assert.match(error.traceback, /^Traceback .*\n.*line 2, in bad\nValueError: boom ✓\n$/);
        return true;
      });
    });

    it('of an unknown task throws TASK_NOT_FOUND', async () => {
      await assert.rejects(lab.client.getResult(randomUUID() as string as TaskId), { code: 'TASK_NOT_FOUND' });
    });
  });

  it('getBatchResult shows each task as the guide of the SDK does', async () => {
    const done = await lab.client.run({ functionId: add, args: [0] });
    const failed = await lab.client.run({ functionId: bad });
    await Promise.all([done, failed].map((id) => endOf(lab.client, id)));
    const running = await lab.client.run({ functionId: wait, args: [bell.path] });
    const visitor = await bell.next();
    const unknown = randomUUID() as string as TaskId;
    const results = await lab.client.getBatchResult([done, failed, running, unknown]);
    assert.deepEqual(Object.keys(results), [done, failed, running, unknown]);
    const completion = results[done]?.completion_t;
    assert.match(completion ?? '', /^\d{10}\.\d+$/);
    assert.deepEqual(results[done], { pending: false, status: 'success', result: 0, completion_t: completion });
    assert.deepEqual(results[running], { pending: true, status: 'running' });
    assert.ok(results[failed]?.exception instanceof RemoteException);
    assert.deepEqual([results[failed]?.pending, results[failed]?.status], [false, 'failed']);
    assert.equal(results[unknown]?.exception?.code, 'TASK_NOT_FOUND');
    assert.equal(results[unknown]?.pending, false);
    visitor.answer();
    await endOf(lab.client, running);
  });

  it('getBatchResult of more than one request can hold is whole', async () => {
    const calls = Array.from({ length: 300 }, (_, i) => ({ args: [i] }));
    const { taskIds } = await lab.client.batchRun({ functionId: add, calls });
    await Promise.all(taskIds.map((id) => endOf(lab.client, id)));
    const results = await lab.client.getBatchResult(taskIds);
    assert.deepEqual(
      taskIds.map((id) => results[id]?.result),
      calls.map((_, i) => i),
    );
  });

  describe('waitFor', () => {
    it('tells of a task before and after it has ended, also to another client', async () => {
      const other = await lab.openClient();
      const id = await lab.client.run({ functionId: wait, args: [bell.path, 7] });
      const visitor = await bell.next();
      const before = [endOf(lab.client, id), endOf(other, id)];
      visitor.answer();
      for (const outcome of [...(await Promise.all(before)), await endOf(lab.client, id)]) {
        assert.ok(outcome.status === 'success');
        assert.deepEqual([outcome.result, outcome.taskId], [7, id]);
      }
      await other.close();
    });

    it('tells that a task is not known', async () => {
      const outcome = await endOf(lab.client, randomUUID() as string as TaskId);
      assert.equal(outcome.status === 'failed' && outcome.error.code, 'TASK_NOT_FOUND');
    });

    it('tells nothing to who has stopped', async () => {
      const id = await lab.client.run({ functionId: wait, args: [bell.path] });
      const visitor = await bell.next();
      lab.client.waitFor(id, () => assert.fail('stopped'))();
      visitor.answer();
      assert.equal((await endOf(lab.client, id)).status, 'success');
    });
  });

  describe('results that nobody waits for', () => {
    it('are offered again to the next client of the group until one takes them', async () => {
      const group = randomUUID() as string as TaskGroupId;
      const offered = async (client: FuncXClient, count: number, take: boolean) => {
        const outcomes: TaskOutcome[] = [];
        await new Promise<void>((resolve) => {
          client.onUnclaimed((outcome, taken) => {
            outcomes.push(outcome);
            if (take) taken();
            if (outcomes.length === count) resolve();
          });
        });
        return outcomes;
      };
      const first = await lab.openClient(group);
      const { taskIds } = await first.batchRun({ functionId: add, calls: [{ args: [1] }, { args: [2] }] });
      const outcomes = await offered(first, 2, false);
      assert.deepEqual(outcomes.map(({ taskId }) => taskId).sort(), [...taskIds].sort());
      await first.close();

      const second = await lab.openClient(group);
      assert.deepEqual(
        (await offered(second, 2, true)).map((outcome) => outcome.status === 'success' && outcome.result).sort(),
        [1, 2],
      );
      await second.close();

      const third = await lab.openClient(group);
      const left = offered(third, 1, true);
      const last = await third.run({ functionId: add, args: [3] });
      assert.deepEqual(
        (await left).map(({ taskId }) => taskId),
        [last],
      );
      await third.close();
    });
  });

  describe('close', () => {
    it('stops telling, lets go on what was submitted, and refuses what comes then', async () => {
      const group = randomUUID() as string as TaskGroupId;
      const client = await lab.openClient(group);
      client.submit({ functionId: add, args: [1] }, () => assert.fail('closed'));
      client.submit({ functionId: wait, args: [bell.path, 2] }, () => assert.fail('closed'));
      await client.close();
      await client.close();
      (await bell.next()).answer();
      const refused = await outcomeOf(client, add, { args: [3] });
      assert.equal(refused.status === 'failed' && refused.error.code, 'CLOSED');
      await assert.rejects(client.run({ functionId: add }), { code: 'CLOSED' });
      const next = await lab.openClient(group);
      const results: unknown[] = [];
      await new Promise<void>((resolve) => {
        next.onUnclaimed((outcome, take) => {
          take();
          results.push(outcome.status === 'success' && outcome.result);
          if (results.length === 2) resolve();
        });
      });
      assert.deepEqual(results.sort(), [1, 2]);
      await next.close();
    });
  });

  for (const [what, options] of [
    ['an endpoint that is no UUID', { endpointId: 'here' as EndpointId }],
    ['a queue limit of nothing', { queueLimit: 0 }],
    ['a queue limit that is no number', { queueLimit: Number.NaN }],
  ] as const) {
    it(`cannot be opened with ${what}`, async () => {
      const open = FuncXClient.open({ service: lab.hub, endpointId: lab.endpoint, ...options });
      await assert.rejects(open, { code: 'BAD_INPUT' });
    });
  }
});
