/** Results for streaming clients, as the Python SDK's Executor takes them: from a queue for each task group. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { EndpointId, Identity, TaskGroupId } from '../../../dist/lib/index.js';
import { resultOf } from './fake-agent.js';
import { ALICE, BrokerLab } from './fixture.js';
import { StreamingClient } from './streaming-client.js';

describe('the results of a task group', () => {
  let lab: BrokerLab;
  let endpoint: EndpointId;
  let client: StreamingClient | undefined;

  beforeEach(async () => {
    lab = await BrokerLab.open();
    endpoint = await lab.hub.localEndpoint({ name: 'pool', workers: 1, public: true });
  });
  afterEach(async () => {
    await client?.model.close().catch(() => {});
    client = undefined;
    await lab.clean();
  });

  const submit = (count: number, user: Identity = ALICE, group?: TaskGroupId) =>
    lab.submit(endpoint, count, { create_queue: true, ...(group && { task_group_id: group }) }, user);

  it('of a pool on this machine come by the queue of their user, and stay in the hub', async () => {
    const { ids, group } = await submit(500);
    client = await StreamingClient.of(await lab.hub.resultConnection(ALICE), group);
    const results = await client.until(500);
    assert.deepEqual(new Set(results.map(({ data }) => data.task_id)), new Set(ids));
    assert.ok(results.every((result) => result.message_type === 'result' && result.data.error_details === null));
    assert.match(results[0]?.data.data ?? '', /^00\n/);
    const [status] = await lab.ended(ids);
    assert.equal(status?.status, 'success');
    assert.equal((await lab.hub.taskGroup(group)).tasks.length, 500);
  });

  it('of an agent come too, failures with their text', async () => {
    const agent = await lab.agent((task) =>
      resultOf(task, 'Traceback ✓', { error_details: { code: 'RemoteExecutionError', user_message: 'x' } }),
    );
    const { group, ids } = await lab.submit(agent, 1, { create_queue: true }, ALICE);
    client = await StreamingClient.of(await lab.hub.resultConnection(ALICE), group);
    const [result] = await client.until(1);
    assert.equal(result?.data.task_id, ids[0]);
    assert.equal(result?.data.data, 'Traceback ✓');
    assert.deepEqual(result?.data.error_details, { code: 'RemoteExecutionError', user_message: 'Traceback ✓' });
  });

  it('that ended while nobody listened wait in the queue, over a restart of the hub', async () => {
    const { ids, group } = await submit(20);
    await lab.ended(ids);
    await lab.hub.durable();
    await lab.closeHub();
    await lab.reopen();
    client = await StreamingClient.of(await lab.hub.resultConnection(ALICE), group);
    const results = await client.until(20);
    assert.deepEqual(new Set(results.map(({ data }) => data.task_id)), new Set(ids));
  });

  it('come once the broker is back, each of them', async () => {
    const { ids, group } = await submit(5);
    await lab.ended(ids);
    client = await StreamingClient.of(await lab.hub.resultConnection(ALICE), group);
    await client.until(5);
    await lab.cutHub();
    const more = await submit(50, ALICE, group);
    await lab.told('connected');
    const results = await client.until(55);
    assert.deepEqual(new Set(results.map(({ data }) => data.task_id)), new Set([...ids, ...more.ids]));
  });

  it('are under a prefix of the user', async () => {
    const mine = await lab.hub.resultConnection(ALICE);
    const others = await lab.hub.resultConnection({ id: randomUUID(), username: 'eve' });
    assert.ok(mine.queue_prefix.includes(ALICE.id));
    assert.notEqual(mine.queue_prefix, others.queue_prefix);
  });
});
