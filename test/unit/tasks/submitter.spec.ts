import assert from 'node:assert/strict';
import { mock } from 'node:test';
import {
  type EndpointId,
  type FunctionId,
  FuncXError,
  ServiceError,
  type TaskGroupId,
  type TaskId,
} from '../../../dist/lib/index.js';
import { type PendingCall, Submitter } from '../../../dist/lib/tasks/submitter.js';
import { until } from './fixture.js';
import { newId, type Sent, StandIn, turn } from './stand-in.js';

describe('the submitter', () => {
  let service: StandIn;
  let submitter: Submitter;
  let accepted: [index: number, id: TaskId, group: TaskGroupId][];
  let refused: [index: number, code: string][];
  let groups: TaskGroupId[];
  const endpointId = newId<EndpointId>();
  const functionId = newId<FunctionId>();

  function make(group?: TaskGroupId): void {
    accepted = [];
    refused = [];
    groups = [];
    service = new StandIn();
    submitter = new Submitter(service, group, (followed) => groups.push(followed));
  }
  beforeEach(() => make());

  function add(index: number, more: Partial<PendingCall> = {}): void {
    submitter.add({
      functionId,
      endpointId,
      packed: `args ${index}`,
      over: false,
      accepted: (id, group) => accepted.push([index, id, group]),
      refused: (error) => refused.push([index, error.code]),
      ...more,
    });
  }

  it('sends what comes in one turn of the event loop together, and nothing before', async () => {
    for (let i = 0; i < 5; i++) add(i);
    assert.equal(service.sent.length, 0);
    assert.equal(submitter.waiting, 5);
    await turn();
    assert.equal(service.sent.length, 1);
    assert.deepEqual(service.sent[0]?.body.tasks, { [functionId]: [0, 1, 2, 3, 4].map((i) => `args ${i}`) });
    assert.equal(service.sent[0]?.body.create_queue, true);
    assert.deepEqual(service.sent[0]?.body.result_serializers?.[0], 'globus_compute_sdk.serialize.JSONData');
    assert.equal(submitter.waiting, 0);
  });

  it('tells the ids in the order of the calls, of each function', async () => {
    const other = newId<FunctionId>();
    for (let i = 0; i < 6; i++) add(i, i % 2 ? { functionId: other } : {});
    await turn();
    assert.deepEqual(
      accepted.map(([index]) => index),
      [0, 2, 4, 1, 3, 5],
    );
    assert.deepEqual(
      accepted.map(([, id]) => id),
      service.sent[0]?.ids,
    );
  });

  it('sends to each endpoint for itself', async () => {
    const other = newId<EndpointId>();
    add(0);
    add(1, { endpointId: other });
    add(2);
    await turn();
    assert.deepEqual(
      service.sent.map(({ endpoint, body }) => [endpoint, body.tasks[functionId]]),
      [
        [endpointId, ['args 0', 'args 2']],
        [other, ['args 1']],
      ],
    );
  });

  it('splits at 1,024 tasks, so that workers begin before all is taken in', async () => {
    for (let i = 0; i < 2500; i++) add(i);
    assert.equal(service.sent.length, 1, 'the first is sent at once');
    await turn();
    assert.deepEqual(
      service.sent.map(({ body }) => body.tasks[functionId]?.length),
      [1024, 1024, 452],
    );
    assert.deepEqual(
      accepted.map(([index]) => index),
      Array.from({ length: 2500 }, (_, i) => i),
    );
  });

  it('splits below the limit of a request, by the bytes that texts and buffers have', async () => {
    const mega = 1024 * 1024;
    add(0, { packed: 'x'.repeat(4 * mega) });
    add(1, { packed: 'é'.repeat(2 * mega) });
    add(2, { packed: { text: '', tag: 't', buffers: [new Uint8Array(4 * mega)] } });
    add(3, { packed: 'x'.repeat(12 * mega) });
    add(4, { packed: 'small' });
    await turn();
    assert.deepEqual(
      service.sent.map(({ body }) => body.tasks[functionId]?.length),
      [2, 1, 1, 1],
    );
  });

  it('uses the group it was given, or the one that the service makes for the first submission', async () => {
    const group = newId<TaskGroupId>();
    make(group);
    add(0);
    await turn();
    assert.equal(service.sent[0]?.body.task_group_id, group);

    make();
    service.takes = false;
    add(0);
    await turn();
    add(1);
    await turn();
    add(2);
    await turn();
    assert.equal(service.sent.length, 1, 'the others wait for the group');
    assert.ok(!('task_group_id' in (service.sent[0]?.body ?? {})));
    service.takes = true;
    service.sent[0]?.accept();
    await turn();
    assert.deepEqual(
      service.sent.slice(1).map(({ body }) => body.task_group_id),
      [service.group, service.group],
    );
    assert.deepEqual(
      accepted.map(([index, , group]) => [index, group]),
      [0, 1, 2].map((i) => [i, service.group]),
    );
  });

  it('goes on after a first submission that was refused', async () => {
    service.takes = false;
    add(0);
    await turn();
    add(1);
    add(2);
    await turn();
    service.takes = true;
    service.sent[0]?.reject(new ServiceError('ENDPOINT_NOT_FOUND', 404, 'no'));
    await turn();
    assert.deepEqual(refused, [[0, 'ENDPOINT_NOT_FOUND']]);
    assert.deepEqual(
      accepted.map(([index]) => index),
      [1, 2],
    );
    assert.equal(submitter.waiting, 0);
  });

  it('lets a function that is refused not take the calls of others with it', async () => {
    const [bad, other] = [newId<FunctionId>(), newId<FunctionId>()];
    service.refused.add(bad);
    service.refusal = new ServiceError('FUNCTION_NOT_FOUND', 404, 'no');
    add(0);
    add(1, { functionId: bad });
    add(2, { functionId: other });
    add(3, { functionId: bad });
    await turn();
    await turn();
    assert.deepEqual(refused, [
      [1, 'FUNCTION_NOT_FOUND'],
      [3, 'FUNCTION_NOT_FOUND'],
    ]);
    assert.deepEqual(
      accepted.map(([index]) => index),
      [0, 2],
    );
    assert.equal(submitter.waiting, 0);
  });

  describe('of one function of which the service refuses some calls', () => {
    /** Refuses submissions with arguments that it does not like, as a whole. */
    function refuse(bad: readonly string[], error: Error): void {
      const { submit } = service;
      service.submit = async (endpoint, body) => {
        const refused = body.tasks[functionId]?.some((packed) => bad.includes(packed as string));
        if (!refused) return submit.call(service, endpoint, body);
        service.sent.push({ endpoint, body } as Sent);
        throw error;
      };
    }

    it('has the others accepted, in their order', async () => {
      refuse(['args 3', 'args 6'], new ServiceError('REQUEST_MALFORMED', 400, 'no'));
      for (let i = 0; i < 10; i++) add(i);
      await until(() => submitter.waiting === 0);
      assert.deepEqual(refused, [
        [3, 'REQUEST_MALFORMED'],
        [6, 'REQUEST_MALFORMED'],
      ]);
      assert.deepEqual(
        accepted.map(([index]) => index),
        [0, 1, 2, 4, 5, 7, 8, 9],
      );
    });

    it('finds one of a thousand in few requests', async () => {
      refuse(['args 500'], new ServiceError('TASK_PAYLOAD_TOO_LARGE', 413, 'no'));
      for (let i = 0; i < 1000; i++) add(i);
      await until(() => submitter.waiting === 0);
      assert.deepEqual(refused, [[500, 'TASK_PAYLOAD_TOO_LARGE']]);
      assert.equal(accepted.length, 999);
      assert.ok(service.sent.length <= 21, `${service.sent.length} requests`);
    });

    it('asks no more where what is refused is the function or the endpoint', async () => {
      refuse(['args 3'], new ServiceError('FUNCTION_NOT_FOUND', 404, 'no'));
      for (let i = 0; i < 10; i++) add(i);
      await until(() => submitter.waiting === 0);
      assert.equal(refused.length, 10);
      assert.equal(service.sent.length, 1);
    });
  });

  it('does not send again what may have been taken: only a refusal of the service says that it was not', async () => {
    service.refused.add(functionId);
    service.refusal = new Error('socket hang up');
    add(0);
    add(1, { functionId: newId<FunctionId>() });
    await turn();
    assert.equal(service.sent.length, 1);
    assert.deepEqual(refused, [
      [0, 'INTERNAL_ERROR'],
      [1, 'INTERNAL_ERROR'],
    ]);
  });

  it('refuses calls for which the service has left out the id', async () => {
    service.submit = async (endpoint) => ({
      request_id: newId(),
      task_group_id: service.group,
      endpoint_id: endpoint,
      tasks: {},
    });
    add(0);
    await turn();
    assert.deepEqual([accepted, refused], [[], [[0, 'INTERNAL_ERROR']]]);
    assert.equal(submitter.waiting, 0);
  });

  it('tells of the group before it tells of ids', async () => {
    add(0, { accepted: (_id, group) => assert.deepEqual(groups, [group]) });
    await turn();
    assert.equal(groups.length, 1);
  });

  it('leaves out what nobody wants any more, and tells so', async () => {
    add(0, { over: true });
    add(1);
    await turn();
    assert.deepEqual(service.sent[0]?.body.tasks, { [functionId]: ['args 1'] });
    assert.deepEqual(refused, [[0, 'TASK_CANCELLED']]);
    add(2, { over: true });
    await turn();
    assert.equal(service.sent.length, 1, 'nothing is no submission');
    assert.equal(submitter.waiting, 0);
  });

  describe('in closing', () => {
    it('sends what is gathered, and waits for the reply', async () => {
      service.takes = false;
      add(0);
      let closed = false;
      const closing = submitter.close().then(() => {
        closed = true;
      });
      await turn();
      assert.deepEqual([service.sent.length, closed], [1, false]);
      service.sent[0]?.accept();
      await closing;
      assert.deepEqual(
        accepted.map(([index]) => index),
        [0],
      );
    });

    it('waits five seconds for it, no longer', async () => {
      mock.timers.enable({ apis: ['setTimeout'] });
      service.takes = false;
      add(0);
      const closing = submitter.close();
      mock.timers.tick(5_000);
      mock.timers.reset();
      await closing;
      assert.deepEqual([accepted, refused], [[], []]);
    });

    it('gives up a service that cannot be reached, without a word', async () => {
      service.refused.add(functionId);
      service.refusal = new FuncXError('SERVICE_UNREACHABLE', 'gone');
      add(0);
      await turn();
      await submitter.close();
      assert.deepEqual([accepted, refused], [[], []]);
    });
  });
});
