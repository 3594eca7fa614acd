/**
 * The embedded hub: the service's contract in this process, with local worker pools as its endpoints. It keeps functions
 * and tasks in one SQLite file and goes on where it was after a restart.
 */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { FuncXError } from '../compute/errors.js';
import { type EndpointId, type FunctionId, isUuid, newIds, type TaskGroupId, type TaskId } from '../compute/ids.js';
import type {
  ComputeService,
  EndpointInfo,
  EndpointListEntry,
  EndpointStatus,
  FunctionInfo,
  FunctionRegistration,
  FunctionRegistrationReply,
  FunctionSearchPage,
  PackedArguments,
  ResultStream,
  Submission,
  SubmitReply,
  TaskGroupInfo,
  TaskStatus,
  VersionInfo,
} from '../compute/service.js';
import { type Damage, Store } from '../storage/index.js';
import { idOf, TaskBatch, type TaskRef } from './batch.js';
import { FunctionBook } from './functions.js';
import { LocalEndpoint, type LocalEndpointOptions } from './local-endpoint.js';
import { localUser } from './local-user.js';
import { endpointNotFound, functionNotFound, invalidUuid, taskGroupNotFound, taskNotFound } from './refusals.js';
import { type ResultListener, ResultStreams } from './result-streams.js';
import { HUB_MIGRATIONS } from './schema.js';
import { checkSubmission } from './submission.js';
import { TaskBook } from './task-book.js';
import { cancellation, interruption, statusOf } from './task-status.js';
import { failure, type TaskEnding } from './workers/ending.js';

/** The contract that the hub follows. Source: Globus Compute, `GET /v2/version`. */
const API_VERSION = '1.0.0';
const MIN_CLIENT_VERSION = '2.28.0';

export interface HubOptions {
  /** The SQLite file that keeps functions and tasks. One process at a time. */
  readonly file: string;
  /** Who registers functions. @default the user of this process */
  readonly author?: string;
  /** Told when the file was damaged and has been set aside for an empty one. */
  readonly onDamaged?: (damage: Damage) => void;
}

export interface HubEvents {
  /** The store cannot write, for example because the disk is full; what is to be kept waits in memory. */
  failing: [Error];
  recovered: [];
}

export class Hub extends EventEmitter<HubEvents> implements ComputeService {
  readonly capabilities = { rawBytes: true, cancel: true, search: true };
  /** Where it keeps its rows; a ledger in the same process shares it, and so its commits. */
  readonly store: Store;
  readonly #functions: FunctionBook;
  readonly #tasks: TaskBook;
  readonly #endpoints = new Map<EndpointId, LocalEndpoint>();
  readonly #streams: ResultStreams;
  /** Batches of the last process, by the endpoint they wait for. */
  readonly #inherited: TaskBatch[];
  /** Settles when no endpoint is being opened or closed: one at a time, as two may have the same name. */
  #changing: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor(store: Store, functions: FunctionBook, tasks: TaskBook, inherited: TaskBatch[]) {
    super();
    this.setMaxListeners(0);
    this.store = store;
    this.#functions = functions;
    this.#tasks = tasks;
    this.#streams = new ResultStreams(tasks);
    this.#inherited = inherited;
    store.on('failing', (error) => this.emit('failing', error));
    store.on('recovered', () => {
      this.emit('recovered');
      this.#streams.recovered();
    });
    functions.onDropped = (key) => {
      for (const endpoint of this.#endpoints.values()) endpoint.pool.forget(key);
    };
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
    const { book, waiting, interrupted } = await TaskBook.open(store);
    const author = options.author ?? localUser();
    const functions = new FunctionBook(store, author, (id) => book.uses(id));
    const hub = new Hub(store, functions, book, waiting);
    hub.#end(interrupted.map((task) => [task, interruption(task)] as const));
    return hub;
  }

  /**
   * Opens a local endpoint: a pool of Python workers on this machine. The same name has the same id after a restart, and
   * takes up the tasks that waited for it. Opened again with other options, its workers are replaced.
   */
  localEndpoint(options: LocalEndpointOptions): Promise<EndpointId> {
    return this.#afterOthers(() => this.#openEndpoint(options));
  }

  /** Ends the workers of a local endpoint. Its tasks wait until it is opened again. */
  closeEndpoint(id: EndpointId): Promise<void> {
    return this.#afterOthers(() => this.#closeEndpoint(id));
  }

