/**
 * The agents that are attached by the broker: their registrations, what they report, and the results that they send. They are
 * known, offline, also while there is no broker: their tasks wait.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { type EndpointId, isUuid, type TaskGroupId } from '../compute/ids.js';
import type {
  EndpointLock,
  EndpointRegistration,
  EndpointRegistrationReply,
  ResultConnection,
} from '../compute/service.js';
import type { Store } from '../storage/index.js';
import { type AgentRecord, AgentRecords, type UserEndpointRecord } from './agent-records.js';
import { AttachedEndpoint, type AttachedEndpointLimits } from './attached-endpoint.js';
import type { TaskBatch, TaskRef } from './batch.js';
import type { AgentLine } from './broker/agent-line.js';
import { Broker } from './broker/broker.js';
import { MalformedMessage, readReport } from './broker/messages.js';
import { BrokerNames } from './broker/names.js';
import type { BrokerOptions } from './broker/options.js';
import type { SentResult } from './broker/result-inbox.js';
import { ResultQueues } from './broker/result-queues.js';
import { type Session, SessionLost } from './broker/session.js';
import type { HubEndpoint } from './endpoint.js';
import type { Identity } from './identity.js';
import {
  brokerNotAvailable,
  brokerNotConfigured,
  endpointForbidden,
  endpointInUse,
  endpointLocked,
  endpointNotFound,
  invalidUuid,
} from './refusals.js';
import { checkRegistration } from './registration.js';
import type { ResultStreams } from './result-streams.js';
import type { TaskBook } from './task-book.js';
import { UserEndpoint } from './user-endpoint.js';
import { failure, type TaskEnding } from './workers/ending.js';
import type { PoolEvents } from './workers/pool.js';

/** Without a report for so long an agent is offline. Source: funcX web service. Unit: milliseconds. */
const OFFLINE_AFTER_MS = 120_000;
const LOOK_MS = 5000;
const USER_ENDPOINTS = 256;

/** How long an agent that was stopped from afar is refused. Unit: milliseconds. */
const LOCK_MS = 60_000;

export interface AgentNews {
  readonly kind: 'connected' | 'disconnected' | 'shared-account' | 'not-started' | 'stray' | 'missing';
  /** For the operator. */
  readonly message: string;
}

export interface AgentsEvents extends PoolEvents {
  attached(endpoint: HubEndpoint): Promise<void>;
  detached(id: EndpointId): Promise<TaskBatch[]>;
  told(news: AgentNews): void;
}

