/**
 * A service that is in none of the client's confidence: it knows nothing of Python, of disks and of the hub, and does
 * whatever the contract does not forbid. It is slow, loses replies, refuses, forgets, answers out of order, early and
 * twice; each of that has a switch, and which request it hits is decided by a seed alone. Time does not matter to it:
 * what is to happen later happens in a later turn of the event loop.
 */
import { FuncXError, ServiceError } from '../../dist/lib/compute/errors.js';
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../../dist/lib/compute/ids.js';
import type {
  ComputeService,
  EndpointInfo,
  EndpointListEntry,
  EndpointStatus,
  FunctionInfo,
  FunctionRegistrationReply,
  FunctionSearchPage,
  PackedArguments,
  ResultStream,
  Submission,
  SubmitReply,
  TaskGroupInfo,
  TaskStatus,
  VersionInfo,
} from '../../dist/lib/compute/service.js';
import { deserialize, serialize, unpackBuffers } from '../../dist/lib/serialization/index.js';
import { Random } from './random.js';

/** Shares of the cases in which something goes wrong, from 0 to 1; and habits. All off unless said otherwise. */
export interface Faults {
  /** Something that is due waits for another turn of the event loop. */
  slow: number;
  /** What is due in one turn happens in any order. */
  shuffled: boolean;
  /** A submission is accepted, and its reply lost. */
  losesReplies: number;
  /** A submission is not even seen. */
  unreachable: number;
  /** A submission is refused for the moment (429 or 503). */
  busy: number;
  /** A submission is refused for good (403). */
  denies: number;
  /** Statuses cannot be asked for. */
  statusUnreachable: number;
  /** A task ends before the reply to its submission. */
  hasty: number;
  /** A result is delivered a second time. */
  repeats: number;
  /** A task is forgotten as soon as it was accepted: it never ends, and nobody knows it. */
  forgets: number;
  /** Leaves out of a status reply what it does not know, instead of saying so. */
  silentOnUnknown: boolean;
  /** Forgets a task when its result was acknowledged. */
  forgetsAcknowledged: boolean;
}

export const NO_FAULTS: Readonly<Faults> = {
  slow: 0,
  shuffled: false,
  losesReplies: 0,
  unreachable: 0,
  busy: 0,
  denies: 0,
  statusUnreachable: 0,
  hasty: 0,
  repeats: 0,
  forgets: 0,
  silentOnUnknown: false,
  forgetsAcknowledged: false,
};

/** How a task ends. */
export type Ending = { readonly result: unknown } | { readonly exception: string; readonly error_code?: string };

export interface StandInTask {
  readonly id: TaskId;
  readonly functionId: FunctionId;
  readonly groupId: TaskGroupId;
  /** Its positional arguments. */
  readonly args: readonly unknown[];
  status: TaskStatus | undefined;
  acknowledged: boolean;
}

export interface StandInOptions {
  readonly seed?: number;
  readonly faults?: Partial<Faults>;
  /** Tasks can be cancelled. @default false, as the hosted service */
  readonly cancel?: boolean;
  /** How a task ends. @default with its first argument as the result */
  readonly ending?: (task: StandInTask) => Ending;
}

type Listener = (results: readonly TaskStatus[]) => void;
type Operation = 'submit' | 'batchStatus' | 'durable';

export class StandIn implements ComputeService {
  readonly capabilities: { readonly rawBytes: false; readonly cancel: boolean; readonly search: false };
  readonly random: Random;
  readonly faults: Faults;
  ending: (task: StandInTask) => Ending;
  /** Tasks do not end by themselves, but by {@link end}. */
  holding = false;
  readonly tasks = new Map<TaskId, StandInTask>();
  /** What was asked of it. */
  readonly submissions: Submission[] = [];
  readonly statusRequests: (readonly TaskId[])[] = [];
  readonly cancelled: TaskId[] = [];
  readonly #refusals = new Map<Operation, FuncXError[]>();
  readonly #listeners = new Map<TaskGroupId, Set<Listener>>();
  #agenda: (() => void)[] = [];
  #scheduled = false;

  constructor({ seed = 1, faults = {}, cancel = false, ending }: StandInOptions = {}) {
    this.capabilities = { rawBytes: false, cancel, search: false };
    this.random = new Random(seed);
    this.faults = { ...NO_FAULTS, ...faults };
    this.ending = ending ?? (({ args }) => ({ result: args[0] }));
  }

  /** Nothing is due. */
  get idle(): boolean {
    return this.#agenda.length === 0;
  }

  /** Tasks that have not ended. */
  get open(): StandInTask[] {
    return [...this.tasks.values()].filter(({ status }) => status === undefined);
  }

