/**
 * Gathers calls into as few submissions as the limits allow: all that come in one turn of the event loop for one endpoint
 * travel together.
 */
import { FuncXError, ServiceError } from '../compute/errors.js';
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../compute/ids.js';
import { MAX_SUBMISSION_BYTES } from '../compute/limits.js';
import type { ComputeService, PackedArguments, Submission, SubmitReply } from '../compute/service.js';
import { RESULT_SERIALIZERS } from '../serialization/index.js';
import { persistently } from './persistently.js';

/** Most tasks of one submission: the first workers are busy before a long burst has been taken in. */
const MAX_TASKS = 1024;

/** In closing, replies to what was sent are waited for, but no longer than this. Unit: milliseconds. */
const LAST_REPLIES_MS = 5000;

/** Room for the rest of the request beside the arguments. Unit: bytes. */
const REQUEST_OVERHEAD = 64 * 1024;

/** A call on its way to the service. One of the two is called, once, and never before `add` returns. */
export interface PendingCall {
  readonly functionId: FunctionId;
  readonly endpointId: EndpointId;
  readonly packed: PackedArguments;
  /** Nobody wants it any more: it is left out, and refused, where it has not been sent yet. */
  readonly over: boolean;
  accepted(id: TaskId, group: TaskGroupId): void;
  refused(error: FuncXError): void;
}

interface Gathered {
  readonly byFunction: Map<FunctionId, PendingCall[]>;
  tasks: number;
  bytes: number;
}

export class Submitter {
  readonly #service: ComputeService;
  readonly #onGroup: (group: TaskGroupId) => void;
  readonly #onRefused: () => void;
  readonly #closed = new AbortController();
  readonly #gathered = new Map<EndpointId, Gathered>();
  /** Submissions without a reply. */
  readonly #sending = new Set<Promise<void>>();
  #group: TaskGroupId | undefined;
  /** While the service makes the task group with the first submission, the next ones wait for it. */
  #makingGroup: Promise<void> | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  #waiting = 0;

  /**
   * @param group the task group of all submissions, or undefined to let the service make one
   * @param onGroup told of the task group of each reply, before the calls are told of their ids
   * @param onRefused told when fewer calls are waiting though the service has taken none
   */
  constructor(
    service: ComputeService,
    group: TaskGroupId | undefined,
    onGroup: (group: TaskGroupId) => void,
    onRefused: () => void = () => {},
  ) {
    this.#service = service;
    this.#group = group;
    this.#onGroup = onGroup;
    this.#onRefused = onRefused;
  }

  /** Calls that the service has not accepted yet. */
  get waiting(): number {
    return this.#waiting;
  }

  add(call: PendingCall): void {
    this.#waiting++;
    const bytes = sizeOf(call.packed);
    let gathered = this.#gathered.get(call.endpointId);
    if (gathered !== undefined && gathered.bytes + bytes > MAX_SUBMISSION_BYTES - REQUEST_OVERHEAD) {
      this.#flush(call.endpointId);
      gathered = undefined;
    }
    if (gathered === undefined) {
      gathered = { byFunction: new Map(), tasks: 0, bytes: 0 };
      this.#gathered.set(call.endpointId, gathered);
    }
    const calls = gathered.byFunction.get(call.functionId);
    if (calls === undefined) gathered.byFunction.set(call.functionId, [call]);
    else calls.push(call);
    gathered.bytes += bytes;
    gathered.tasks++;
    if (gathered.tasks >= MAX_TASKS) this.#flush(call.endpointId);
    else this.#scheduled ??= setImmediate(() => this.flush());
  }

