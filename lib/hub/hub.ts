/**
 * The embedded hub: the service's contract in this process. Its endpoints are pools of workers on this machine and agents
 * that are attached by a message broker. It keeps functions and tasks in one SQLite file and goes on where it was after a
 * restart.
 */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { FuncXError } from '../compute/errors.js';
import { type EndpointId, type FunctionId, isUuid, newIds, type TaskGroupId, type TaskId } from '../compute/ids.js';
import type {
  ComputeService,
  ConsoleUserEndpoint,
  EndpointInfo,
  EndpointListEntry,
  EndpointLock,
  EndpointRegistration,
  EndpointRegistrationReply,
  EndpointStatus,
  FunctionInfo,
  FunctionRegistration,
  FunctionRegistrationReply,
  FunctionSearchPage,
  PackedArguments,
  ResultConnection,
  ResultStream,
  Submission,
  SubmitReply,
  TaskGroupInfo,
  TaskStatus,
  VersionInfo,
} from '../compute/service.js';
import { type Damage, Store } from '../storage/index.js';
import type { AgentNews, Agents } from './agents.js';
import { TaskBatch, type TaskRef } from './batch.js';
import type { BrokerOptions } from './broker/options.js';
import type { ClientCredentials, ClientOptions } from './clients.js';
import type { EndpointAccess, HubEndpoint } from './endpoint.js';
import { Endpoints } from './endpoints.js';
import { FunctionBook } from './functions.js';
import type { Identity } from './identity.js';
import { Invocations } from './invocations.js';
import type { LocalEndpointOptions } from './local-endpoint.js';
import { localUser } from './local-user.js';
import { brokerNotConfigured, endpointNotFound, invalidUuid, taskGroupNotFound, taskNotFound } from './refusals.js';
import { type ResultListener, ResultStreams } from './result-streams.js';
import { HUB_MIGRATIONS } from './schema.js';
import { checkSubmission } from './submission.js';
import { TaskBook } from './task-book.js';
import { cancellation, interruption, statusOf } from './task-status.js';
import { type TaskTerms, termsOf } from './terms.js';
import { UserHub } from './user-hub.js';
import type { UserLimits } from './user-load.js';
import { Users } from './users.js';
import type { TaskEnding } from './workers/ending.js';
import { Recordings } from './workers/recordings.js';

/** The contract that the hub follows. Source: Globus Compute, `GET /v2/version`. */
const API_VERSION = '1.0.0';
const MIN_CLIENT_VERSION = '2.28.0';

export interface HubOptions {
  /** The SQLite file that keeps functions and tasks. One process at a time. */
  readonly file: string;
  /** Who registers functions. @default the user of this process */
  readonly author?: string;
  /** RabbitMQ, by which agents are attached. The hub opens also while it cannot be reached. @default none */
  readonly broker?: BrokerOptions;
  /** What users beside the operator may have waiting. */
  readonly userLimits?: UserLimits;
  /** Told when the file was damaged and has been set aside for an empty one. */
  readonly onDamaged?: (damage: Damage) => void;
  /** Told of the store as soon as it is open, and waited for: the hub opens later. */
  readonly onStore?: (store: Store) => Promise<void>;
}

export interface HubEvents {
  /** The store cannot write, for example because the disk is full; what is to be kept waits in memory. */
  failing: [Error];
  recovered: [];
  /** Of the broker and the agents. */
  agents: [AgentNews];
}

export class Hub extends EventEmitter<HubEvents> implements ComputeService {
  readonly capabilities = { rawBytes: true, cancel: true, search: true };
  /** Where it keeps its rows; a ledger in the same process shares it, and so its commits. */
  readonly store: Store;
  /** Who the hub itself is: he may do everything. */
  readonly operator: Identity;
  /** Who else may use it. */
  readonly users: Users;
  readonly #functions: FunctionBook;
  readonly #tasks: TaskBook;
  readonly #invocations: Invocations;
  readonly #endpoints: Endpoints;
  readonly #streams: ResultStreams;
  /** Undefined as long as there was neither a broker nor an agent. */
  #agents: Agents | undefined;
  #closed: Promise<void> | undefined;

  private constructor(
    store: Store,
    operator: Identity,
    users: Users,
    functions: FunctionBook,
    tasks: TaskBook,
    invocations: Invocations,
    recordings: Recordings,
    inherited: TaskBatch[],
  ) {
    super();
    this.setMaxListeners(0);
    this.store = store;
    this.operator = operator;
    this.users = users;
    this.#functions = functions;
    this.#tasks = tasks;
    this.#invocations = invocations;
    this.#streams = new ResultStreams(tasks);
    const ended = (endings: readonly (readonly [TaskRef, TaskEnding])[]) => this.#end(endings);
    this.#endpoints = new Endpoints({ store, functions, tasks, recordings, ended }, inherited);
    for (const batch of inherited) users.load.add(batch);
    store.on('failing', (error) => this.emit('failing', error));
    store.on('recovered', () => {
      this.emit('recovered');
      this.#streams.recovered();
    });
  }