  /** Tasks whose results would be delivered to the next listener. */
  get unacknowledged(): StandInTask[] {
    return [...this.tasks.values()].filter(({ status, acknowledged }) => status !== undefined && !acknowledged);
  }

  /** Makes the next requests of a kind fail, in this order, whatever the faults say. */
  refuse(operation: Operation, ...errors: FuncXError[]): void {
    this.#refusals.set(operation, [...(this.#refusals.get(operation) ?? []), ...errors]);
  }

  /** Ends tasks, all open ones unless named, and delivers their results. */
  end(tasks: readonly StandInTask[] = this.open, ending = this.ending): void {
    for (const task of tasks) this.#end(task, ending(task));
  }

  /** Delivers the results of tasks once more. */
  repeat(tasks: readonly StandInTask[]): void {
    for (const task of tasks) this.#deliver(task);
  }

  /** As if these tasks had never been. */
  forget(tasks: readonly StandInTask[] = [...this.tasks.values()]): void {
    for (const { id } of tasks) this.tasks.delete(id);
  }

  async submit(endpoint: EndpointId, body: Submission): Promise<SubmitReply> {
    const { faults, random } = this;
    const refusal = this.#refusals.get('submit')?.shift() ?? this.#moodOnSubmission();
    if (refusal !== undefined) return this.#later(() => Promise.reject(refusal));
    this.submissions.push(body);
    const groupId = body.task_group_id ?? (random.uuid() as TaskGroupId);
    const accepted: StandInTask[] = [];
    const ids: Record<string, string[]> = {};
    for (const [functionId, calls] of Object.entries(body.tasks)) {
      const tasks = calls.map((packed) => this.#accept(functionId as FunctionId, groupId, packed));
      accepted.push(...tasks);
      ids[functionId] = tasks.map(({ id }) => id);
    }
    for (const task of accepted) {
      if (random.happens(faults.forgets)) this.tasks.delete(task.id);
      else if (!this.holding) this.#endSoon(task);
    }
    const reply = { request_id: random.uuid(), task_group_id: groupId, endpoint_id: endpoint, tasks: ids };
    const lost = random.happens(faults.losesReplies);
    return this.#later(() => (lost ? Promise.reject(unreachable()) : Promise.resolve(reply)));
  }

  async getTask(id: TaskId): Promise<TaskStatus> {
    const status = (await this.batchStatus([id]))[id];
    if (status === undefined || status.reason !== undefined) {
      throw new ServiceError('TASK_NOT_FOUND', 404, `Task ${id} is not known.`, [id]);
    }
    return status;
  }

  async batchStatus(ids: readonly TaskId[]): Promise<Readonly<Record<string, TaskStatus>>> {
    this.statusRequests.push(ids);
    const refusal =
      this.#refusals.get('batchStatus')?.shift() ??
      (this.random.happens(this.faults.statusUnreachable) ? unreachable() : undefined);
    return this.#later(async () => {
      if (refusal !== undefined) throw refusal;
      const statuses: Record<string, TaskStatus> = {};
      for (const id of ids) {
        const task = this.tasks.get(id);
        if (task !== undefined) statuses[id] = task.status ?? { task_id: id, status: 'waiting-for-nodes' };
        else if (!this.faults.silentOnUnknown) {
          statuses[id] = { task_id: id, status: 'failed', reason: 'Unknown task id' };
        }
      }
      return statuses;
    });
  }

  async cancel(id: TaskId): Promise<boolean> {
    if (!this.capabilities.cancel) throw new ServiceError('NOT_FOUND', 404, 'There is no such operation.');
    this.cancelled.push(id);
    const task = this.tasks.get(id);
    if (task === undefined) throw new ServiceError('TASK_NOT_FOUND', 404, `Task ${id} is not known.`, [id]);
    if (task.status !== undefined) return false;
    this.#end(task, { exception: `Task ${id} was cancelled.`, error_code: 'TASK_CANCELLED' });
    return true;
  }

  results(group: TaskGroupId, listener: Listener): ResultStream {
    const listeners = this.#listeners.get(group) ?? new Set();
    this.#listeners.set(group, listeners.add(listener));
    this.#soon(() => {
      const waiting = this.unacknowledged.filter(({ groupId }) => groupId === group);
      if (waiting.length > 0 && listeners.has(listener)) listener(waiting.map(({ status }) => status as TaskStatus));
    });
    return {
      ack: (ids) => {
        for (const id of ids) this.#acknowledge(id, group);
      },
      close: () => listeners.delete(listener),
    };
  }

  async durable(): Promise<void> {
    const refusal = this.#refusals.get('durable')?.shift();
    if (refusal !== undefined) throw refusal;
  }

  async close(): Promise<void> {}

  async taskGroup(id: TaskGroupId): Promise<TaskGroupInfo> {
    const tasks = [...this.tasks.values()].filter(({ groupId }) => groupId === id);
    return { taskgroup_id: id, tasks: tasks.map((task) => ({ id: task.id, created_at: new Date(0).toISOString() })) };
  }

  async version(): Promise<VersionInfo> {
    return { api: '1.0.0', min_sdk_version: '2.28.0', min_ep_version: '2.28.0' };
  }

  async registerFunction(): Promise<FunctionRegistrationReply> {
    return { function_uuid: this.random.uuid() };
  }

  async getFunction(): Promise<FunctionInfo> {
    throw notOffered();
  }

  async deleteFunction(): Promise<{ result: number }> {
    throw notOffered();
  }

  async searchFunctions(): Promise<FunctionSearchPage> {
    throw notOffered();
  }

  async listEndpoints(): Promise<EndpointListEntry[]> {
    return [];
  }

  async getEndpoint(): Promise<EndpointInfo> {
    throw notOffered();
  }

  async endpointStatus(): Promise<EndpointStatus> {
    throw notOffered();
  }

  #moodOnSubmission(): FuncXError | undefined {
    const { faults, random } = this;
    if (random.happens(faults.unreachable)) return unreachable();
    if (random.happens(faults.busy)) return random.happens(0.5) ? tooManyRequests() : outOfOrder();
    return random.happens(faults.denies) ? forbidden() : undefined;
  }

  #accept(functionId: FunctionId, groupId: TaskGroupId, packed: PackedArguments): StandInTask {
    if (typeof packed !== 'string') throw new Error('It was sent bytes beside the text, which it does not take.');
    const [args = ''] = unpackBuffers(packed);
    const id = this.random.uuid() as string as TaskId;
    const values = deserialize(args) as readonly unknown[];
    const task: StandInTask = { id, functionId, groupId, args: values, status: undefined, acknowledged: false };
    this.tasks.set(id, task);
    return task;
  }

  #endSoon(task: StandInTask): void {
    if (this.random.happens(this.faults.hasty)) this.#end(task, this.ending(task));
    else this.#soon(() => this.#soon(() => this.#end(task, this.ending(task))));
  }

  #end(task: StandInTask, ending: Ending): void {
    if (task.status !== undefined || !this.tasks.has(task.id)) return;
    const completion_t = (Date.now() / 1000).toFixed(6);
    task.status =
      'result' in ending
        ? { task_id: task.id, status: 'success', result: serialize(ending.result), completion_t }
        : { task_id: task.id, status: 'failed', ...ending, completion_t };
    this.#deliver(task);
    if (this.random.happens(this.faults.repeats)) this.#soon(() => this.#deliver(task));
  }

  /** Nobody listening, it waits for the next listener. */
  #deliver({ groupId, status }: StandInTask): void {
    const [listener] = this.#listeners.get(groupId) ?? [];
    if (status !== undefined) listener?.([status]);
  }

  #acknowledge(id: TaskId, group: TaskGroupId): void {
    const task = this.tasks.get(id);
    // One that has not ended has no result to acknowledge.
    if (task?.status === undefined || task.groupId !== group) return;
    task.acknowledged = true;
    if (this.faults.forgetsAcknowledged) this.tasks.delete(id);
  }

  #later<T>(answer: () => Promise<T>): Promise<T> {
    return new Promise((resolve) => this.#soon(() => resolve(answer())));
  }

  #soon(action: () => void): void {
    this.#agenda.push(action);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    const due = this.#agenda;
    this.#agenda = [];
    if (this.faults.shuffled) this.random.shuffle(due);
    for (const action of due) {
      if (this.random.happens(this.faults.slow)) this.#soon(action);
      else action();
    }
  }
}

export function unreachable(): FuncXError {
  return new FuncXError('SERVICE_UNREACHABLE', 'The service did not answer.');
}

export function tooManyRequests(): ServiceError {
  return new ServiceError('TOO_MANY_REQUESTS', 429, 'Slow down.');
}

export function outOfOrder(): ServiceError {
  return new ServiceError('INTERNAL_ERROR', 503, 'Out of order.');
}

export function forbidden(): ServiceError {
  return new ServiceError('ENDPOINT_ACCESS_FORBIDDEN', 403, 'You may not use this endpoint.');
}

function notOffered(): ServiceError {
  return new ServiceError('NOT_FOUND', 404, 'There is no such operation.');
}
