/** A hub that gets another broker while it runs, or none: two virtual hosts of one RabbitMQ stand for two of them. */
import assert from 'node:assert/strict';
import { connect } from 'amqplib';
import type { EndpointId, TaskGroupId, TaskId, TaskStatus } from '../../../dist/lib/index.js';
import { type AgentTask, type Answer, echo, type FakeAgent, resultOf } from './fake-agent.js';
import { ALICE, AMQP_URL, BrokerLab, idOf, NO_ARGUMENTS } from './fixture.js';
import { StreamingClient } from './streaming-client.js';
import { VirtualHost } from './virtual-host.js';

/** Nothing listens there. */
const NOWHERE = 'amqp://user:hunter2@127.0.0.1:1';

describe('a hub whose broker is changed', function () {
  this.timeout(30_000);
  let lab: BrokerLab;
  let other: VirtualHost;
  let client: StreamingClient | undefined;

  beforeEach(async () => {
    lab = await BrokerLab.open();
    other = await VirtualHost.make(AMQP_URL, process.env.AMQP_MANAGEMENT_URL);
  });
  afterEach(async () => {
    await client?.model.close().catch(() => {});
    client = undefined;
    await lab.clean();
    await other.remove();
  });

  /** To the other one, and waits until it is reached. */
  async function change(): Promise<void> {
    lab.news.length = 0;
    await lab.hub.changeBroker({ url: other.url, lookMs: 100 });
    await lab.told('connected');
  }

  /** Back to the first. */
  async function changeBack(): Promise<void> {
    lab.news.length = 0;
    await lab.hub.changeBroker(lab.options);
    await lab.told('connected');
  }

  async function pool(): Promise<TaskStatus | undefined> {
    const endpoint = await lab.hub.localEndpoint({ name: 'pool', workers: 1 });
    const functionId = await lab.function();
    const { tasks } = await lab.hub.submit(endpoint, { tasks: { [functionId]: [NO_ARGUMENTS] } });
    return (await lab.ended(tasks[functionId] as TaskId[]))[0];
  }

  const statusOf = async (id: EndpointId) => (await lab.hub.endpointStatus(id)).status;

  /** Messages in the queue of what an agent has started, at the first broker. */
  async function waitingAtFirst(agent: FakeAgent): Promise<number> {
    const model = await connect(AMQP_URL);
    const { queue } = agent.started[0]?.infos.task_queue_info ?? assert.fail();
    const { messageCount } = await (await model.createChannel()).checkQueue(queue);
    await model.close();
    return messageCount;
  }

  const isEcho = ({ task_id, result }: TaskStatus) => result === `11\n${JSON.stringify(task_id)}`;
  const isRerun = ({ details }: TaskStatus) => details?.rerun === true;

  it('has its agents offline at once, tells those that register anew of the new one, and gives them what waited', async () => {
    const agent = await lab.agent();
    await lab.ended((await lab.submit(agent, 1)).ids);
    await lab.isSeen(agent, 'online');
    await change();
    assert.equal(await statusOf(idOf(agent)), 'offline');
    const { ids } = await lab.submit(agent, 20);
    const back = await lab.agent(echo, {}, idOf(agent));
    assert.equal(new URL(back.registration.command_queue_info.connection_url).pathname, `/${other.name}`);
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every((status) => isEcho(status) && !isRerun(status)));
    assert.equal(new URL(back.started[0]?.infos.task_queue_info.connection_url ?? '').pathname, `/${other.name}`);
    assert.equal(agent.started[0]?.tasks.length, 1);
    await lab.isSeen(back, 'online');
  });

  it('has the results that were at the old one by then', async () => {
    let isSilent = true;
    const agent = await lab.agent((task) => (isSilent ? undefined : echo(task)));
    const { ids } = await lab.submit(agent, 1000);
    const endpoint = await agent.until(1);
    await endpoint.taken(1000);
    await lab.confirmed(ids);
    await Promise.all(endpoint.tasks.map((task) => endpoint.publish(echo(task) as Buffer)));
    await lab.hub.changeBroker(undefined);
    const statuses = Object.values(await lab.hub.batchStatus(ids));
    assert.equal(statuses.filter(isEcho).length, 1000);
    // Nothing is left there that comes again.
    isSilent = false;
    await changeBack();
    await lab.ended((await lab.submit(agent, 1)).ids);
    assert.deepEqual(
      lab.news.filter(({ kind }) => kind === 'stray'),
      [],
    );
  });

  it('takes back tasks that waited there for an agent: they run once, and nothing of them is left', async () => {
    const agent = await lab.agent();
    await lab.ended((await lab.submit(agent, 1)).ids);
    agent.kill();
    const { ids } = await lab.submit(agent, 500);
    await lab.confirmed(ids);
    assert.equal(await waitingAtFirst(agent), 500);
    await change();
    assert.equal(await waitingAtFirst(agent), 0);
    const back = await lab.agent(echo, {}, idOf(agent));
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every((status) => isEcho(status) && !isRerun(status)));
    assert.deepEqual(
      back.started[0]?.tasks.map(({ id }) => id),
      ids,
    );
  });

  it('gives tasks that an agent had taken again to the one in its place', async () => {
    const agent = await lab.agent(() => undefined);
    const { ids } = await lab.submit(agent, 20);
    await (await agent.until(1)).taken(20);
    await lab.confirmed(ids);
    await change();
    agent.kill();
    await lab.agent(echo, {}, idOf(agent));
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every((status) => isEcho(status) && isRerun(status)));
  });

  it('in the middle of thousands of tasks: each gets one result', async () => {
    const answer = (task: AgentTask) => echo(task);
    const agent = await lab.agent(answer);
    const first = await lab.submit(agent, 2000);
    await (await agent.until(1)).taken(300);
    const changing = change();
    const second = await lab.submit(agent, 1000);
    const here = pool();
    await changing;
    const third = await lab.submit(agent, 1000);
    agent.kill();
    await lab.agent(answer, {}, idOf(agent));
    const statuses = await lab.ended([...first.ids, ...second.ids, ...third.ids]);
    assert.equal(statuses.length, 4000);
    assert.ok(statuses.every(isEcho));
    assert.equal((await here)?.status, 'success');
  });

  it('goes on without one, and says what needs it; with it back, agents that stayed go on as if nothing was', async () => {
    const held: (() => void)[] = [];
    const agent = await lab.agent(
      (task) => new Promise<Answer>((resolve) => held.push(() => resolve(resultOf(task, '11\n"late"')))),
    );
    const { ids } = await lab.submit(agent, 10);
    const endpoint = await agent.until(1);
    await endpoint.taken(10);
    await lab.confirmed(ids);
    await lab.hub.changeBroker(undefined);
    assert.equal(await statusOf(idOf(agent)), 'offline');
    assert.equal((await pool())?.status, 'success');
    const refused = { code: 'BROKER_NOT_CONFIGURED' };
    await assert.rejects(lab.hub.registerEndpoint({ endpoint_name: 'x' }, ALICE), refused);
    await assert.rejects(lab.hub.resultConnection(ALICE), refused);
    const more = await lab.submit(agent, 10);
    for (const answer of held.splice(0)) answer();
    await changeBack();
    await endpoint.taken(20);
    for (const answer of held.splice(0)) answer();
    const statuses = await lab.ended([...ids, ...more.ids]);
    assert.ok(statuses.every((status) => status.result === '11\n"late"' && !isRerun(status)));
    assert.equal(agent.commands.length, 1);
    assert.equal(endpoint.tasks.length, 20);
  });

  it('knows its agents without one over a restart, and can delete them', async () => {
    const agent = await lab.agent();
    const { ids: before } = await lab.submit(agent, 1);
    await lab.ended(before);
    await lab.hub.changeBroker(undefined);
    const { ids } = await lab.submit(agent, 2);
    await lab.hub.durable();
    await lab.closeHub();
    await lab.reopenWithout();
    assert.equal(await statusOf(idOf(agent)), 'offline');
    assert.equal((await lab.hub.getTask(ids[0] ?? assert.fail())).completion_t, undefined);
    await lab.hub.deleteEndpoint(idOf(agent));
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every(({ error_code }) => error_code === 'ENDPOINT_DELETED'));
    await assert.rejects(statusOf(idOf(agent)), { code: 'ENDPOINT_NOT_FOUND' });
  });

  it('says that a wrong one is not reached, and how to mend it; goes on here, and all of it with the right one', async () => {
    const agent = await lab.agent();
    await lab.ended((await lab.submit(agent, 1)).ids);
    for (const url of [NOWHERE, `${AMQP_URL}/no-such-host`]) {
      lab.news.length = 0;
      await lab.hub.changeBroker({ url });
      const { message } = await lab.told('disconnected');
      assert.match(message, /tried again.*account and virtual host in its URL/);
      assert.doesNotMatch(message, /hunter2|guest:/);
    }
    await assert.rejects(lab.hub.registerEndpoint({ endpoint_name: 'x' }, ALICE), { code: 'BROKER_NOT_AVAILABLE' });
    assert.equal((await pool())?.status, 'success');
    const { ids } = await lab.submit(agent, 5);
    await changeBack();
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every((status) => isEcho(status) && !isRerun(status)));
    assert.equal(agent.commands.length, 1);
  });

  it('keeps the old one where the URL of the new one cannot be used', async () => {
    const agent = await lab.agent();
    for (const url of ['http://127.0.0.1', 'amqp://a b', 'amqp://user:100%@127.0.0.1']) {
      await assert.rejects(lab.hub.changeBroker({ url }), { code: 'BAD_INPUT' });
    }
    await assert.rejects(lab.hub.changeBroker({ url: other.url, managementUrl: '?' }), { code: 'BAD_INPUT' });
    await lab.ended((await lab.submit(agent, 1)).ids);
  });

  it('leaves one that hangs, and what that has not confirmed goes to the new one', async () => {
    const agent = await lab.agent();
    await lab.ended((await lab.submit(agent, 1)).ids);
    lab.cable.hold();
    const { ids } = await lab.submit(agent, 100);
    await change();
    const back = await lab.agent(echo, {}, idOf(agent));
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every(isEcho));
    assert.equal(back.started[0]?.tasks.length, 100);
  });

  it('is at the same one by another URL: agents go on, and each task is run once', async () => {
    const agent = await lab.agent();
    const { ids } = await lab.submit(agent, 300);
    await (await agent.until(1)).taken(50);
    await lab.hub.changeBroker({ url: AMQP_URL, lookMs: 100 });
    await lab.told('connected');
    const more = await lab.submit(agent, 100);
    const statuses = await lab.ended([...ids, ...more.ids]);
    assert.ok(statuses.every(isEcho));
    assert.equal(new Set(agent.started[0]?.tasks.map(({ id }) => id)).size, 400);
    assert.equal(agent.started[0]?.tasks.length, 400);
  });

  it('gives agents accounts of their own once it is told of the management API', async function () {
    const managementUrl = process.env.AMQP_MANAGEMENT_URL;
    if (managementUrl === undefined) this.skip();
    const agent = await lab.agent();
    const { ids } = await lab.submit(agent, 1);
    await lab.ended(ids);
    await lab.hub.changeBroker({ ...lab.options, managementUrl });
    await lab.told('connected');
    agent.kill();
    const again = await lab.agent(echo, {}, idOf(agent));
    const { username } = new URL(again.registration.command_queue_info.connection_url);
    assert.match(username, new RegExp(`agent\\.${idOf(agent)}`));
    await lab.ended((await lab.submit(again, 1)).ids);
  });

  it('sends results of task groups to the queues at the new one, which are there at once, and those that were owed too', async () => {
    const endpoint = await lab.hub.localEndpoint({ name: 'pool', workers: 1, public: true });
    const submit = (count: number, group?: TaskGroupId) =>
      lab.submit(endpoint, count, { create_queue: true, ...(group && { task_group_id: group }) }, ALICE);
    const { ids, group } = await submit(5);
    const old = await StreamingClient.of(await lab.hub.resultConnection(ALICE), group);
    await old.until(5);
    await lab.ended(ids);
    await lab.hub.changeBroker(undefined);
    const owed = await submit(20, group);
    await lab.ended(owed.ids);
    await change();
    client = await StreamingClient.of(await lab.hub.resultConnection(ALICE), group);
    const late = await submit(20, group);
    const got = (await client.until(40)).map(({ data }) => data.task_id);
    assert.deepEqual(new Set(got), new Set([...owed.ids, ...late.ids]));
    assert.equal(old.results.length, 5);
    await old.model.close();
  });

  it('has the queues of task groups at the new one, also those that nothing is sent to yet', async () => {
    const agent = await lab.agent();
    const { group, ids } = await lab.submit(agent, 1, { create_queue: true }, ALICE);
    await lab.ended(ids);
    await change();
    client = await StreamingClient.of(await lab.hub.resultConnection(ALICE), group);
    await lab.agent(echo, {}, idOf(agent));
    const late = await lab.submit(agent, 1, { create_queue: true, task_group_id: group }, ALICE);
    assert.equal((await client.until(1))[0]?.data.task_id, late.ids[0]);
  });
});