  async version(): Promise<VersionInfo> {
    return { api: API_VERSION, min_sdk_version: MIN_CLIENT_VERSION, min_ep_version: MIN_CLIENT_VERSION };
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
    return [...this.#endpoints.values()].map((endpoint) => endpoint.entry);
  }

  async getEndpoint(id: EndpointId): Promise<EndpointInfo> {
    return (await this.#endpoint(id)).info;
  }

  async endpointStatus(id: EndpointId): Promise<EndpointStatus> {
    return (await this.#endpoint(id)).pool.status;
  }

  async submit(endpointId: EndpointId, body: Submission): Promise<SubmitReply> {
    this.#assertOpen();
    if (!this.#endpoints.has(endpointId)) await this.#endpoint(endpointId);
    if (body.task_group_id !== undefined && !isUuid(body.task_group_id)) {
      throw invalidUuid('The task group', body.task_group_id);
    }
    checkSubmission(body);
    const functionIds = Object.keys(body.tasks) as FunctionId[];
    // Again where one was dropped meanwhile: from here to the acceptance nothing is waited for.
    while (!functionIds.every((id) => this.#functions.isHeld(id))) await this.#functions.load(functionIds);
    const endpoint = this.#endpoints.get(endpointId);
    if (endpoint === undefined) throw endpointNotFound(endpointId);
    return this.#accept(endpoint, functionIds, body);
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
    if (endpoint !== undefined) return endpoint.pool.cancel(task);
    this.#end([[task, cancellation(task)]]);
    return true;
  }

  results(group: TaskGroupId, listener: ResultListener): ResultStream {
    return this.#streams.open(group, listener);
  }

  durable(): Promise<void> {
    return this.store.committed();
  }

  /** Ends all workers and writes what is left. Tasks that had not ended go on at the next start. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#changing;
      await Promise.all([...this.#endpoints.values()].map((endpoint) => endpoint.pool.close()));
      this.#endpoints.clear();
      this.#streams.close();
      await this.store.close();
    })();
    return this.#closed;
  }

  /** An open endpoint; one that is just being opened, or replaced, is waited for. */
  async #endpoint(id: EndpointId): Promise<LocalEndpoint> {
    this.#assertOpen();
    if (!this.#endpoints.has(id)) await this.#changing;
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) throw endpointNotFound(id);
    return endpoint;
  }

  #afterOthers<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(change);
    this.#changing = changed.catch(() => {});
    return changed;
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new FuncXError('CLOSED', 'The hub was closed.');
  }

  async #openEndpoint(options: LocalEndpointOptions): Promise<EndpointId> {
    this.#assertOpen();
    const id = await this.#endpointId(options.name);
    const open = this.#endpoints.get(id);
    if (open?.hasOptions(options)) return id;
    const endpoint = new LocalEndpoint(id, options, {
      moved: (tasks) => this.#tasks.touchEach(tasks),
      ended: (endings) => this.#end(endings),
      functionOf: (functionId) => {
        const held = this.#functions.held(functionId);
        if (held === undefined) throw functionNotFound(functionId);
        return held;
      },
    });
    await this.#closeEndpoint(id);
    this.#endpoints.set(id, endpoint);
    await this.#takeUp(endpoint);
    return id;
  }

  async #closeEndpoint(id: EndpointId): Promise<void> {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) return;
    this.#endpoints.delete(id);
    this.#inherited.push(...(await endpoint.pool.close()));
  }

  async #endpointId(name: string): Promise<EndpointId> {
    this.store.write('INSERT OR IGNORE INTO endpoints (name, endpoint_uuid) VALUES (?, ?)', [name, randomUUID()]);
    const row = await this.store.get('SELECT endpoint_uuid FROM endpoints WHERE name = ?', [name]);
    return String(row?.endpoint_uuid) as EndpointId;
  }

  async #takeUp(endpoint: LocalEndpoint): Promise<void> {
    const own = this.#inherited.filter((batch) => batch.endpointId === endpoint.id);
    for (const batch of own) this.#inherited.splice(this.#inherited.indexOf(batch), 1);
    for (const batch of own) {
      try {
        while (this.#functions.held(batch.functionId) === undefined) await this.#functions.load([batch.functionId]);
        endpoint.pool.submit(batch);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const waiting = batch.tasks.filter((task) => this.#tasks.find(idOf(task)));
        this.#end(waiting.map((task) => [task, failure('FUNCTION_NOT_FOUND', message)] as const));
      }
    }
  }

  #accept(endpoint: LocalEndpoint, functionIds: readonly FunctionId[], body: Submission): SubmitReply {
    const group = body.task_group_id ?? (randomUUID() as TaskGroupId);
    const now = Date.now();
    const tasks: Record<string, string[]> = {};
    for (const id of functionIds) {
      const args = [...(body.tasks[id] as readonly PackedArguments[])];
      const ids = newIds<TaskId>(args.length);
      tasks[id] = ids;
      const batch = new TaskBatch(id, endpoint.id, group, body.create_queue === true, ids, args, now);
      this.#tasks.add(batch);
      endpoint.pool.submit(batch);
    }
    return { request_id: randomUUID(), task_group_id: group, endpoint_id: endpoint.id, tasks };
  }

  #end(endings: readonly (readonly [TaskRef, TaskEnding])[]): void {
    const streamed = new Map<TaskGroupId, TaskStatus[]>();
    for (const [task, ending] of endings) {
      const status = statusOf(task, ending);
      if (!this.#tasks.end(task, status) || !task.batch.streamed) continue;
      const { groupId } = task.batch;
      const group = streamed.get(groupId);
      if (group === undefined) streamed.set(groupId, [status]);
      else group.push(status);
    }
    for (const [group, results] of streamed) this.#streams.tell(group, results);
  }
}
