/** Agents, broker and hub that end at the worst moment, and messages that make no sense: every task gets one result. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { connect } from 'amqplib';
import { Session } from '../../../dist/lib/hub/broker/session.js';
import { FuncXError, type TaskId } from '../../../dist/lib/index.js';
import { type AgentTask, echo, type FakeAgent, type FakeUserEndpoint, message, resultOf } from './fake-agent.js';
import { ALICE, AMQP_URL, BrokerLab, Cable, idOf, NO_ARGUMENTS } from './fixture.js';
import type { ChildOrders } from './hub-child.js';

describe('an attached agent in trouble', () => {
  let lab: BrokerLab;
  beforeEach(async () => {
    lab = await BrokerLab.open();
  });
  afterEach(() => lab.clean());

  it('sends a result twice: the first counts', async () => {
    const agent = await lab.agent((task) => [resultOf(task, '11\n1'), resultOf(task, '11\n2')]);
    const { ids } = await lab.submit(agent, 50);
    const statuses = await lab.ended(ids);
    await lab.told('stray');
    assert.deepEqual([...new Set(statuses.map(({ result }) => result))], ['11\n1']);
    assert.deepEqual(await lab.ended(ids), statuses);
  });

  it('sends what is no result: it is dropped, and the next ones count', async () => {
    const nonsense = (task: AgentTask) => [
      Buffer.alloc(0),
      Buffer.from([2, 123, 125]),
      Buffer.from('\x01{"message_type":"result","data":'),
      Buffer.from('\x01[]'),
      message('result', null),
      message('result', { task_id: task.id }),
      message('result', { task_id: 'x', data: 'y' }),
      message('task', { task_id: task.id, data: '11\n1' }),
      resultOf({ ...task, id: randomUUID() }, '11\n1'),
      resultOf(task, '11\n"good"', { task_statuses: 'x', details: [1], error_details: 7 }),
    ];
    const agent = await lab.agent(nonsense);
    const [status] = await lab.ended((await lab.submit(agent, 1)).ids);
    assert.equal(status?.result, '11\n"good"');
    const stray = lab.news.filter(({ kind }) => kind === 'stray');
    assert.equal(stray.length, 9);
    await lab.ended((await lab.submit(agent, 1)).ids);
  });

  it('sends reports that make no sense: they are dropped', async () => {
    const agent = await lab.agent();
    await lab.submit(agent, 1);
    const endpoint = await agent.until(1);
    for (const content of [Buffer.from('x'), message('ep_status_report', { endpoint_id: randomUUID() })]) {
      await endpoint.publishReport(content);
      await lab.told('stray');
    }
    await endpoint.publishReport(message('ep_status_report', { endpoint_id: endpoint.id, global_state: 3 }));
    assert.equal((await lab.hub.endpointStatus(idOf(agent))).status, 'online');
  });

  it('answers a task that was given to another: the other answers', async () => {
    const silent = await lab.agent(() => undefined);
    const { ids } = await lab.submit(silent, 1);
    const endpoint = await silent.until(1);
    await endpoint.taken(1);
    const liar = await lab.agent(async (task, own) => {
      const [stolen] = endpoint.tasks;
      if (stolen !== undefined) await own.publish(resultOf(stolen, '11\n"forged"'));
      return echo(task);
    });
    await lab.ended((await lab.submit(liar, 1)).ids);
    assert.match((await lab.told('stray')).message, /was not given it/);
    await endpoint.publish(resultOf(endpoint.tasks[0] ?? assert.fail(), '11\n"true"'));
    const [status] = await lab.ended(ids);
    assert.equal(status?.result, '11\n"true"');
  });

  it('is killed with tasks in its hands: they are given to the next, and end once', async () => {
    let isFirst = true;
    const answer = (task: AgentTask) =>
      isFirst && Number.parseInt(task.id.slice(0, 2), 16) % 2 ? undefined : echo(task);
    const agent = await lab.agent(answer);
    const { ids } = await lab.submit(agent, 200);
    const endpoint = await agent.until(1);
    await endpoint.taken(200);
    const late = await lab.submit(agent, 10);
    agent.kill();
    isFirst = false;
    const again = await lab.agent(answer, {}, idOf(agent));
    const statuses = await lab.ended([...ids, ...late.ids]);
    assert.ok(statuses.every(({ task_id, result }) => result === `11\n${JSON.stringify(task_id)}`));
    const [next] = again.started;
    assert.equal(next?.id, endpoint.id);
    const repeated = endpoint.tasks.filter(({ id }) => next?.tasks.some((task) => task.id === id)).length;
    assert.ok(repeated < 210, `${repeated} tasks ran twice`);
    const flagged = statuses.filter(({ details }) => details?.rerun);
    assert.ok(flagged.length > 0);
  });

  it('loses a user endpoint while it lives on: it is told to start it again', async () => {
    const agent = await lab.agent();
    await lab.ended((await lab.submit(agent, 1)).ids);
    agent.started[0]?.kill();
    await lab.ended((await lab.submit(agent, 5)).ids);
    assert.deepEqual(
      agent.started.map(({ id, tasks }) => [id, tasks.length]),
      [
        [agent.started[0]?.id, 1],
        [agent.started[0]?.id, 5],
      ],
    );
  });

  it('is silent: it is offline, its tasks wait, and are delivered when it comes back', async () => {
    await lab.clean();
    lab = await BrokerLab.open({ offlineAfterMs: 300 });
    const agent = await lab.agent();
    await lab.ended((await lab.submit(agent, 1)).ids);
    await lab.isSeen(agent, 'online', () => agent.report());
    agent.kill();
    await lab.isSeen(agent, 'offline');
    const { ids } = await lab.submit(agent, 20);
    assert.equal((await lab.hub.getTask(ids[0] ?? assert.fail())).completion_t, undefined);
    assert.equal((await lab.hub.endpointStatus(idOf(agent))).details?.outstanding_tasks, 20);
    const back = await lab.agent(echo, {}, idOf(agent));
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every(({ status }) => status === 'success'));
    await lab.isSeen(back, 'online', () => back.report());
  });

  it('says good-bye: it is offline at once', async () => {
    const agent = await lab.agent();
    await lab.isSeen(agent, 'online');
    await agent.report({ heartbeat_period: 0 });
    await lab.isSeen(agent, 'offline');
  });
});

describe('a hub whose store takes no more', () => {
  let lab: BrokerLab;
  beforeEach(async () => {
    lab = await BrokerLab.open();
  });
  afterEach(() => lab.clean());

  /** As when 256 MB wait for the disk, which is hard to hold still for so long. */
  function fill(): () => void {
    const { store } = lab.hub;
    store.write = () => {
      throw new FuncXError('QUEUE_FULL', 'The store takes no more until the disk catches up.');
    };
    return () => Reflect.deleteProperty(store, 'write');
  }

  it('has agents start, run tasks and come back, and knows of it when it is opened again', async () => {
    const agent = await lab.agent();
    const body = { tasks: { [await lab.function()]: [NO_ARGUMENTS] } };
    const run = async (one: FakeAgent) => {
      const { tasks } = await lab.hub.submit(idOf(one), body);
      return lab.ended(Object.values(tasks).flat() as TaskId[]);
    };
    const free = fill();
    await run(agent);
    const first = await agent.until(1);
    await lab.isSeenRunning(agent);
    first.kill();
    await run(agent);
    free();
    const second = await agent.until(2);
    assert.equal(second.id, first.id);
    await lab.closeHub();
    await lab.reopen();
    await run(agent);
    assert.equal(second.tasks.length, 2);
    assert.equal(agent.commands.length, 2);
  });

  it('goes on where a result could not be dealt with: it comes again', async () => {
    const agent = await lab.agent((task) => [resultOf({ ...task, id: randomUUID() }, '11\n0'), echo(task) as Buffer]);
    const warned = once(process, 'warning');
    lab.hub.once('agents', ({ kind }) => {
      assert.equal(kind, 'stray');
      throw new FuncXError('QUEUE_FULL', 'thrown by a test');
    });
    const { ids } = await lab.submit(agent, 1);
    assert.match(String((await warned)[0]), /thrown by a test/);
    const [status] = await lab.ended(ids);
    assert.equal(status?.status, 'success');
  });

  it('refuses what is asked of it, and has not taken half of it', async () => {
    const agent = await lab.agent();
    const functionId = await lab.function();
    const free = fill();
    const user = lab.hub.as(ALICE);
    const body = { tasks: { [functionId]: [NO_ARGUMENTS] }, create_queue: true };
    await assert.rejects(lab.hub.submit(idOf(agent), body, ALICE), { code: 'QUEUE_FULL' });
    await assert.rejects(user.registerEndpoint({ endpoint_name: 'full' }), { code: 'QUEUE_FULL' });
    assert.equal((await lab.hub.endpointStatus(idOf(agent))).details?.outstanding_tasks, 0);
    assert.equal((await lab.hub.listEndpoints()).length, 1);
    free();
    await lab.hub.submit(idOf(agent), body, ALICE);
  });
});

