/** A hub with a broker, in a virtual host of its own, and a client. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import {
  type AgentNews,
  type BrokerOptions,
  type EndpointId,
  type EndpointRegistration,
  type FunctionId,
  FuncXClient,
  Hub,
  type Identity,
  type Submission,
  type SubmitReply,
  type TaskGroupId,
  type TaskId,
  type TaskStatus,
} from '../../../dist/lib/index.js';
import { type AgentTask, type Answer, echo, FakeAgent, type FakeUserEndpoint } from './fake-agent.js';

export const AMQP_URL = process.env.AMQP_URL ?? 'amqp://guest:guest@127.0.0.1:5672';

export const ALICE: Identity = { id: randomUUID(), username: 'alice' };
export const BOB: Identity = { id: randomUUID(), username: 'bob' };

export const SOURCE = 'def f(x=None):\n    return x\n';
export const CODE = `${3 + 2 + SOURCE.length}\nst\nf:${SOURCE}`;
export const NO_ARGUMENTS = '5\n11\n[]5\n11\n{}';

export class BrokerLab {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'funcx-broker-'));
  readonly news: AgentNews[] = [];
  readonly agents: FakeAgent[] = [];
  #hub: Hub | undefined;
  #client: FuncXClient | undefined;
  #toldNews: () => void = () => {};

  private constructor(
    readonly options: BrokerOptions,
    readonly cable: Cable,
  ) {}

  static async open(options: Partial<BrokerOptions> = {}): Promise<BrokerLab> {
    const cable = await Cable.to(new URL(AMQP_URL));
    const lab = new BrokerLab({ url: cable.url, publicUrl: AMQP_URL, lookMs: 100, ...options }, cable);
    await lab.reopen();
    return lab;
  }

  get hub(): Hub {
    if (this.#hub === undefined) throw new Error('The hub is not open.');
    return this.#hub;
  }

  /** Opens the hub on the same file, as after a restart, and waits for the broker. */
  async reopen(broker = this.options): Promise<void> {
    await this.#open(broker);
    await this.told('connected');
  }

  /** As {@link reopen}, of a hub that has no broker any more. */
  reopenWithout(): Promise<void> {
    return this.#open(undefined);
  }

  async #open(broker: BrokerOptions | undefined): Promise<void> {
    this.#hub = await Hub.open({ file: path.join(this.folder, 'hub.db'), ...(broker && { broker }) });
    this.news.length = 0;
    this.#hub.on('agents', (news) => {
      this.news.push(news);
      this.#toldNews();
    });
  }

  async closeHub(): Promise<void> {
    await this.#client?.close();
    this.#client = undefined;
    await this.hub.close();
  }

  /** Waits for news of a kind, and gives the first that was not asked for before. */
  async told(kind: AgentNews['kind']): Promise<AgentNews> {
    for (;;) {
      const index = this.news.findIndex((news) => news.kind === kind);
      const [found] = index < 0 ? [] : this.news.splice(index, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#toldNews = resolve;
      });
    }
  }

  /** Registers an agent and starts it. */
  async agent(
    answer: (task: AgentTask, endpoint: FakeUserEndpoint) => Answer | Promise<Answer> = echo,
    registration: Partial<EndpointRegistration> = {},
    id?: EndpointId,
  ): Promise<FakeAgent> {
    const reply = await this.hub.registerEndpoint({ endpoint_name: 'lab', ...registration }, ALICE, id);
    const agent = await new FakeAgent(reply, answer).start();
    this.agents.push(agent);
    return agent;
  }

  async function(): Promise<FunctionId> {
    const meta = { python_version: '3.11.2', sdk_version: '4.15.0', serde_identifier: 'st' };
    return (await this.hub.registerFunction({ function_name: 'f', function_code: CODE, meta }))
      .function_uuid as FunctionId;
  }

  /** Submits so many calls without arguments. */
  async submit(
    to: FakeAgent | EndpointId,
    count: number,
    more: Partial<Submission> = {},
    user?: Identity,
  ): Promise<Submitted> {
    const functionId = await this.function();
    const reply = await this.hub.submit(
      to instanceof FakeAgent ? idOf(to) : to,
      { tasks: { [functionId]: Array(count).fill(NO_ARGUMENTS) }, ...more },
      user,
    );
    return { ids: idsOf(reply), group: reply.task_group_id as TaskGroupId };
  }

  /** Waits until all of these tasks have ended. */
  async ended(ids: readonly TaskId[]): Promise<TaskStatus[]> {
    for (const id of ids) {
      while ((await this.hub.getTask(id)).completion_t === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    const statuses = await this.hub.batchStatus(ids);
    return ids.map((id) => statuses[id] as TaskStatus);
  }

  /** Waits until the hub says so of an agent. */
  async isSeen(agent: FakeAgent, as: 'online' | 'offline', again: () => Promise<void> = async () => {}): Promise<void> {
    while ((await this.hub.endpointStatus(idOf(agent))).status !== as) {
      await again();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Waits until the broker has confirmed that it has these tasks. */
  async confirmed(ids: readonly TaskId[]): Promise<void> {
    for (const id of ids) {
      while ((await this.hub.getTask(id)).status !== 'waiting-for-ep') {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  /** Waits until the hub has a report of what the agent has started. */
  async isSeenRunning(agent: FakeAgent): Promise<void> {
    while ((await this.hub.endpointStatus(idOf(agent))).details?.managers !== 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Cuts the hub's line to the broker. */
  async cutHub(): Promise<void> {
    this.cable.cut();
    await this.told('disconnected');
  }

  async client(agent: FakeAgent): Promise<FuncXClient> {
    this.#client = await FuncXClient.open({ service: this.hub, endpointId: idOf(agent) });
    return this.#client;
  }

  /** Closes everything and removes what the hub has made at the broker. */
  async clean(): Promise<void> {
    await this.#client?.close();
    const prefix = `funcx.${this.hub.operator.id.slice(0, 8)}.`;
    for (const agent of this.agents) agent.kill();
    await this.#hub?.close();
    await removeAll(prefix);
    this.cable.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Between the hub and the broker: what goes through it can be cut without a word. */
export class Cable {
  #isHeld = false;
  readonly #sockets = new Set<net.Socket>();

  private constructor(
    readonly url: string,
    readonly server: net.Server,
  ) {}

  static async to(broker: URL): Promise<Cable> {
    const server = net.createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const url = new URL(broker);
    url.host = `127.0.0.1:${port}`;
    const cable = new Cable(url.toString(), server);
    server.on('connection', (inner) => {
      const outer = net.connect(Number(broker.port) || 5672, broker.hostname);
      for (const socket of [inner, outer]) {
        cable.#sockets.add(socket);
        socket.on('error', () => {}); // Told by its close.
        socket.on('close', () => {
          inner.destroy();
          outer.destroy();
          cable.#sockets.delete(socket);
        });
      }
      inner.on('data', (data) => cable.#isHeld || outer.write(data));
      outer.on('data', (data) => cable.#isHeld || inner.write(data));
    });
    return cable;
  }

  /** Swallows what goes through it from now on, as a broker that hangs. */
  hold(): void {
    this.#isHeld = true;
  }

  cut(): void {
    this.#isHeld = false;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): void {
    this.server.close();
    this.cut();
  }
}

export interface Submitted {
  readonly ids: TaskId[];
  readonly group: TaskGroupId;
}

export function idOf(agent: FakeAgent): EndpointId {
  return agent.registration.endpoint_id as EndpointId;
}

function idsOf(reply: SubmitReply): TaskId[] {
  return Object.values(reply.tasks).flat() as TaskId[];
}

/** What is left on a broker that others use as well. */
async function removeAll(prefix: string): Promise<void> {
  const listed = await promisify(execFile)('rabbitmqctl', ['-q', 'list_queues', 'name']).catch(() => ({ stdout: '' }));
  const model = await connect(AMQP_URL);
  const channel = await model.createChannel();
  for (const queue of listed.stdout.split('\n')) if (queue.startsWith(prefix)) await channel.deleteQueue(queue);
  for (const name of ['commands', 'tasks', 'results', 'heartbeats', 'mark'])
    await channel.deleteExchange(prefix + name);
  await model.close();
}
