/** What an account at the broker reaches, where the hub can use the management API. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type Channel, connect } from 'amqplib';
import type { EndpointRegistrationReply, TaskGroupId } from '../../../dist/lib/index.js';
import { type FakeAgent, type FakeUserEndpoint, message, resultOf } from './fake-agent.js';
import { ALICE, AMQP_URL, BOB, BrokerLab, idOf } from './fixture.js';

const MANAGEMENT_URL = process.env.AMQP_MANAGEMENT_URL;

/** Does something with an account, and gives the broker's refusal. */
async function refusal(url: string, work: (channel: Channel) => Promise<unknown>): Promise<string> {
  const model = await connect(url);
  try {
    const channel = await model.createChannel();
    const failed = new Promise<string>((resolve) => {
      channel.on('error', (error) => resolve(error.message));
      model.on('error', (error) => resolve(error.message));
    });
    const done = work(channel).then(
      () => 'allowed',
      (error: Error) => error.message,
    );
    return await Promise.race([failed, done]);
  } finally {
    await model.close().catch(() => {});
  }
}

/** Publishes and waits for an answer of the broker, as a refusal comes later. */
function publishing(exchange: string, key: string): (channel: Channel) => Promise<unknown> {
  return async (channel) => {
    channel.publish(exchange, key, Buffer.from('x'));
    await channel.prefetch(1); // Answered after the message.
  };
}

