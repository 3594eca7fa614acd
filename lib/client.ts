/**
 * The client: the verbs of the funcX SDK over any {@link ComputeService}. It is usable without Node-RED.
 */
import { createHash } from 'node:crypto';
import { FuncXError, InputError, TaskPending } from './compute/errors.js';
import { type EndpointId, type FunctionId, isUuid, type TaskGroupId, type TaskId } from './compute/ids.js';
import { MAX_STATUS_IDS } from './compute/limits.js';
import type { ComputeService, FunctionSearchPage, PackedArguments, TaskStatus } from './compute/service.js';
import { type FunctionDefinition, registrationOf } from './function-definition.js';
import { type BigIntegers, packArguments } from './serialization/index.js';
import type { BatchCall, Call, CallArguments, TaskOutcome } from './tasks/call.js';
import { Dispatcher } from './tasks/dispatcher.js';
import { type Delivery, Entry, type EntryCall, type EntryOptions } from './tasks/entry.js';
import type { FlowCounts, FlowLimits } from './tasks/flow-limits.js';
import type { Held } from './tasks/inbox.js';
import type { Ledger } from './tasks/ledger.js';
import { hasEnded, outcomeOf } from './tasks/outcome.js';
import { type Handler, type Heir, Owners } from './tasks/owners.js';
import { Submitter } from './tasks/submitter.js';
import { tell } from './tasks/tell.js';
import { Watcher } from './tasks/watcher.js';

export type { FunctionDefinition } from './function-definition.js';
export type { BatchCall, Call, CallArguments, TaskOutcome, TaskTimings } from './tasks/call.js';
export type { Delivery, Entry, EntryOptions, RetryPolicy } from './tasks/entry.js';
export type { FlowCounts, FlowLimits, WhenFull } from './tasks/flow-limits.js';

/** How the SDK's `get_batch_result` shows one task. */
export interface BatchResult {
  readonly pending: boolean;
  readonly status: string;
  readonly result?: unknown;
  readonly exception?: FuncXError;
  /** Unix seconds, as text. */
  readonly completion_t?: string;
}

export interface ClientOptions extends FlowLimits {
  readonly service: ComputeService;
  /** Where calls run that name no endpoint. */
  readonly endpointId: EndpointId;
  /**
   * Task group of everything that this client submits. The same one after a restart gets the results that were not
   * delivered before. @default a new one
   */
  readonly taskGroupId?: TaskGroupId;
  /** What integers beyond 2^53 become. @default 'bigint' */
  readonly integers?: BigIntegers;
  /** Keeps what was accepted until its results were sent on. @default nothing outlives the process */
  readonly ledger?: Ledger;
}

/** Told of the result of a task that nobody waits for; `take` claims it, so that it is not delivered again. */
export type UnclaimedListener = (outcome: TaskOutcome, take: () => void) => void;

export class FuncXClient {
  readonly service: ComputeService;
  readonly endpointId: EndpointId;
  #integers: BigIntegers;
  readonly #submitter: Submitter;
  readonly #watcher: Watcher;
  readonly #owners: Owners;
  readonly #dispatcher: Dispatcher;
  readonly #ledger: Ledger | undefined;
  /** Ids of what was registered by this client, by content. */
  readonly #registered = new Map<string, Promise<FunctionId>>();
  readonly #unclaimedListeners = new Set<UnclaimedListener>();
  #closing: Promise<void> | undefined;

