/** The client over a service that does what a test wants. */
import assert from 'node:assert/strict';
import {
  type EndpointId,
  type FunctionId,
  FuncXClient,
  ServiceError,
  type TaskGroupId,
  type TaskId,
} from '../../../dist/lib/index.js';
import { outcomeOf, warningsOf } from '../hub/fixture.js';
import { newId, type Sent, StandIn, success, turn } from '../tasks/stand-in.js';

describe('the client', () => {
  let service: StandIn;
  let client: FuncXClient;
  const functionId = newId<FunctionId>();
  const endpointId = newId<EndpointId>();
  const group = newId<TaskGroupId>();

  beforeEach(async () => {
    service = new StandIn();
    client = await FuncXClient.open({ service, endpointId, taskGroupId: group });
  });
  afterEach(() => client.close());

  describe('whose service answers late', () => {
    it('tells the results that came before the ids of their tasks, once', async () => {
      service.takes = false;
      const outcomes = [1, 2].map((x) => outcomeOf(client, functionId, { args: [x] }));
      await turn();
      const sent = service.sent[0] as Sent;
      const [first, second] = sent.ids as [TaskId, TaskId];
      service.tell(success(second, 'b'));
      assert.deepEqual(service.acknowledged, []);
      sent.accept();
      await turn();
      service.tell(success(first, 'a'));
      assert.deepEqual(
        (await Promise.all(outcomes)).map((outcome) => [
          outcome.status === 'success' && outcome.result,
          outcome.taskId,
        ]),
        [
          ['a', first],
          ['b', second],
        ],
      );
      assert.deepEqual(service.acknowledged.sort(), [first, second].sort());
      const { pending, done, failed } = client.counts;
      assert.deepEqual([pending, done, failed], [0, 2, 0]);
    });

    it('and is closed meanwhile tells nothing, listens to nothing, and leaves the results to the next', async () => {
      const other = await FuncXClient.open({ service, endpointId });
      service.takes = false;
      other.submit({ functionId }, () => assert.fail('it was closed'));
      const run = other.run({ functionId });
      await turn();
      await other.close();
      service.sent[0]?.accept();
      const id = await run;
      await turn();
      service.tell(success(id));
      assert.ok(service.streams.every(({ group, closed }) => group !== service.group || closed));
      assert.deepEqual(service.acknowledged, []);
    });
  });

  describe('whose service refuses', () => {
    it('one function of several fails only the calls of that one', async () => {
      const bad = newId<FunctionId>();
      service.refused.add(bad);
      service.refusal = new ServiceError('FUNCTION_NOT_FOUND', 404, 'no');
      const good = outcomeOf(client, functionId);
      const refused = await outcomeOf(client, bad);
      assert.equal(refused.status === 'failed' && refused.error.code, 'FUNCTION_NOT_FOUND');
      await turn();
      const taken = service.sent.find(({ body }) => !(bad in body.tasks)) as Sent;
      service.tell(...taken.ids.map((id) => success(id)));
      assert.equal((await good).status, 'success');
    });

    it('a submission while results of before were held back offers those', async () => {
      const id = newId<TaskId>();
      const offered: (TaskId | undefined)[] = [];
      client.onUnclaimed((outcome) => offered.push(outcome.taskId));
      service.takes = false;
      const refused = outcomeOf(client, functionId);
      await turn();
      service.tell(success(id));
      assert.deepEqual(offered, []);
      service.sent[0]?.reject(new ServiceError('RESOURCE_LOCKED', 423, 'no'));
      await refused;
      await turn();
      assert.deepEqual(offered, [id]);
    });

    it('to say that a task is durable makes run reject', async () => {
      service.failure = new ServiceError('STORE_FAILED', 500, 'no room');
      await assert.rejects(client.run({ functionId }), { code: 'STORE_FAILED' });
    });

    it('gives no id for a task makes that one fail', async () => {
      service.submit = async (endpoint) => ({
        request_id: newId(),
        task_group_id: group,
        endpoint_id: endpoint,
        tasks: {},
      });
      const outcome = await outcomeOf(client, functionId);
      assert.equal(outcome.status === 'failed' && outcome.error.code, 'INTERNAL_ERROR');
    });

    it('to search or cancel says so', async () => {
      service.capabilities = { rawBytes: false, cancel: false, search: false };
      await assert.rejects(client.searchFunctions('x'), { code: 'BAD_INPUT' });
      await assert.rejects(client.cancel(newId<TaskId>()), { code: 'BAD_INPUT' });
    });
  });

  it('sends bytes beside the text only where the service carries them, and refuses them elsewhere', async () => {
    const args = [{ image: Buffer.from('x') }];
    void outcomeOf(client, functionId, { args });
    await turn();
    const [packed] = service.sent[0]?.body.tasks[functionId] ?? [];
    assert.ok(typeof packed === 'object' && packed.buffers.length === 1);
    service.capabilities = { ...service.capabilities, rawBytes: false };
    const refused = await outcomeOf(client, functionId, { args });
    assert.ok(refused.status === 'failed');
    assert.equal(refused.error.code, 'NOT_SERIALIZABLE');
    assert.match(refused.error.message, /args\[0\]\.image/);
  });

  describe('and results that nobody waits for', () => {
    it('offers each to all who listen, and acknowledges when one takes it', async () => {
      const offered: string[] = [];
      client.onUnclaimed(({ taskId }) => offered.push(`a ${taskId}`));
      const stop = client.onUnclaimed(({ taskId }, take) => {
        offered.push(`b ${taskId}`);
        take();
      });
      const [first, second] = [newId<TaskId>(), newId<TaskId>()];
      service.tell(success(first));
      await turn();
      assert.deepEqual(offered, [`a ${first}`, `b ${first}`]);
      assert.deepEqual(service.acknowledged, [first]);
      stop();
      service.tell(success(second));
      await turn();
      assert.deepEqual(offered.slice(2), [`a ${second}`]);
      assert.deepEqual(service.acknowledged, [first]);
    });

    it('offers those that nobody has taken to somebody who listens later', async () => {
      const [first, second] = [newId<TaskId>(), newId<TaskId>()];
      for (const id of [first, second]) service.known.set(id, success(id));
      client.onUnclaimed(({ taskId }, take) => taskId === first && take());
      service.tell(success(first), success(second));
      await turn();
      const offered: unknown[] = [];
      client.onUnclaimed(({ taskId }) => offered.push(taskId));
      assert.deepEqual(offered, []);
      await turn();
      assert.deepEqual(offered, [second]);
    });

    it('is not disturbed by a listener that throws', async () => {
      const offered: unknown[] = [];
      client.onUnclaimed(() => {
        throw new Error('a listener');
      });
      client.onUnclaimed(({ taskId }) => offered.push(taskId));
      const [first, second] = [newId<TaskId>(), newId<TaskId>()];
      const warnings = await warningsOf(() => service.tell(success(first), success(second)));
      assert.deepEqual(offered, [first, second]);
      assert.equal(warnings.filter(({ message }) => message.includes('a listener')).length, 2);
    });
  });

  describe('registerFunction', () => {
    const source = 'def f(x):\n    return x';

    it('sends the packed source, under the name of its last function', async () => {
      await client.registerFunction({ source: `def helper(): pass\n${source}`, description: 'd' });
      assert.deepEqual(service.registrations, [
        {
          function_name: 'f',
          function_code: '46\nst\nf:def helper(): pass\ndef f(x):\n    return x',
          description: 'd',
          meta: { python_version: '3.8.0', sdk_version: '3.3.0', serde_identifier: 'st' },
        },
      ]);
    });

    it('sends the same definition once, also while the first is on its way', async () => {
      const ids = await Promise.all([client.registerFunction({ source }), client.registerFunction({ source })]);
      ids.push(await client.registerFunction({ source, entryPoint: 'f', name: 'f' }));
      assert.equal(new Set(ids).size, 1);
      assert.equal(service.registrations.length, 1);
      assert.notEqual(await client.registerFunction({ source, public: true }), ids[0]);
      assert.equal(service.registrations.length, 2);
    });

    it('tries again after a failure', async () => {
      const { register } = service;
      service.register = () => Promise.reject(new ServiceError('FUNCTION_TOO_LARGE', 413, 'no'));
      await assert.rejects(client.registerFunction({ source }), { code: 'FUNCTION_TOO_LARGE' });
      service.register = register;
      assert.equal(typeof (await client.registerFunction({ source })), 'string');
    });

    it('of a definition without a function rejects, and nothing is sent', async () => {
      await assert.rejects(client.registerFunction({ source: 'x = 1' }), { code: 'BAD_INPUT' });
      assert.equal(service.registrations.length, 0);
    });
  });
});
