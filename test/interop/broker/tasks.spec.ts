/** Tasks of an attached agent: Node.js on one side of a real RabbitMQ, an agent that follows the contract on the other. */
import assert from 'node:assert/strict';
import { RemoteException } from '../../../dist/lib/index.js';
import { echo, resultOf } from './fake-agent.js';
import { ALICE, BOB, BrokerLab, CODE, idOf, NO_ARGUMENTS } from './fixture.js';

describe('tasks of an attached agent', () => {
  let lab: BrokerLab;
  beforeEach(async () => {
    lab = await BrokerLab.open();
  });
  afterEach(() => lab.clean());

  it('start a user endpoint in the name of the owner, reach it, and end with its results', async () => {
    const agent = await lab.agent();
    const { ids } = await lab.submit(agent, 3);
    const statuses = await lab.ended(ids);
    assert.deepEqual(
      statuses.map(({ status, result }) => [status, result]),
      ids.map((id) => ['success', `11\n${JSON.stringify(id)}`]),
    );
    const command = await agent.commanded(1);
    assert.equal(command.command, 'cmd_start_endpoint');
    assert.equal(command.globus_effective_identity, ALICE.id);
    assert.deepEqual(command.globus_identity_set, [{ sub: ALICE.id, username: 'alice' }]);
    assert.ok(Math.abs(command.timestamp - Date.now() / 1000) < 180);
    const [endpoint] = agent.started;
    assert.deepEqual(
      endpoint?.tasks.map(({ id }) => id),
      ids,
    );
    assert.equal(endpoint?.tasks[0]?.buffer, CODE + NO_ARGUMENTS);
    assert.equal(agent.commands.length, 1);
  });

  it('carry what was asked for: serializers, resources, runtime and configuration', async () => {
    const agent = await lab.agent();
    const resource_specification = { num_nodes: 2, ranks_per_node: 4 };
    const user_runtime = { python: { version: '3.12.1' }, globus_compute_sdk_version: '4.15.0' };
    const asked = { resource_specification, result_serializers: ['a.B', 'c.D'], user_endpoint_config: { nodes: 2 } };
    await lab.ended((await lab.submit(agent, 1, { ...asked, user_runtime }, ALICE)).ids);
    const { kwargs } = await agent.commanded(1);
    assert.deepEqual(kwargs.user_opts, { nodes: 2 });
    assert.deepEqual(kwargs.user_runtime, user_runtime);
    const headers = agent.started[0]?.tasks[0]?.headers;
    assert.deepEqual(JSON.parse(String(headers?.resource_specification)), resource_specification);
    assert.deepEqual(headers?.result_serializers, ['a.B', 'c.D']);
  });

  it('of another configuration go to another user endpoint, of the same to the same', async () => {
    const agent = await lab.agent();
    await lab.ended((await lab.submit(agent, 1, { user_endpoint_config: { a: 1, b: 2 } })).ids);
    await lab.ended((await lab.submit(agent, 1, { user_endpoint_config: { b: 2, a: 1 } })).ids);
    await lab.ended((await lab.submit(agent, 1, { user_endpoint_config: { a: 2 } })).ids);
    assert.deepEqual(
      agent.started.map(({ tasks }) => tasks.length),
      [2, 1],
    );
  });

  it('of other users run in user endpoints of their own, on an agent for many', async () => {
    const agent = await lab.agent(echo, { multi_user: true, public: true });
    await lab.ended((await lab.submit(agent, 1, {}, ALICE)).ids);
    await lab.ended((await lab.submit(agent, 1, {}, BOB)).ids);
    assert.deepEqual(
      agent.commands.map((command) => command.globus_effective_identity),
      [ALICE.id, BOB.id],
    );
  });

  it('are refused where their configuration does not follow the schema', async () => {
    const user_config_schema = {
      type: 'object',
      properties: { nodes: { type: 'integer', maximum: 4 } },
      additionalProperties: false,
    };
    const agent = await lab.agent(echo, { metadata: { user_config_schema } });
    await assert.rejects(lab.submit(agent, 1, { user_endpoint_config: { nodes: 5, queue: 'x' } }), (error: Error) => {
      assert.match(error.message, /user_endpoint_config\.nodes must be <= 4/);
      assert.match(error.message, /additional properties \("queue"\)/);
      assert.equal((error as { code?: string }).code, 'SEMANTICALLY_INVALID');
      return true;
    });
    await lab.ended((await lab.submit(agent, 1, { user_endpoint_config: { nodes: 4 } })).ids);
  });

  it('are refused where an agent runs too many configurations, until one is idle', async () => {
    await lab.clean();
    lab = await BrokerLab.open({ userEndpoints: 2 });
    const agent = await lab.agent();
    const run = async (n: number) => lab.ended((await lab.submit(agent, 1, { user_endpoint_config: { n } })).ids);
    await run(1);
    await run(2);
    await assert.rejects(run(3), { code: 'USER_ENDPOINTS_EXHAUSTED' });
    await run(2);
    await agent.started[0]?.report({ active: false });
    while ((await lab.hub.endpointStatus(idOf(agent))).details?.managers !== 1) await new Promise(setImmediate);
    await run(3);
    assert.equal(agent.started.length, 3);
  });

  it('fail with the reason where the user endpoint cannot be started', async () => {
    const agent = await lab.agent();
    agent.refuse = 'no such partition: gpu ✓';
    const [status] = await lab.ended((await lab.submit(agent, 1)).ids);
    assert.equal(status?.status, 'failed');
    assert.equal(status?.error_code, 'ENDPOINT_START_FAILED');
    assert.match(status?.exception ?? '', /no such partition: gpu ✓/);
    agent.refuse = undefined;
    const [next] = await lab.ended((await lab.submit(agent, 1)).ids);
    assert.equal(next?.status, 'success');
  });

  it('give what the worker says of itself, and exceptions as Python printed them', async () => {
    const traceback = 'Traceback (most recent call last):\n  File "<string>", line 2, in f\nValueError: boom ✓\n';
    const agent = await lab.agent((task) =>
      resultOf(task, traceback, { error_details: { code: 'RemoteExecutionError', user_message: 'x' } }),
    );
    const client = await lab.client(agent);
    const functionId = await client.registerFunction({ source: 'def f(x):\n    return x' });
    const outcome = await new Promise<{ status: string; error?: Error }>((resolve) =>
      client.submit({ functionId, args: [1] }, resolve),
    );
    assert.equal(outcome.status, 'failed');
    assert.ok(outcome.error instanceof RemoteException);
    assert.equal(outcome.error.message, 'ValueError: boom ✓');
    const [status] = await lab.ended((await lab.submit(agent, 1)).ids);
    assert.equal(status?.details?.python_version, '3.11.2');
    assert.equal(status?.details?.dill_version, '0.3.9');
    assert.equal(status?.details?.endpoint_id, idOf(agent));
  });

  it('take bytes in their arguments to agents, which know no bytes beside the text', async () => {
    const agent = await lab.agent();
    const client = await lab.client(agent);
    const functionId = await client.registerFunction({ source: 'def f(x):\n    return x' });
    await new Promise((resolve) => client.submit({ functionId, args: [Buffer.from('é✓'), 2] }, resolve));
    const buffer = agent.started[0]?.tasks[0]?.buffer ?? '';
    assert.match(buffer, /\d+\n00\n/);
    assert.ok(!buffer.includes('$bytes'));
  });

  it('come in thousands, each with its own result', async function () {
    this.timeout(60_000);
    const agent = await lab.agent();
    const { ids } = await lab.submit(agent, 3000);
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every(({ task_id, result }) => result === `11\n${JSON.stringify(task_id)}`));
    assert.equal(agent.started[0]?.tasks.length, 3000);
  });

  it('are cancelled before they are sent and after', async () => {
    const agent = await lab.agent(() => undefined);
    const { ids } = await lab.submit(agent, 1);
    const endpoint = await agent.until(1);
    await endpoint.taken(1);
    const [id] = ids;
    assert.ok(id !== undefined && (await lab.hub.cancel(id)));
    const [status] = await lab.ended(ids);
    assert.equal(status?.error_code, 'TASK_CANCELLED');
    assert.equal(await lab.hub.cancel(id), false);
    await endpoint.publish(resultOf(endpoint.tasks[0] ?? assert.fail(), '11\n1'));
    assert.match((await lab.told('stray')).message, new RegExp(id));
    assert.equal((await lab.ended(ids))[0]?.error_code, 'TASK_CANCELLED');
  });
});