  private constructor(options: ClientOptions) {
    this.service = options.service;
    this.endpointId = options.endpointId;
    this.#integers = options.integers ?? 'bigint';
    this.#ledger = options.ledger;
    this.#watcher = new Watcher(
      options.service,
      () => this.#submitter.waiting > 0,
      (status, take) => this.#unclaimed(status, take),
    );
    const onGroup = (group: TaskGroupId) => {
      this.#watcher.follow(group);
      queueMicrotask(() => this.#watcher.settleEarly());
    };
    const onRefused = () => this.#watcher.settleEarly();
    this.#submitter = new Submitter(options.service, options.taskGroupId, onGroup, onRefused);
    const read = (call: EntryCall, status: TaskStatus) => this.#outcome(status, call);
    this.#owners = new Owners(this.#watcher, read, (call, outcome) => this.#dispatcher.redeliver(call, outcome));
    this.#dispatcher = new Dispatcher(
      {
        service: this.service,
        submitter: this.#submitter,
        watcher: this.#watcher,
        owners: this.#owners,
        ledger: this.#ledger,
        read,
      },
      options,
    );
    if (options.taskGroupId !== undefined) this.#watcher.follow(options.taskGroupId);
  }

  /** Opens a client, and takes up what the ledger holds of an earlier process. */
  static async open(options: ClientOptions): Promise<FuncXClient> {
    if (!isUuid(options.endpointId)) throw new InputError(`The endpoint ${options.endpointId} is not a UUID.`);
    const client = new FuncXClient(options);
    const { ledger } = options;
    if (ledger !== undefined) {
      client.#dispatcher.recover(await ledger.recover(client.#dispatcher), ledger.settledBefore());
    }
    return client;
  }

  /** Changes limits and what integers become, for what comes from now on. */
  configure({ integers = 'bigint', ...limits }: FlowLimits & { readonly integers?: BigIntegers }): void {
    this.#integers = integers;
    this.#dispatcher.configure(limits);
  }

  /** Tasks of this client, now and since it was opened. */
  get counts(): FlowCounts {
    return this.#dispatcher.counts;
  }

  /** Registers a Python function and gives its id. The same definition is registered once. */
  async registerFunction(definition: FunctionDefinition): Promise<FunctionId> {
    const body = registrationOf(definition);
    const key = createHash('sha256').update(JSON.stringify(body)).digest('base64');
    const known = this.#registered.get(key);
    if (known !== undefined) return known;
    const registering = this.service.registerFunction(body).then((reply) => reply.function_uuid as FunctionId);
    this.#registered.set(key, registering);
    registering.catch(() => this.#registered.delete(key));
    return registering;
  }

  /** Submits one call and gives its task id, once the service has the task for good. */
  async run(call: Call): Promise<TaskId> {
    const { taskIds } = await this.#submitForIds(call, [call]);
    return taskIds[0] as TaskId;
  }

  /** Submits many calls of one function; ids are in the order of the calls. */
  batchRun(batch: BatchCall): Promise<{ taskIds: TaskId[]; taskGroupId: TaskGroupId | undefined }> {
    return this.#submitForIds(batch, batch.calls);
  }

  /** The result of a task. Throws TaskPending while there is none, and the task's own error when it failed. */
  async getResult(id: TaskId): Promise<unknown> {
    const status = await this.status(id);
    if (!hasEnded(status)) throw new TaskPending(id, status.status ?? 'received');
    const outcome = outcomeOf(status, {}, this.#integers);
    if (outcome.status === 'failed') throw outcome.error;
    return outcome.result;
  }

  /** What there is of many tasks, without waiting and without throwing for single ones. */
  async getBatchResult(ids: readonly TaskId[]): Promise<Record<string, BatchResult>> {
    const results: Record<string, BatchResult> = {};
    for (let from = 0; from < ids.length; from += MAX_STATUS_IDS) {
      const chunk = ids.slice(from, from + MAX_STATUS_IDS);
      const statuses = await this.service.batchStatus(chunk);
      for (const id of chunk) {
        results[id] = this.#batchResult(statuses[id] ?? { task_id: id, status: 'failed', reason: 'Unknown task id' });
      }
    }
    return results;
  }

  /** A task as the service shows it. Its result is not read. */
  status(id: TaskId): Promise<TaskStatus> {
    return this.service.getTask(id);
  }

  /** Finds functions by free text, best match first; an empty text finds all, the newest first. */
  async searchFunctions(q: string, { offset = 0, limit = 10 } = {}): Promise<FunctionSearchPage> {
    if (!this.service.capabilities.search) throw new InputError('This service has no function search.');
    return this.service.searchFunctions(q, offset, limit);
  }

  /** Stops a task. False: it had ended already. */
  async cancel(id: TaskId): Promise<boolean> {
    if (!this.service.capabilities.cancel) throw new InputError('This service cannot cancel a task.');
    return this.service.cancel(id);
  }

  /**
   * Submits one call and tells how it ended: exactly once, never before this returns. It throws nothing; what is wrong
   * with the call is told the same way.
   */
  submit(call: Call, settled: (outcome: TaskOutcome) => void, options: EntryOptions = {}): void {
    this.#admit('', undefined, call, [call], options, ({ outcome }) => settled(outcome));
  }

  /** Submits many calls and tells how each ended, in order of completion; see {@link submit}. */
  submitBatch(batch: BatchCall, each: (index: number, outcome: TaskOutcome) => void, options: EntryOptions = {}): void {
    this.#admit('', undefined, batch, batch.calls, options, ({ index, outcome }) => each(index, outcome));
  }

  /**
   * Submits calls for an owner that {@link serve}s, now or after a restart. With a ledger they, and the parcel, are kept
   * until the owner has said of each result that it was {@link settle}d.
   *
   * @param owner whoever gets the results, by a name that stays the same; a node's id for instance
   * @param parcel what the owner wants back with the results; a message for instance
   * @param held where the parcel has waited: an inbox in the store of the ledger, which it leaves
   */
  submitFor(owner: string, parcel: unknown, batch: BatchCall, options: EntryOptions = {}, held?: Held): Entry {
    return this.#admit(owner, parcel, batch, batch.calls, options, undefined, held);
  }

  /** Waits for tasks for an owner, as {@link submitFor} does for what it submits. */
  waitForOwner(owner: string, parcel: unknown, ids: readonly TaskId[], options: EntryOptions = {}, held?: Held): Entry {
    const none = '' as FunctionId;
    const nothing = ids.map(() => '');
    const entry = new Entry(this.#dispatcher, owner, parcel, none, this.endpointId, options, nothing, Date.now());
    this.#dispatcher.watch(entry, ids, held);
    return entry;
  }

  /** What an owner has handed in and not settled, in the order it came. */
  entriesOf(owner: string): Iterable<Entry> {
    return this.#owners.entriesOf(owner);
  }

  /** Gets the results of an owner, those first that came while nobody did. The function given back stops it. */
  serve(owner: string, handler: Handler): () => void {
    return this.#owners.serve(owner, handler);
  }

  /** Delivers nothing to owners until {@link resume}. What comes meanwhile waits. */
  pause(): void {
    this.#owners.pause();
  }

  resume(): void {
    this.#owners.resume();
  }

  /** Says that a delivery was sent on: the ledger and the service need not keep it. */
  settle({ call, interim }: Delivery): void {
    if (!interim) this.#dispatcher.settle(call);
  }

  /** Says that a delivery was not sent on after all: it will come again. */
  giveBack({ call }: Delivery): void {
    this.#owners.giveBack(call);
  }

  /** Gets results of owners that are gone for good. The function given back stops it. */
  inherit(heir: Heir): () => void {
    return this.#owners.addHeir(heir);
  }

  /** Says which owners exist. Gives those that are gone and for which results still wait, and how many. */
  settleEstates(exists: (owner: string) => boolean): Map<string, number> {
    return this.#owners.settleEstates(exists);
  }

  /** Ends the open calls of an owner, or the one with a task id. Gives how many there were. */
  cancelFor(owner: string, id?: TaskId): number {
    let cancelled = 0;
    for (const entry of [...this.#owners.entriesOf(owner)]) {
      for (const call of entry.calls) {
        if ((id === undefined || call.taskId === id) && this.#dispatcher.cancel(call)) cancelled++;
      }
    }
    return cancelled;
  }

  /** Waits for a task of any age and tells how it ended. The function given back stops waiting. */
  waitFor(id: TaskId, settled: (outcome: TaskOutcome) => void): () => void {
    return this.#watcher.wait(id, {
      ended: (status) => {
        tell(settled, outcomeOf(status, {}, this.#integers));
        this.#watcher.ack(id);
      },
      failed: (error) => tell(settled, { status: 'failed', taskId: id, error }),
    });
  }

  /** Hears of results that nobody waits for. The function given back stops it. */
  onUnclaimed(listener: UnclaimedListener): () => void {
    this.#unclaimedListeners.add(listener);
    this.#watcher.offerAgain();
    return () => this.#unclaimedListeners.delete(listener);
  }

  /** Stops listening. What was submitted goes on; its results wait in the service, and what the ledger holds in it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#dispatcher.close();
    await this.#submitter.close();
    this.#watcher.close();
    await this.#ledger?.close();
  }

  #admit(
    owner: string,
    parcel: unknown,
    { functionId, endpointId = this.endpointId }: { readonly functionId: FunctionId; readonly endpointId?: EndpointId },
    calls: readonly CallArguments[],
    options: EntryOptions,
    handler: Handler | undefined,
    held?: Held,
  ): Entry {
    const problems = new Map<number, FuncXError>();
    const packed = new Array<PackedArguments>(calls.length);
    for (let i = 0; i < calls.length; i++) {
      try {
        packed[i] = this.#pack(calls[i] ?? {});
      } catch (error) {
        problems.set(i, asFuncXError(error));
        packed[i] = '';
      }
    }
    const entry = new Entry(this.#dispatcher, owner, parcel, functionId, endpointId, options, packed, Date.now());
    entry.handler = handler;
    this.#dispatcher.admit(entry, problems, held);
    return entry;
  }

  #pack({ args = [], kwargs = {} }: CallArguments): PackedArguments {
    if (this.#closing) throw new FuncXError('CLOSED', 'The client was closed.');
    return packArguments(args, kwargs, this.service.capabilities);
  }

  async #submitForIds(
    { functionId, endpointId = this.endpointId }: { readonly functionId: FunctionId; readonly endpointId?: EndpointId },
    calls: readonly CallArguments[],
  ): Promise<{ taskIds: TaskId[]; taskGroupId: TaskGroupId | undefined }> {
    const packed = calls.map((call) => this.#pack(call));
    let taskGroupId: TaskGroupId | undefined;
    const submitted = packed.map(
      (args) =>
        new Promise<TaskId>((resolve, reject) => {
          const accepted = (id: TaskId, group: TaskGroupId) => {
            taskGroupId = group;
            resolve(id);
          };
          this.#submitter.add({ functionId, endpointId, packed: args, over: false, accepted, refused: reject });
        }),
    );
    const taskIds = await Promise.all(submitted);
    await this.service.durable();
    return { taskIds, taskGroupId };
  }

  #outcome(status: TaskStatus, { entry, functionId, endpointId, groupId, submittedAt }: EntryCall): TaskOutcome {
    if (entry.watching) return outcomeOf(status, {}, this.#integers);
    return outcomeOf(status, { functionId, endpointId, taskGroupId: groupId, submittedAt }, this.#integers);
  }

  #unclaimed(status: TaskStatus, take: () => void): void {
    for (const listener of this.#unclaimedListeners) {
      tell(listener, outcomeOf(status, {}, this.#integers), take);
    }
  }

  #batchResult(status: TaskStatus): BatchResult {
    if (status.reason === undefined && !hasEnded(status)) return { pending: true, status: status.status ?? 'received' };
    const outcome = outcomeOf(status, {}, this.#integers);
    return {
      pending: false,
      status: outcome.status,
      ...(outcome.status === 'success' ? { result: outcome.result } : { exception: outcome.error }),
      ...(status.completion_t !== undefined && { completion_t: status.completion_t }),
    };
  }
}

function asFuncXError(error: unknown): FuncXError {
  return error instanceof FuncXError ? error : new FuncXError('INTERNAL_ERROR', String(error), { cause: error });
}