describe('results that a living agent has lost', () => {
  let lab: BrokerLab;
  beforeEach(async () => {
    lab = await BrokerLab.open({ recoveryMs: 200 });
  });
  afterEach(() => lab.clean());

  /** An agent that has answered once, and then loses the results of its next tasks. Those that come again are answered. */
  async function forgetful(): Promise<{ agent: FakeAgent; endpoint: FakeUserEndpoint }> {
    const seen = new Set<string>();
    const agent = await lab.agent((task, { tasks }) => {
      const isNew = !seen.has(task.id);
      seen.add(task.id);
      return isNew && tasks.length > 1 ? undefined : echo(task);
    });
    await lab.ended((await lab.submit(agent, 1)).ids);
    const endpoint = await agent.until(1);
    await lab.isSeenRunning(agent);
    return { agent, endpoint };
  }

  it('with the connections, from an engine that does not count its tasks: they are run again', async () => {
    const { agent, endpoint } = await forgetful();
    const functionId = endpoint.tasks[0]?.functionId ?? assert.fail();
    const reply = await lab.hub.submit(idOf(agent), { tasks: { [functionId]: Array(20).fill(NO_ARGUMENTS) } });
    const ids = Object.values(reply.tasks).flat() as TaskId[];
    await endpoint.taken(21);
    await lab.confirmed(ids);
    await lab.cutHub();
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every(({ task_id, result }) => result === `11\n${JSON.stringify(task_id)}`));
    assert.match((await lab.told('missing')).message, /not answered 20 tasks/);
    assert.equal(endpoint.tasks.length, 41);
  });

  it('unseen by the hub, from an engine that counts its tasks: they are run again', async () => {
    const { agent, endpoint } = await forgetful();
    const { ids } = await lab.submit(agent, 20);
    await endpoint.taken(21);
    await lab.confirmed(ids);
    await endpoint.report({ outstanding_tasks: 20, heartbeat_period: 0.1 });
    await endpoint.report({ outstanding_tasks: 0, heartbeat_period: 0.1 });
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every(({ status, details }) => status === 'success' && details?.rerun === true));
    assert.equal(endpoint.tasks.length, 41);
  });
});