  /**
   * Opens the hub. Throws STORE_LOCKED when another process has the file, STORE_FAILED when it cannot be used.
   */
  static async open(options: HubOptions): Promise<Hub> {
    const store = await Store.open({
      file: options.file,
      migrations: HUB_MIGRATIONS,
      ...(options.onDamaged && { onDamaged: options.onDamaged }),
    });
    try {
      await options.onStore?.(store);
      return await Hub.#openIn(store, options);
    } catch (error) {
      await store.close().catch(() => {}); // What went wrong first is told.
      throw error;
    }
  }

  static async #openIn(store: Store, options: HubOptions): Promise<Hub> {
    const author = options.author ?? localUser();
    const row = await store.get('SELECT hub_uuid FROM hub');
    const operator = { id: String(row?.hub_uuid), username: author };
    const recordings = new Recordings(operator.id, store);
    const left = recordings.leftOver();
    const { book, waiting, interrupted } = await TaskBook.open(store, left);
    const functions = new FunctionBook(store, author, (id) => book.uses(id));
    const users = await Users.open(store, options.userLimits);
    const invocations = await Invocations.open(store);
    const hub = new Hub(store, operator, users, functions, book, invocations, recordings, waiting);
    const agents = new Set((await store.all('SELECT endpoint_uuid FROM agents')).map((agent) => agent.endpoint_uuid));
    // What an agent was given goes on there without this process.
    const here = interrupted.filter(({ batch }) => !agents.has(batch.endpointId));
    hub.#end(here.map((task) => [task, interruption(task)] as const));
    // Where that cannot be written now, what it follows from stays for the next opening.
    const written = left.files.length === 0 ? Promise.resolve() : store.flush();
    await written.then(
      () => recordings.remove(left),
      () => {},
    );
    if (options.broker !== undefined || agents.size > 0) await hub.#openAgents(options.broker);
    return hub;
  }

  /**
   * Opens a local endpoint: a pool of Python workers on this machine. The same name has the same id after a restart, and
   * takes up the tasks that waited for it. Opened again with other options, its workers are replaced.
   */
  localEndpoint(options: LocalEndpointOptions): Promise<EndpointId> {
    return this.#endpoints.change(async () => {
      this.#assertOpen();
      return this.#endpoints.openLocal(options);
    });
  }

  /** Makes a client, which is a user of its own, for somebody who reaches the hub by HTTP. The secret is told once. */
  issueClient(name: string, options: ClientOptions = {}): Promise<ClientCredentials> {
    return this.users.clients.issue(name, options);
  }

  /** The hub as one of its users may use it. */
  as(user: Identity): UserHub {
    return new UserHub(this, { functions: this.#functions, tasks: this.#tasks, users: this.users }, user);
  }

  /** Ends the workers of a local endpoint. Its tasks wait until it is opened again. */
  closeEndpoint(id: EndpointId): Promise<void> {
    return this.#endpoints.change(() => this.#endpoints.keepBack(id));
  }

  /**
   * Registers an agent, as `POST /v3/endpoints` does, or registers it anew, as `PUT /v3/endpoints/{id}` does: it gets new
   * passwords. An id that is not known is taken as it is, so that an agent survives the loss of the hub's file.
   *
   * Throws REQUEST_MALFORMED, ENDPOINT_ACCESS_FORBIDDEN when it is another's, RESOURCE_CONFLICT when an agent with this id
   * is connected, RESOURCE_LOCKED after {@link lockEndpoint}, BROKER_NOT_AVAILABLE.
   */
  registerEndpoint(
    registration: EndpointRegistration,
    owner: Identity,
    id?: EndpointId,
  ): Promise<EndpointRegistrationReply> {
    return this.#endpoints.change(async () =>
      this.#agentsFor('An endpoint cannot be registered').register(registration, owner, id),
    );
  }

  /** Removes an agent for good: its queues, its accounts, and its tasks, which fail. Throws ENDPOINT_NOT_FOUND. */
  deleteEndpoint(id: EndpointId): Promise<{ result: number }> {
    return this.#endpoints.change(async () => this.#agentsFor(`Endpoint ${id} cannot be deleted`).delete(id));
  }

  /** Stops an agent from afar, and refuses its registration for a while. Throws ENDPOINT_NOT_FOUND. */
  lockEndpoint(id: EndpointId): Promise<EndpointLock> {
    return this.#endpoints.change(async () => this.#agentsFor(`Endpoint ${id} cannot be stopped`).lock(id));
  }

  /**
   * Where a user finds the results of his task groups, of tasks submitted with `create_queue`: the queue is named
   * `queue_prefix` and the id of the group. Throws BROKER_NOT_CONFIGURED, BROKER_NOT_AVAILABLE.
   */
  async resultConnection(user: Identity): Promise<ResultConnection> {
    return this.#agentsFor('Results cannot be streamed').resultConnection(user);
  }

  /**
   * Attaches agents from now on by this broker, as if the hub had been opened with it, or, undefined, by none. The one that it
   * had is left, which takes 5 seconds at most: results that are there are taken, and tasks that nobody has taken are taken
   * back. Agents are offline until they are registered anew, or the hub comes back to where they are; their tasks wait, and
   * those that an agent had taken are given again to the one that is registered in its place. Results of task groups go to
   * the new broker. It is connected to, again and again, after this has resolved: see the event `agents`.
   *
   * Throws InputError, and nothing changes, where a URL cannot be used.
   */
  changeBroker(broker: BrokerOptions | undefined): Promise<void> {
    return this.#endpoints.change(async () => {
      this.#assertOpen();
      if (this.#agents !== undefined) await this.#agents.changeBroker(broker);
      else if (broker !== undefined) await this.#openAgents(broker);
    });
  }

  async version(): Promise<VersionInfo> {
    return { api: API_VERSION, min_sdk_version: MIN_CLIENT_VERSION, min_ep_version: MIN_CLIENT_VERSION };
  }

  /** Tasks that were ever submitted, by anyone. */
  get invocations(): number {
    return this.#invocations.total;
  }

  registerFunction(body: FunctionRegistration): Promise<FunctionRegistrationReply> {
    return this.#functions.register(body);
  }

  async getFunction(id: FunctionId): Promise<FunctionInfo> {
    return this.#functions.get(id);
  }

  async deleteFunction(id: FunctionId): Promise<{ result: number }> {
    return this.#functions.delete(id);
  }

  searchFunctions(q: string, offset: number, limit: number): Promise<FunctionSearchPage> {
    return this.#functions.search(q, offset, limit);
  }

  async listEndpoints(): Promise<EndpointListEntry[]> {
    return [...this.#endpoints.all].map((endpoint) => endpoint.entry);
  }

  async getEndpoint(id: EndpointId): Promise<EndpointInfo> {
    return (await this.#endpoint(id)).info;
  }

  async endpointStatus(id: EndpointId): Promise<EndpointStatus> {
    return (await this.#endpoint(id)).status;
  }

  /** The user endpoints of an endpoint, as `GET /v3/endpoints/{id}/console` shows them. Throws ENDPOINT_NOT_FOUND. */
  async endpointConsole(id: EndpointId): Promise<ConsoleUserEndpoint[]> {
    return (await this.#endpoint(id)).console;
  }

  /** Who may use an endpoint, and for which functions. Throws ENDPOINT_NOT_FOUND. */
  async endpointAccess(id: EndpointId): Promise<EndpointAccess> {
    return (await this.#endpoint(id)).access;
  }

  /**
   * @param submitter who submits, undefined for this process: for whom an agent starts a user endpoint, and to whose queue
   * results go. His results are text alone, in the first of `result_serializers` that can write them. His tasks begin, and
   * this resolves, when they would survive the end of this process.
   */
  async submit(endpointId: EndpointId, body: Submission, submitter?: Identity): Promise<SubmitReply> {
    this.#assertOpen();
    if (this.#endpoints.get(endpointId) === undefined) await this.#endpoint(endpointId);
    if (body.task_group_id !== undefined && !isUuid(body.task_group_id)) {
      throw invalidUuid('The task group', body.task_group_id);
    }
    checkSubmission(body);
    const functionIds = Object.keys(body.tasks) as FunctionId[];
    const group = body.task_group_id ?? (randomUUID() as TaskGroupId);
    if (body.create_queue === true && submitter !== undefined && this.#agents?.isForBroker) {
      await this.#agents.resultQueue(group, submitter);
    }
    // Again where one was dropped meanwhile: from here to the acceptance nothing is waited for.
    while (!functionIds.every((id) => this.#functions.isHeld(id))) await this.#functions.load(functionIds);
    const endpoint = this.#endpoints.get(endpointId);
    if (endpoint === undefined) throw endpointNotFound(endpointId);
    const terms = termsOf(body, submitter);
    endpoint.check(terms);
    const batches = this.#accept(endpoint.id, functionIds, body, group, terms);
    if (submitter === undefined) this.#endpoints.give(endpoint, batches);
    else await this.#endpoints.giveOnceDurable(endpoint, batches);
    const tasks = Object.fromEntries(batches.map(({ functionId, ids }) => [functionId, [...ids]]));
    return { request_id: randomUUID(), task_group_id: group, endpoint_id: endpoint.id, tasks };
  }

  async getTask(id: TaskId): Promise<TaskStatus> {
    if (!isUuid(id)) throw invalidUuid('The task id', id);
    const status = await this.#tasks.status(id);
    if (status === undefined) throw taskNotFound(id);
    return status;
  }

  async batchStatus(ids: readonly TaskId[]): Promise<Record<string, TaskStatus>> {
    const found = await this.#tasks.statuses(ids);
    const results: Record<string, TaskStatus> = {};
    for (const id of ids) {
      results[id] = found.get(id) ?? { task_id: id, status: 'failed', reason: 'Unknown task id' };
    }
    return results;
  }

  async taskGroup(id: TaskGroupId): Promise<TaskGroupInfo> {
    const tasks = await this.#tasks.group(id);
    if (tasks.size === 0) throw taskGroupNotFound(id);
    return {
      taskgroup_id: id,
      tasks: [...tasks].map(([task, at]) => ({ id: task, created_at: new Date(at).toISOString() })),
    };
  }

  async cancel(id: TaskId): Promise<boolean> {
    const task = this.#tasks.find(id);
    if (task === undefined) {
      await this.getTask(id);
      return false;
    }
    const endpoint = this.#endpoints.get(task.batch.endpointId);
    if (endpoint !== undefined) return endpoint.cancel(task);
    this.#end([[task, cancellation(task)]]);
    return true;
  }

  results(group: TaskGroupId, listener: ResultListener): ResultStream {
    return this.#streams.open(group, listener);
  }

  durable(): Promise<void> {
    return this.store.committed();
  }

  /**
   * Ends all workers and writes what is left. Tasks that had not begun go on at the next start.
   *
   * @param graceMs how long tasks that run on this machine may take to end; then they end with the code TASK_INTERRUPTED.
   * Unit: milliseconds
   */
  close(graceMs = 0): Promise<void> {
    this.#closed ??= (async () => {
      await this.#endpoints.close(graceMs);
      await this.#agents?.close();
      this.#streams.close();
      this.#tasks.close();
      this.#invocations.close();
      await this.store.close();
    })();
    return this.#closed;
  }

  /** An open endpoint; one that is just being opened, or replaced, is waited for. */
  async #endpoint(id: EndpointId): Promise<HubEndpoint> {
    this.#assertOpen();
    return this.#endpoints.find(id);
  }

  /** What speaks with the broker is loaded only where there is one. */
  async #openAgents(broker: BrokerOptions | undefined): Promise<void> {
    const { Agents } = await import('./agents.js');
    const agents = new Agents(this.store, this.operator, this.#tasks, this.#streams, {
      ...this.#endpoints.events,
      attached: (endpoint) => this.#endpoints.attach(endpoint),
      detached: (id) => this.#endpoints.detach(id),
      told: (news) => this.emit('agents', news),
    });
    this.#agents = agents;
    try {
      await agents.open(broker);
    } catch (error) {
      this.#agents = undefined;
      throw error;
    }
  }

  #agentsFor(what: string): Agents {
    this.#assertOpen();
    if (this.#agents === undefined) throw brokerNotConfigured(what);
    return this.#agents;
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new FuncXError('CLOSED', 'The hub was closed.');
  }

  #accept(
    endpoint: EndpointId,
    functionIds: readonly FunctionId[],
    body: Submission,
    group: TaskGroupId,
    terms: TaskTerms | undefined,
  ): TaskBatch[] {
    const now = Date.now();
    return functionIds.map((id) => {
      const args = [...(body.tasks[id] as readonly PackedArguments[])];
      const ids = newIds<TaskId>(args.length);
      const batch = new TaskBatch(id, endpoint, group, body.create_queue === true, ids, args, now, undefined, terms);
      this.#tasks.add(batch);
      this.users.load.add(batch);
      this.#invocations.add(ids.length);
      return batch;
    });
  }

  #end(endings: readonly (readonly [TaskRef, TaskEnding])[]): void {
    const streamed = new Map<TaskGroupId, TaskStatus[]>();
    for (const [task, ending] of endings) {
      const status = statusOf(task, ending);
      if (!this.#tasks.end(task, status)) continue;
      if (task.batch.open === 0) this.users.load.remove(task.batch);
      if (!task.batch.streamed) continue;
      const { groupId } = task.batch;
      const group = streamed.get(groupId);
      if (group === undefined) streamed.set(groupId, [status]);
      else group.push(status);
    }
    for (const [group, results] of streamed) this.#streams.tell(group, results);
  }
}