export class Agents {
  readonly #store: Store;
  readonly #records: AgentRecords;
  readonly #operator: Identity;
  readonly #tasks: TaskBook;
  readonly #events: AgentsEvents;
  readonly #names: BrokerNames;
  /** Of the broker; endpoints look here each time. */
  readonly #limits: { -readonly [Limit in keyof AttachedEndpointLimits]: AttachedEndpointLimits[Limit] } = {
    offlineAfterMs: OFFLINE_AFTER_MS,
    userEndpoints: USER_ENDPOINTS,
  };
  readonly #queues: ResultQueues;
  /** Undefined while there is none, and from the moment that one is left until the next takes its place. */
  #broker: Broker | undefined;
  #isForBroker = false;
  readonly #agents = new Map<EndpointId, AttachedEndpoint>();
  readonly #userEndpoints = new Map<string, { endpoint: UserEndpoint; agentId: EndpointId }>();
  #looking: NodeJS.Timeout | undefined;
  #wasConnected = false;

  constructor(store: Store, operator: Identity, tasks: TaskBook, streams: ResultStreams, events: AgentsEvents) {
    this.#store = store;
    this.#records = new AgentRecords(store);
    this.#operator = operator;
    this.#tasks = tasks;
    this.#events = events;
    this.#names = new BrokerNames(operator.id);
    this.#queues = new ResultQueues(this.#names, store, streams, () => this.#broker?.session);
  }

  /**
   * Takes up the agents that were registered, and begins to connect to the broker, if there is one. Throws InputError where
   * its URL cannot be used.
   */
  async open(options: BrokerOptions | undefined): Promise<void> {
    const broker = options && this.#brokerOf(options);
    for (const record of await this.#records.all()) {
      await this.#attach(record);
    }
    if (options !== undefined && broker !== undefined) await this.#take(broker, options);
  }

  /** There is a broker, or the next one is about to take its place. */
  get isForBroker(): boolean {
    return this.#isForBroker;
  }

  /** See {@link Hub.changeBroker}. */
  async changeBroker(options: BrokerOptions | undefined): Promise<void> {
    const next = options && this.#brokerOf(options); // Throws while the old one is there still.
    this.#isForBroker = next !== undefined;
    await this.#leave();
    if (options !== undefined && next !== undefined) await this.#take(next, options);
    else this.#queues.rest();
  }

  async register(
    registration: EndpointRegistration,
    owner: Identity,
    id: EndpointId = randomUUID() as string as EndpointId,
  ): Promise<EndpointRegistrationReply> {
    checkRegistration(registration, id);
    const key = id.toLowerCase() as EndpointId;
    const known = this.#agents.get(key);
    if (known !== undefined && known.record.owner.id !== owner.id) throw endpointForbidden(key);
    if (known !== undefined && known.record.lockedUntil > Date.now())
      throw endpointLocked(key, known.record.lockedUntil);
    const { line, credentials } = this.#reachable(`Endpoint ${key} cannot be registered`);
    if ((await line.inspectCommands(key)) > 0) throw endpointInUse(key);
    const { consumers } = await line.inspect(key);
    if (consumers > 0) throw endpointInUse(key);
    const secret = randomBytes(32).toString('base64url');
    const record: AgentRecord = { id: key, owner, registration, secret, lockedUntil: 0 };
    const queues = await credentials.ofEndpoint(key, secret);
    this.#records.write(record);
    known?.renew(record);
    const agent = known ?? (await this.#attach(record));
    for (const endpoint of agent.userEndpoints) endpoint.forgetReports();
    await this.#store.committed();
    return {
      endpoint_id: key,
      ...queues,
      ...(agent.schemaProblem !== undefined && {
        warnings: [`user_config_schema is not checked by the hub, only by the agent: ${agent.schemaProblem}`],
      }),
    };
  }

  async delete(id: EndpointId): Promise<{ result: number }> {
    const agent = this.#agent(id);
    const broker = this.#broker && this.#reachable(`Endpoint ${id} cannot be deleted`);
    const waiting = await this.#detach(agent.id);
    this.#records.remove(agent.id);
    const why = `Endpoint ${id} was deleted before task`;
    const endings = waiting.flatMap((batch) =>
      batch.ids.flatMap((taskId): [TaskRef, TaskEnding][] => {
        const task = this.#tasks.find(taskId);
        return task === undefined ? [] : [[task, failure('ENDPOINT_DELETED', `${why} ${taskId} had ended.`)]];
      }),
    );
    this.#events.ended(endings);
    for (const userEndpoint of new Set([agent.id as string, ...[...agent.userEndpoints].map((one) => one.id)])) {
      await broker?.credentials.remove(userEndpoint);
      await broker?.line.removeTasks(userEndpoint);
    }
    await broker?.line.removeCommands(agent.id);
    await this.#store.committed();
    return { result: 1 };
  }

  async lock(id: EndpointId): Promise<EndpointLock> {
    const agent = this.#agent(id);
    const { line, credentials } = this.#reachable(`Endpoint ${id} cannot be stopped`);
    const lockedUntil = Date.now() + LOCK_MS;
    const record = { ...agent.record, lockedUntil };
    this.#records.write(record);
    agent.renew(record);
    await credentials.remove(agent.id);
    for (const userEndpoint of agent.userEndpoints) await credentials.remove(userEndpoint.id);
    await line.removeCommands(agent.id);
    await this.#store.committed();
    return { endpoint_id: agent.id, lock_expiration_timestamp: lockedUntil / 1000 };
  }

  async resultConnection(user: Identity): Promise<ResultConnection> {
    return this.#configured('Results cannot be streamed').credentials.ofUser(user.id);
  }

  resultQueue(group: TaskGroupId, user: Identity): Promise<void> {
    return this.#queues.ensure(group, user.id);
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    await this.#broker?.close();
  }

  #agent(id: EndpointId): AttachedEndpoint {
    if (!isUuid(id)) throw invalidUuid('The endpoint', id);
    const agent = this.#agents.get(id.toLowerCase() as EndpointId);
    if (agent === undefined) throw endpointNotFound(id);
    return agent;
  }

  #configured(what: string): Broker {
    if (!this.#isForBroker) throw brokerNotConfigured(what);
    if (this.#broker === undefined) throw brokerNotAvailable(what);
    return this.#broker;
  }

  #reachable(what: string): Broker {
    const broker = this.#configured(what);
    if (broker.session === undefined) throw brokerNotAvailable(what);
    return broker;
  }

  // The broker

  #brokerOf(options: BrokerOptions): Broker {
    const broker: Broker = new Broker(options, this.#names, this.#store, this.#operator.id, {
      arrived: (results) => this.#arrived(results),
      reported: (content, sender) => this.#reported(content, sender),
      stray: (sender, why) => this.#stray(`A result of endpoint ${sender} cannot be used: ${why}.`),
      connected: (session, isNew) => this.#connected(broker, session, isNew),
      disconnected: (reason) => this.#events.told({ kind: 'disconnected', message: notReached(reason) }),
    });
    return broker;
  }

  async #take(broker: Broker, options: BrokerOptions): Promise<void> {
    this.#limits.offlineAfterMs = options.offlineAfterMs ?? OFFLINE_AFTER_MS;
    this.#limits.userEndpoints = options.userEndpoints ?? USER_ENDPOINTS;
    this.#limits.recoveryMs = options.recoveryMs;
    this.#broker = broker;
    this.#isForBroker = true;
    await this.#queues.open();
    broker.open();
    this.#looking = setInterval(() => {
      for (const agent of this.#agents.values()) agent.look();
    }, options.lookMs ?? LOOK_MS);
    this.#looking.unref();
    if (broker.credentials.areSeparate) return;
    setImmediate(() => this.#events.told({ kind: 'shared-account', message: SHARED_ACCOUNT })); // By then it is listened to.
  }

  /**
   * Leaves the broker. What waits for an agent there is taken back. Agents go on with what they have begun, so that nothing of
   * it is lost should the hub come back; their queues stay.
   */
  async #leave(): Promise<void> {
    const broker = this.#broker;
    if (broker === undefined) return;
    clearInterval(this.#looking);
    this.#broker = undefined; // Nothing more is sent there from now on.
    await broker.leave((until) => {
      const endpoints = [...this.#userEndpoints.values()].map(({ endpoint }) =>
        this.#takeBack(endpoint, broker, until),
      );
      return Promise.all([...endpoints, this.#queues.settled()]);
    });
    for (const agent of this.#agents.values()) agent.forgetReports();
  }

  async #takeBack(endpoint: UserEndpoint, { line }: Broker, until: number): Promise<void> {
    await endpoint.settled();
    if (!endpoint.hasSent) return;
    await line.takeBack(endpoint.id, until, async (ids) => {
      endpoint.takenBack(ids);
      await this.#store.committed();
    });
  }

  #connected({ line }: Broker, session: Session, isNew: boolean): void {
    this.#events.told({ kind: 'connected', message: 'The broker is reached.' });
    // The connections of agents may have broken with the hub's own, or while it did not run.
    const mayHaveLost = this.#wasConnected || isNew;
    this.#wasConnected = true;
    for (const agent of this.#agents.values()) {
      line.inspectCommands(agent.id).catch(() => {}); // The session was lost: the next makes it.
      for (const endpoint of agent.userEndpoints) endpoint.resume(mayHaveLost);
    }
    void this.#queues.resume(session, isNew);
  }

  #reported(content: Buffer, sender: string): void {
    try {
      const { endpointId, state } = readReport(content);
      if (endpointId !== sender) throw new MalformedMessage(`it speaks for ${endpointId}`);
      const agent = this.#agents.get(endpointId as EndpointId);
      const userEndpoint = this.#userEndpoints.get(endpointId)?.endpoint;
      if (agent === undefined && userEndpoint === undefined) throw new MalformedMessage('nothing is known of it');
      agent?.reported(state);
      userEndpoint?.reported(state);
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#stray(`A report of endpoint ${sender} cannot be used: ${error.message}.`);
    }
  }

  #arrived(results: readonly SentResult[]): void {
    const endings: [TaskRef, TaskEnding][] = [];
    const ended = new Set<string>();
    for (const { taskId, ending, sender } of results) {
      const task = this.#tasks.find(taskId);
      const endpoint = this.#userEndpoints.get(sender)?.endpoint;
      if (task === undefined || ended.has(taskId)) {
        this.#stray(
          `A result of task ${taskId} from endpoint ${sender} is not waited for: it came twice, or too late.`,
        );
      } else if (endpoint === undefined || !endpoint.holds(task)) {
        this.#stray(`A result of task ${taskId} came from endpoint ${sender}, which was not given it.`);
      } else {
        ended.add(taskId);
        endpoint.ended(task, ending);
        endings.push([task, ending]);
      }
    }
    if (endings.length > 0) this.#events.ended(endings);
  }

  #stray(message: string): void {
    this.#events.told({ kind: 'stray', message });
  }

  // Records

  async #attach(record: AgentRecord): Promise<AttachedEndpoint> {
    const userEndpoints = await this.#records.userEndpointsOf(record.id);
    const agent = new AttachedEndpoint(record, userEndpoints, this.#operator, this.#limits, {
      userEndpoint: (kept, isNew) => this.#userEndpoint(record.id, kept, isNew),
      givenUp: ({ id }) => this.#giveUp(id),
    });
    this.#agents.set(record.id, agent);
    await this.#events.attached(agent);
    return agent;
  }

  /** Takes an agent off, and gives back its batches. */
  async #detach(id: EndpointId): Promise<TaskBatch[]> {
    this.#agents.delete(id);
    for (const [key, { agentId }] of this.#userEndpoints) if (agentId === id) this.#userEndpoints.delete(key);
    return this.#events.detached(id);
  }

  #userEndpoint(agentId: EndpointId, kept: UserEndpointRecord, isNew: boolean): UserEndpoint {
    const line = (): AgentLine => {
      if (this.#broker === undefined) throw new SessionLost();
      return this.#broker.line;
    };
    const session = (): Session | undefined => this.#broker?.session;
    const endpoint = new UserEndpoint(
      kept.id,
      kept.settings,
      kept.incarnation,
      {
        get session() {
          return session();
        },
        inspect: async (id) => line().inspect(id),
        waiting: async (id) => line().waiting(id),
        purge: async (id) => line().purge(id),
        send: async (to, id, task, code, args) => line().send(to, id, task, code, args),
        isAgentThere: async () => (await line().inspectCommands(agentId)) > 0,
        start: async (one) => {
          const agent = this.#agents.get(agentId);
          if (!agent?.startsOthers) return;
          await line()
            .start(agentId, agent.record.secret, one)
            .catch((error: unknown) => {
              const reason = error instanceof Error ? error.message : String(error);
              this.#events.told({
                kind: 'not-started',
                message: `Endpoint ${agentId} was not told to start: ${reason}`,
              });
              throw error;
            });
        },
        seen: ({ id, incarnation }) => this.#records.seen(id, incarnation),
        missing: (_, count) => {
          const message = `Endpoint ${agentId} has not answered ${count} tasks that it took, and is given them again.`;
          this.#events.told({ kind: 'missing', message });
        },
      },
      this.#events,
      this.#limits,
    );
    this.#userEndpoints.set(kept.id, { endpoint, agentId });
    if (isNew) this.#records.addUserEndpoint(agentId, kept);
    return endpoint;
  }

  #giveUp(id: string): void {
    this.#userEndpoints.delete(id);
    this.#records.removeUserEndpoint(id);
    const { line, credentials } = this.#broker ?? {};
    const removing = Promise.all([line?.removeTasks(id), credentials?.remove(id)]);
    removing.catch(() => {}); // What is left at the broker is empty, and read by nobody.
  }
}

/** For the operator, who may have just given another URL. */
function notReached(reason: string): string {
  const advice = 'Is RabbitMQ running, and are account and virtual host in its URL as they should be?';
  return `The broker is not reached: ${reason}. It is tried again and again. ${advice}`;
}

const SHARED_ACCOUNT =
  "Agents and users are given the hub's own account at the broker, as no managementUrl is set: each of them can read and " +
  'write all queues of the hub. Attach only agents that you trust.';