describe('a hub with agents that ends', () => {
  let lab: BrokerLab;
  beforeEach(async () => {
    lab = await BrokerLab.open();
  });
  afterEach(() => lab.clean());

  it('gets what ended meanwhile, and gives out what was not given out', async () => {
    const answers: (() => void)[] = [];
    const agent = await lab.agent(
      (task) => new Promise((resolve) => answers.push(() => resolve(resultOf(task, '11\n"late"')))),
    );
    const { ids } = await lab.submit(agent, 40);
    const endpoint = await agent.until(1);
    await endpoint.taken(40);
    await lab.hub.durable();
    await lab.closeHub();
    for (const answer of answers) answer();
    await lab.reopen();
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every(({ status, result }) => status === 'success' && result === '11\n"late"'));
    assert.ok(statuses.every(({ details }) => details?.rerun === undefined));
    assert.equal(endpoint.tasks.length, 40);
  });

  it('by a kill in the middle of thousands: each ends once, and none is lost', async function () {
    this.timeout(60_000); // Another process has to start.
    const agent = await lab.agent();
    const functionId = await lab.function();
    await lab.closeHub();
    const program = ['--require', 'tsx/cjs', path.join(__dirname, 'hub-child.ts')];
    const child = spawn(process.execPath, program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const file = path.join(lab.folder, 'hub.db');
    const orders: ChildOrders = { file, url: AMQP_URL, endpoint: idOf(agent), functionId, count: 3000 };
    child.send(orders);
    const [ids] = (await once(child, 'message')) as [TaskId[]];
    const endpoint = await agent.until(1);
    await endpoint.taken(700);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await lab.reopen();
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every(({ task_id, result }) => result === `11\n${JSON.stringify(task_id)}`));
  });

  it('keeps what was submitted while no agent was there', async () => {
    const agent = await lab.agent();
    agent.kill();
    const { ids } = await lab.submit(agent, 30);
    await lab.hub.durable();
    await lab.closeHub();
    await lab.reopen();
    const back = await lab.agent(echo, {}, idOf(agent));
    await lab.ended(ids);
    assert.equal(back.started[0]?.tasks.length, 30);
  });

  it("takes no agent under an id that is connected, or somebody else's", async () => {
    const agent = await lab.agent();
    await assert.rejects(lab.hub.registerEndpoint({ endpoint_name: 'x' }, ALICE, idOf(agent)), {
      code: 'RESOURCE_CONFLICT',
    });
    const other = { id: randomUUID(), username: 'eve' };
    await assert.rejects(lab.hub.registerEndpoint({ endpoint_name: 'x' }, other, idOf(agent)), {
      code: 'ENDPOINT_ACCESS_FORBIDDEN',
    });
  });

  it('stops an agent from afar and refuses it for a while', async () => {
    const agent = await lab.agent();
    const { lock_expiration_timestamp } = await lab.hub.lockEndpoint(idOf(agent));
    assert.ok(lock_expiration_timestamp > Date.now() / 1000);
    agent.kill();
    await assert.rejects(lab.hub.registerEndpoint({ endpoint_name: 'x' }, ALICE, idOf(agent)), {
      code: 'RESOURCE_LOCKED',
    });
  });

  it('deletes an agent: its tasks fail, and its id is not known any more', async () => {
    const agent = await lab.agent(() => undefined);
    const { ids } = await lab.submit(agent, 5);
    await (await agent.until(1)).taken(5);
    assert.deepEqual(await lab.hub.deleteEndpoint(idOf(agent)), { result: 1 });
    const statuses = await lab.ended(ids);
    assert.ok(statuses.every(({ error_code }) => error_code === 'ENDPOINT_DELETED'));
    await assert.rejects(lab.hub.getEndpoint(idOf(agent)), { code: 'ENDPOINT_NOT_FOUND' });
  });
});