  /** Sends what is gathered now. */
  flush(): void {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    for (const endpoint of [...this.#gathered.keys()]) this.#flush(endpoint);
  }

  /**
   * Sends no more; what the service cannot be reached for is given up without a word. Resolves when the service has
   * replied to what was sent: its calls are told of ids that are taken already.
   */
  async close(): Promise<void> {
    this.flush();
    this.#closed.abort();
    let late: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      late = setTimeout(resolve, LAST_REPLIES_MS);
    });
    await Promise.race([Promise.all(this.#sending), limit]);
    clearTimeout(late);
  }

  #flush(endpoint: EndpointId): void {
    const gathered = this.#gathered.get(endpoint);
    this.#gathered.delete(endpoint);
    if (gathered === undefined) return;
    const sending = this.#send(endpoint, gathered.byFunction).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  async #send(endpoint: EndpointId, byFunction: Map<FunctionId, PendingCall[]>): Promise<void> {
    if (this.#group === undefined && this.#makingGroup !== undefined) {
      await this.#makingGroup;
      if (this.#group === undefined && this.#closed.signal.aborted) return;
    }
    const sending = this.#submit(endpoint, byFunction);
    if (this.#group === undefined) {
      this.#makingGroup = sending;
      await sending;
      this.#makingGroup = undefined;
    }
  }

  async #submit(endpoint: EndpointId, byFunction: Map<FunctionId, PendingCall[]>): Promise<void> {
    try {
      const reply = await persistently(async () => {
        this.#leaveOut(byFunction);
        return byFunction.size === 0 ? undefined : this.#service.submit(endpoint, this.#body(byFunction));
      }, this.#closed.signal);
      if (reply !== undefined) this.#accepted(byFunction, reply);
    } catch (error) {
      if (!this.#closed.signal.aborted) await this.#refused(endpoint, byFunction, error);
    }
  }

  #body(byFunction: ReadonlyMap<FunctionId, PendingCall[]>): Submission {
    const tasks: Record<string, PackedArguments[]> = {};
    for (const [id, calls] of byFunction) tasks[id] = calls.map((call) => call.packed);
    return {
      tasks,
      create_queue: true,
      result_serializers: RESULT_SERIALIZERS,
      ...(this.#group !== undefined && { task_group_id: this.#group }),
    };
  }

  #leaveOut(byFunction: Map<FunctionId, PendingCall[]>): void {
    for (const [id, calls] of byFunction) {
      if (!calls.some(({ over }) => over)) continue;
      const wanted = calls.filter(({ over }) => !over);
      if (wanted.length > 0) byFunction.set(id, wanted);
      else byFunction.delete(id);
      this.#waiting -= calls.length - wanted.length;
      for (const call of calls) {
        if (call.over) call.refused(new FuncXError('TASK_CANCELLED', 'The task was given up before it was submitted.'));
      }
      this.#onRefused();
    }
  }

  #accepted(byFunction: ReadonlyMap<FunctionId, PendingCall[]>, reply: SubmitReply): void {
    const group = reply.task_group_id as TaskGroupId;
    this.#group = group;
    this.#onGroup(group);
    for (const [functionId, calls] of byFunction) {
      this.#waiting -= calls.length;
      const ids = reply.tasks[functionId] ?? [];
      for (let i = 0; i < calls.length; i++) {
        const id = ids[i] as TaskId | undefined;
        if (id !== undefined) calls[i]?.accepted(id, group);
        else
          calls[i]?.refused(
            new ServiceError('INTERNAL_ERROR', 500, 'The service gave no id for a task. Submit it again.'),
          );
      }
    }
  }

  /** What the service refuses of one function, or of one call, must not take other calls down with it. */
  async #refused(
    endpoint: EndpointId,
    byFunction: ReadonlyMap<FunctionId, PendingCall[]>,
    error: unknown,
  ): Promise<void> {
    if (error instanceof ServiceError) {
      const parts = smallerThan(byFunction, error);
      for (const part of parts) await this.#submit(endpoint, part);
      if (parts.length > 0) return;
    }
    const reason =
      error instanceof FuncXError ? error : new FuncXError('INTERNAL_ERROR', String(error), { cause: error });
    for (const calls of byFunction.values()) {
      this.#waiting -= calls.length;
      for (const call of calls) call.refused(reason);
    }
    this.#onRefused();
  }
}

/** Refusals that speak of the caller, the endpoint or the function: HTTP 401, 403 and 404. */
const OF_NO_SINGLE_CALL: ReadonlySet<number> = new Set([401, 403, 404]);

/**
 * The parts in which a refused submission is sent again: its functions, each alone; of one function both halves, so that
 * those of its calls that are refused are found in few requests. None where the refusal would be the same for each part.
 */
function smallerThan(
  byFunction: ReadonlyMap<FunctionId, PendingCall[]>,
  { httpStatus }: ServiceError,
): Map<FunctionId, PendingCall[]>[] {
  if (byFunction.size > 1) return [...byFunction].map((each) => new Map([each]));
  if (OF_NO_SINGLE_CALL.has(httpStatus)) return [];
  return [...byFunction]
    .filter(([, calls]) => calls.length > 1)
    .flatMap(([id, calls]) => {
      const half = calls.length >> 1;
      return [new Map([[id, calls.slice(0, half)]]), new Map([[id, calls.slice(half)]])];
    });
}

/** At least the bytes that the arguments have in the request, cheaply. */
function sizeOf(packed: PackedArguments): number {
  if (typeof packed !== 'string') {
    return packed.buffers.reduce((sum, buffer) => sum + buffer.byteLength, Buffer.byteLength(packed.text));
  }
  return packed.length < 1024 ? packed.length * 3 : Buffer.byteLength(packed);
}