describe('an account at the broker', () => {
  let lab: BrokerLab;
  let agent: FakeAgent;
  let endpoint: FakeUserEndpoint;
  let prefix: string;

  before(function () {
    if (MANAGEMENT_URL === undefined) this.skip();
  });
  beforeEach(async () => {
    lab = await BrokerLab.open({ managementUrl: MANAGEMENT_URL ?? '' });
    prefix = `funcx.${lab.hub.operator.id.slice(0, 8)}`;
    agent = await lab.agent();
    await lab.ended((await lab.submit(agent, 3)).ids);
    endpoint = await agent.until(1);
  });
  afterEach(() => lab?.clean());

  const urlOf = (reply: EndpointRegistrationReply) => reply.command_queue_info.connection_url;

  it("is one for each agent and user endpoint, and not the hub's", () => {
    const urls = [urlOf(agent.registration), endpoint.infos.task_queue_info.connection_url];
    const names = urls.map((url) => new URL(url).username);
    assert.equal(new Set([...names, new URL(AMQP_URL).username]).size, 3);
  });

  it("of a user endpoint reads its own tasks, and nobody else's", async () => {
    const other = await lab.agent(() => undefined);
    await lab.submit(other, 1);
    const { task_queue_info } = (await other.until(1)).infos;
    const url = endpoint.infos.task_queue_info.connection_url;
    for (const queue of [task_queue_info.queue, `${prefix}.results`, `${prefix}.heartbeats`]) {
      assert.match(await refusal(url, (channel) => channel.consume(queue, () => {})), /ACCESS_REFUSED/, queue);
      assert.match(await refusal(url, (channel) => channel.purgeQueue(queue)), /ACCESS_REFUSED/, queue);
      assert.match(await refusal(url, (channel) => channel.deleteQueue(queue)), /ACCESS_REFUSED/, queue);
    }
    assert.match(await refusal(url, (channel) => channel.assertQueue('own')), /ACCESS_REFUSED/);
  });

  it('of a user endpoint sends results and reports in its own name alone', async () => {
    const url = endpoint.infos.task_queue_info.connection_url;
    for (const [exchange, key] of [
      [`${prefix}.results`, `${randomUUID()}.results`],
      [`${prefix}.heartbeats`, `${idOf(agent)}.heartbeats`],
      [`${prefix}.tasks`, endpoint.infos.task_queue_info.queue],
      [`${prefix}.commands`, agent.registration.command_queue_info.queue],
      ['', agent.registration.command_queue_info.queue],
    ] as const) {
      assert.match(await refusal(url, publishing(exchange, key)), /ACCESS_REFUSED/, `${exchange} ${key}`);
    }
    assert.equal(await refusal(url, publishing(`${prefix}.results`, `${endpoint.id}.results`)), 'allowed');
  });

  it('of an agent reads its commands, and no tasks', async () => {
    const url = urlOf(agent.registration);
    const queue = endpoint.infos.task_queue_info.queue;
    assert.match(await refusal(url, (channel) => channel.get(queue)), /ACCESS_REFUSED/);
    const commands = agent.registration.command_queue_info.queue;
    assert.equal(await refusal(url, (channel) => channel.get(commands)), 'allowed');
  });

  it('of a user reads his own results, and nothing else', async () => {
    const group = randomUUID() as string as TaskGroupId;
    await lab.ended((await lab.submit(agent, 1, { create_queue: true, task_group_id: group }, ALICE)).ids);
    const mine = await lab.hub.resultConnection(ALICE);
    assert.equal(await refusal(mine.connection_url, (channel) => channel.get(mine.queue_prefix + group)), 'allowed');
    const others = await lab.hub.resultConnection(BOB);
    for (const queue of [mine.queue_prefix + group, `${prefix}.results`, endpoint.infos.task_queue_info.queue]) {
      assert.match(await refusal(others.connection_url, (channel) => channel.get(queue)), /ACCESS_REFUSED/, queue);
    }
    const write = publishing('', mine.queue_prefix + group);
    assert.match(await refusal(mine.connection_url, write), /ACCESS_REFUSED/);
    const remove = (channel: Channel) => channel.deleteQueue(mine.queue_prefix + group);
    assert.match(await refusal(mine.connection_url, remove), /ACCESS_REFUSED/);
  });

  it('gets a new password with each registration, and each call of a user', async () => {
    agent.kill();
    const old = urlOf(agent.registration);
    const next = await lab.hub.registerEndpoint({ endpoint_name: 'lab' }, ALICE, idOf(agent));
    await assert.rejects(connect(old), /ACCESS.REFUSED/);
    await (await connect(urlOf(next))).close();
    const first = await lab.hub.resultConnection(ALICE);
    const second = await lab.hub.resultConnection(ALICE);
    await assert.rejects(connect(first.connection_url), /ACCESS.REFUSED/);
    await (await connect(second.connection_url)).close();
  });

  it('lets a user endpoint that runs connect again, over a restart of the hub', async () => {
    await lab.hub.durable();
    await lab.closeHub();
    await lab.reopen();
    endpoint.kill();
    await lab.ended((await lab.submit(agent, 2)).ids);
    assert.deepEqual(endpoint.infos, (await agent.until(2)).infos);
  });

  it('is gone when its agent is stopped from afar, or deleted', async () => {
    await lab.hub.lockEndpoint(idOf(agent));
    await assert.rejects(connect(urlOf(agent.registration)), /ACCESS.REFUSED/);
    await assert.rejects(connect(endpoint.infos.task_queue_info.connection_url), /ACCESS.REFUSED/);
    const other = await lab.agent();
    await lab.hub.deleteEndpoint(idOf(other));
    await assert.rejects(connect(urlOf(other.registration)), /ACCESS.REFUSED/);
  });

  it('is handed out by nobody who cannot be believed: forged results are dropped', async () => {
    const silent = await lab.agent(() => undefined);
    const { ids } = await lab.submit(silent, 1);
    const victim = await silent.until(1);
    await victim.taken(1);
    await endpoint.publish(resultOf(victim.tasks[0] ?? assert.fail(), '11\n"forged"'));
    await lab.told('stray');
    await endpoint.publishReport(message('ep_status_report', { endpoint_id: victim.id, global_state: { error: 'x' } }));
    await lab.told('stray');
    await victim.publish(resultOf(victim.tasks[0] ?? assert.fail(), '11\n"true"'));
    assert.equal((await lab.ended(ids))[0]?.result, '11\n"true"');
  });
});