describe('a session with a broker that hangs and is gone', () => {
  let cable: Cable;
  let session: Session;
  beforeEach(async () => {
    cable = await Cable.to(new URL(AMQP_URL));
    session = await Session.over(await connect(cable.url));
  });
  afterEach(() => cable.close());

  it('gives an answer to whoever has asked something, and was about to close his channel', async () => {
    const asked = session.administer(async (channel) => {
      await channel.checkExchange('amq.direct');
      cable.hold();
      setImmediate(() => cable.cut()); // By then the channel is being closed.
      return 'answer';
    });
    assert.equal(await asked, 'answer');
  });

  it('ends for whoever ends it', async () => {
    cable.hold();
    const ended = session.end();
    cable.cut();
    await ended;
  });
});

describe('a broker that cuts connections', () => {
  let lab: BrokerLab;
  beforeEach(async () => {
    lab = await BrokerLab.open();
  });
  afterEach(() => lab.clean());

  it('in the middle of thousands of tasks: each gets one result', async function () {
    this.timeout(60_000);
    const agent = await lab.agent();
    const first = await lab.submit(agent, 2000);
    const endpoint = await agent.until(1);
    await endpoint.taken(500);
    await lab.cutHub();
    const second = await lab.submit(agent, 2000);
    const statuses = await lab.ended([...first.ids, ...second.ids]);
    assert.ok(statuses.every(({ task_id, result }) => result === `11\n${JSON.stringify(task_id)}`));
    assert.ok(endpoint.tasks.length >= 4000);
  });

  it('is not there when the hub opens: the hub opens, and connects when it comes', async () => {
    await lab.closeHub();
    const nowhere = AMQP_URL.replace(/:\d+(\/|$)/, ':1$1');
    const { Hub } = await import('../../../dist/lib/index.js');
    const hub = await Hub.open({ file: `${lab.folder}/other.db`, broker: { url: nowhere } });
    const told = await new Promise<string>((resolve) =>
      hub.on('agents', ({ kind, message: text }) => kind === 'disconnected' && resolve(text)),
    );
    assert.doesNotMatch(told, /guest/);
    await assert.rejects(hub.registerEndpoint({ endpoint_name: 'x' }, ALICE), { code: 'BROKER_NOT_AVAILABLE' });
    await hub.close();
    await lab.reopen();
  });
});
