/**
 * From an accepted entry to the delivery of its results: how many calls may be with the service, what happens at the
 * limits, retries, deadlines, memoization, and who gets the results when nodes come and go.
 */
import { FuncXError, InputError, RemoteException, SerializationError, TaskError } from '../compute/errors.js';
import type { TaskGroupId, TaskId } from '../compute/ids.js';
import type { ComputeService, TaskStatus } from '../compute/service.js';
import type { TaskOutcome } from './call.js';
import { CallQueue } from './call-queue.js';
import { Deadlines } from './deadlines.js';
import { CallStage, type Delivery, type Desk, type Entry, type EntryCall } from './entry.js';
import type { Ledger } from './ledger.js';
import { Memo } from './memo.js';
import type { Owners, ReadOutcome } from './owners.js';
import type { Submitter } from './submitter.js';
import { openCallsOf, WaitingRoom } from './waiting-room.js';
import type { Watcher } from './watcher.js';

/** What happens to a call for which there is no room. */
export type WhenFull = 'error' | 'block' | 'drop-oldest' | 'drop-newest';

export interface FlowLimits {
  /** Most calls with the service at once; the others wait here. @default no limit of its own */
  readonly inFlight?: number | undefined;
  /** Most calls that wait or run. @default 100000 */
  readonly queueLimit?: number | undefined;
  /** @default 'error' */
  readonly whenFull?: WhenFull | undefined;
}

export interface FlowCounts {
  /** Calls that have not ended. */
  readonly pending: number;
  /** Of these, calls that wait here for others to end. */
  readonly queued: number;
  /** Calls that are not accepted yet because there is no room. */
  readonly blocked: number;
  readonly done: number;
  readonly failed: number;
  readonly dropped: number;
}

/** Parts that a dispatcher works with. */
export interface DispatcherParts {
  readonly service: ComputeService;
  readonly submitter: Submitter;
  readonly watcher: Watcher;
  readonly owners: Owners;
  readonly ledger: Ledger | undefined;
  readonly read: ReadOutcome;
}

export const DEFAULT_QUEUE_LIMIT = 100_000;

/** A repeatable call that was interrupted so often is taken for the cause: it may end Node-RED each time it runs. */
const MOST_INTERRUPTIONS = 10;

/** A retry waits at most this long. Unit: milliseconds. */
const LONGEST_BACKOFF_MS = 5 * 60_000;

export class Dispatcher implements Desk {
  readonly #parts: DispatcherParts;
  #limits: Required<{ [Key in keyof FlowLimits]: NonNullable<FlowLimits[Key]> }>;
  readonly #queue = new CallQueue();
  readonly #memo = new Memo();
  readonly #deadlines = new Deadlines((entry) => this.#onDeadline(entry));
  readonly #retries = new Map<EntryCall, NodeJS.Timeout>();
  readonly #blocked = new WaitingRoom();
  #closed = false;
  #inFlight = 0;
  #pending = 0;
  #done = 0;
  #failed = 0;
  #dropped = 0;

  constructor(parts: DispatcherParts, limits: FlowLimits) {
    this.#parts = parts;
    this.#limits = checked(limits);
  }

  /** Sets other limits. What is with the service or waits already stays. */
  configure(limits: FlowLimits): void {
    this.#limits = checked(limits);
    this.#pump();
    this.#unblock();
  }

  get counts(): FlowCounts {
    return {
      pending: this.#pending,
      queued: this.#queue.size,
      blocked: this.#blocked.openCalls,
      done: this.#done,
      failed: this.#failed,
      dropped: this.#dropped,
    };
  }

  /**
   * Accepts an entry, or ends its calls with the reason why not. Nothing is told before this returns.
   *
   * @param problems calls, by index, that cannot be made, and why
   */
  admit(entry: Entry, problems: ReadonlyMap<number, FuncXError>): void {
    if (entry.calls.length === 0) return;
    for (const [index, problem] of problems) (entry.calls[index] as EntryCall).problem = problem;
    const [problem] = problems.values();
    if (problem !== undefined && problems.size === entry.calls.length) {
      this.#refuse(entry, problem);
      return;
    }
    const { queueLimit, whenFull } = this.#limits;
    if (this.#pending + entry.calls.length <= queueLimit && this.#blocked.isEmpty) {
      this.#start(entry);
      return;
    }
    if (whenFull === 'block' && entry.calls.length <= queueLimit && this.#blocked.hasRoomFor(entry)) {
      this.#blocked.add(entry);
      this.#keep(entry);
    } else if (whenFull === 'drop-oldest' && this.#dropOldest(entry.calls.length)) this.#start(entry);
    else this.#refuse(entry, whenFull === 'drop-newest' ? this.#droppedError() : this.#fullError());
  }

  /** Waits for tasks that were submitted by others. */
  watch(entry: Entry, ids: readonly TaskId[]): void {
    entry.watching = true;
    for (const call of entry.calls) {
      call.taskId = ids[call.index];
      call.stage = CallStage.submitted;
    }
    this.#keep(entry);
    for (const call of entry.calls) {
      if (call.taskId === undefined) continue;
      this.#parts.watcher.hold(call.taskId);
      this.#parts.watcher.wait(call.taskId, call);
    }
    this.#pending += entry.calls.length;
  }

  /** Delivers again what was not settled. */
  redeliver(call: EntryCall, outcome: TaskOutcome): void {
    if (call.stage !== CallStage.settled) this.#deliver(call, outcome);
  }

  /**
   * The service has told of a task that an earlier process waited for, and it has not ended: nobody was sent its result,
   * unless the service died too and runs it for the second time.
   */
  pending(call: EntryCall, { details }: TaskStatus): void {
    if (details?.rerun !== true) call.maybeSent = false;
  }

  /** Takes up entries of an earlier process, and tells the service of the calls of which that one may not have. */
  recover(entries: readonly Entry[], settledBefore: readonly EntryCall[]): void {
    const { ledger, service, watcher } = this.#parts;
    if (!ledger?.commitsWith(service)) {
      for (const { taskId, groupId, entry } of settledBefore) {
        if (taskId === undefined || entry.options.until === 'accepted') continue;
        if (groupId !== undefined) watcher.follow(groupId);
        watcher.ack(taskId);
      }
    }
    for (const entry of entries) {
      this.#parts.owners.add(entry);
      this.#deadlines.add(entry);
      for (const call of entry.calls) {
        if (call.stage === CallStage.settled) continue;
        this.#pending++;
        if (call.taskId === undefined && call.packed === '') call.problem = notKept();
        if (call.taskId === undefined) this.#enqueue(call);
        else if (entry.options.until === 'accepted') this.#endAccepted(call, call.taskId);
        else {
          if (entry.watching) this.#parts.watcher.hold(call.taskId);
          else this.#inFlight++;
          if (call.groupId !== undefined) this.#parts.watcher.follow(call.groupId);
          this.#parts.watcher.wait(call.taskId, call);
        }
      }
    }
  }

  /** The owner has sent on what was delivered: it will not be delivered again. */
  settle(call: EntryCall): void {
    if (call.stage === CallStage.settled) return;
    call.stage = CallStage.settled;
    call.packed = '';
    call.outcome = undefined;
    const { entry, taskId } = call;
    entry.open--;
    const { ledger, service } = this.#parts;
    if (taskId === undefined || entry.options.until === 'accepted') ledger?.settled(call);
    else if (ledger === undefined || ledger.commitsWith(service)) {
      ledger?.settled(call);
      this.#acknowledge(call, taskId);
    } else {
      const saved = ledger.settledElsewhere(call);
      this.#acknowledgeAfter(saved, call, taskId, () => {
        this.#acknowledge(call, taskId);
        if (saved !== undefined) ledger.acknowledged(call);
      });
    }
    if (entry.open > 0) return;
    this.#parts.owners.remove(entry);
    this.#deadlines.remove(entry);
  }

  #acknowledge({ entry }: EntryCall, id: TaskId): void {
    if (entry.watching) this.#parts.watcher.release(id);
    else this.#parts.watcher.ack(id);
  }

  /** A service must not drop a result before the ledger has it on disk that it is not needed any more. */
  #acknowledgeAfter(saved: Promise<void> | undefined, call: EntryCall, id: TaskId, acknowledge: () => void): void {
    if (saved === undefined) {
      acknowledge();
      return;
    }
    if (!call.entry.watching) this.#parts.watcher.claim(id);
    saved.then(acknowledge, () => {}); // The next process does it.
  }

  /** Ends a call now: it is taken back, or stopped where the service can. */
  cancel(call: EntryCall): boolean {
    if (call.over) return false;
    const message = `${nameOf(call)} was cancelled.`;
    this.#end(call, refusal(call, new TaskErrorOf(call, 'TASK_CANCELLED', message)));
    this.#stop(call);
    return true;
  }

  /** Submits no more, and keeps no timer. */
  close(): void {
    this.#closed = true;
    this.#deadlines.close();
    for (const timer of this.#retries.values()) clearTimeout(timer);
    this.#retries.clear();
  }

  // Told by the submitter and the watcher

  accepted(call: EntryCall, id: TaskId, group: TaskGroupId): void {
    const { over } = call;
    const { retry, repeatable, memoMs, until } = call.entry.options;
    call.taskId = id;
    call.groupId = group;
    if (call.stage === CallStage.waiting) call.stage = CallStage.submitted;
    if (retry === undefined && memoMs === undefined && repeatable !== true) call.packed = '';
    this.#parts.ledger?.changed(call, true);
    if (until === 'accepted') {
      this.#leave(call);
      if (!over) this.#endAccepted(call, id);
    } else this.#parts.watcher.expect(id, call);
    if (over) this.#stop(call);
  }

  refused(call: EntryCall, error: FuncXError): void {
    this.#leave(call);
    if (call.over) return;
    if (this.#isListed(call, error) && this.#mayRetry(call, error)) {
      this.#retry(call);
      return;
    }
    for (const follower of this.#forget(call, undefined)) this.#enqueue(follower);
    this.#end(call, refusal(call, error));
  }

  ended(call: EntryCall, status: TaskStatus): void {
    this.#leave(call);
    if (call.over) {
      this.#parts.watcher.ack(status.task_id);
      return;
    }
    const outcome = this.#outcome(call, status);
    if (outcome.status === 'failed' && this.#mayRetry(call, outcome.error)) {
      this.#retry(call);
      const { ledger, service } = this.#parts;
      const saved = ledger?.commitsWith(service) ? undefined : ledger?.saving(call);
      this.#acknowledgeAfter(saved, call, status.task_id, () => this.#parts.watcher.ack(status.task_id));
      return;
    }
    for (const follower of this.#forget(call, status)) this.#end(follower, this.#outcome(follower, status));
    this.#end(call, outcome);
  }

  // On the way out

  /** Ends all calls of an entry for which there is no room. They are kept until that was sent on. */
  #refuse(entry: Entry, error: FuncXError): void {
    this.#keep(entry);
    for (const call of entry.calls) this.#endSoon(call, call.problem ?? error);
  }

  #start(entry: Entry): void {
    this.#keep(entry);
    this.#begin(entry);
  }

  #keep(entry: Entry): void {
    if (entry.handler === undefined) this.#parts.ledger?.add(entry);
    this.#parts.owners.add(entry);
    this.#deadlines.add(entry);
  }

  #begin(entry: Entry): void {
    for (const call of entry.calls) {
      if (call.over) continue;
      this.#pending++;
      this.#enqueue(call);
    }
  }

  #enqueue(call: EntryCall): void {
    const { problem } = call;
    if (problem !== undefined) {
      setImmediate(() => this.#end(call, refusal(call, problem)));
      return;
    }
    const { memoMs, until } = call.entry.options;
    if (memoMs !== undefined && until !== 'accepted') {
      const status = this.#memo.find(call);
      if (status !== undefined) {
        setImmediate(() => this.#end(call, this.#outcome(call, status)));
        return;
      }
      if (this.#memo.join(call)) return;
    }
    this.#queue.push(call);
    this.#pump();
  }

  #pump(): void {
    while (!this.#closed && this.#inFlight < this.#limits.inFlight) {
      const call = this.#queue.shift();
      if (call === undefined) return;
      this.#inFlight++;
      call.tries++;
      call.submittedAt = Date.now();
      this.#parts.submitter.add(call);
    }
  }

  /** A call is with the service no more. */
  #leave(call: EntryCall): void {
    if (!call.entry.watching) this.#inFlight--;
    if (this.#queue.size > 0) this.#pump();
  }

  // On the way back

  /** What was wanted is the task's id; its result is for whoever asks for it. */
  #endAccepted(call: EntryCall, id: TaskId): void {
    const { functionId, endpointId, groupId } = call;
    const base = { taskId: id, functionId, endpointId, taskGroupId: groupId };
    this.#parts.service.durable().then(
      () => this.#end(call, { ...base, status: 'success', result: id }),
      (error) =>
        this.#end(
          call,
          refusal(call, error instanceof FuncXError ? error : new FuncXError('STORE_FAILED', String(error))),
        ),
    );
  }

  #outcome(call: EntryCall, status: TaskStatus): TaskOutcome {
    return this.#parts.read(call, status);
  }

  /** The call has ended, however that came. */
  #end(call: EntryCall, outcome: TaskOutcome): void {
    if (call.over) return;
    call.over = true;
    if (outcome.status === 'failed' || call.entry.options.until === 'accepted' || call.taskId === undefined) {
      call.outcome = outcome;
    }
    if (!call.entry.blocked) this.#pending--;
    if (call.stage !== CallStage.late) this.#count(outcome);
    this.#deliver(call, outcome);
    if (!this.#blocked.isEmpty) this.#unblock();
  }

  /** Ends a call that does not count as pending, and tells of it when the caller is done. */
  #endSoon(call: EntryCall, error: FuncXError): void {
    const outcome = refusal(call, error);
    call.over = true;
    call.outcome = outcome;
    call.due = true;
    if (call.stage !== CallStage.late) this.#count(outcome);
    setImmediate(() => {
      call.due = false;
      this.redeliver(call, outcome);
    });
  }

  #count(outcome: TaskOutcome): void {
    if (outcome.status === 'success') this.#done++;
    else if (outcome.error.code === 'DROPPED') this.#dropped++;
    else this.#failed++;
  }

  /**
   * Tells how a call has ended. The disk is never behind by more than one stage: what it has as waiting was not told of, so
   * that after a crash only what may have been sent on is marked.
   */
  #deliver(call: EntryCall, outcome: TaskOutcome): void {
    const { ledger } = this.#parts;
    if (call.stage === CallStage.waiting) {
      call.stage = CallStage.submitted;
      ledger?.changed(call, false);
    }
    const { entry, index, over } = call;
    const delivery: Delivery = {
      entry,
      index,
      call,
      outcome,
      recovered: entry.recovered,
      redelivered: call.maybeSent,
      late: call.stage === CallStage.late && over,
      interim: !over,
    };
    const saving = ledger?.saving(call);
    if (saving === undefined) {
      this.#tell(delivery);
      return;
    }
    call.due = over;
    if (call.taskId !== undefined && isKept(call)) this.#parts.watcher.claim(call.taskId);
    void saving.then(() => {
      if (over) call.due = false;
      if (!this.#closed && call.stage !== CallStage.settled) this.#tell(delivery);
    });
  }

  #tell(delivery: Delivery): void {
    const { call, entry, interim } = delivery;
    if (this.#parts.owners.deliver(delivery) && entry.handler !== undefined && !interim) this.settle(call);
    else if (call.taskId !== undefined && isKept(call)) this.#parts.watcher.claim(call.taskId);
  }

  #unblock(): void {
    for (let next = this.#blocked.first; next !== undefined; next = this.#blocked.first) {
      // One that is larger than a limit set since goes alone.
      if (this.#pending > 0 && this.#pending + openCallsOf(next) > this.#limits.queueLimit) return;
      this.#blocked.release();
      this.#begin(next);
    }
  }

  // Failures

  #mayRetry(call: EntryCall, error: FuncXError): boolean {
    const { entry, tries, interruptions } = call;
    const { retry, repeatable } = entry.options;
    if (entry.watching) return false;
    if (error.code === 'TASK_INTERRUPTED' && repeatable === true && interruptions < MOST_INTERRUPTIONS) {
      call.interruptions++;
      return true;
    }
    if (retry === undefined || tries - interruptions > retry.retries) return false;
    return retry.errors.length === 0 || this.#isListed(call, error);
  }

  /** Whether an error is one of those named as worth another try. */
  #isListed({ entry }: EntryCall, error: FuncXError): boolean {
    const errors = entry.options.retry?.errors ?? [];
    return errors.includes(error.code) || (error instanceof RemoteException && errors.includes(error.pythonType));
  }

  #retry(call: EntryCall): void {
    call.taskId = undefined;
    if (call.stage === CallStage.submitted) call.stage = CallStage.waiting;
    this.#parts.ledger?.changed(call, true);
    const base = call.entry.options.retry?.backoffMs ?? 0;
    const pause = Math.min(LONGEST_BACKOFF_MS, base * 2 ** (call.tries - 1)) * (0.5 + Math.random() / 2);
    const timer = setTimeout(() => {
      this.#retries.delete(call);
      if (call.over) return;
      this.#queue.push(call);
      this.#pump();
    }, pause);
    this.#retries.set(call, timer);
  }

  #onDeadline(entry: Entry): void {
    const { late, deadline = 0 } = entry.options;
    const after = ((deadline - entry.acceptedAt) / 1000).toFixed(1);
    for (const call of entry.calls) {
      if (call.over || call.stage === CallStage.settled || call.stage === CallStage.late) continue;
      const message = `${nameOf(call)} had not ended by its deadline, ${after} s after it was accepted.`;
      const outcome = refusal(call, new TaskErrorOf(call, 'DEADLINE_EXCEEDED', message));
      if (late === 'send') {
        call.stage = CallStage.late;
        this.#parts.ledger?.changed(call, false);
        this.#count(outcome);
        this.#deliver(call, outcome);
      } else {
        this.#end(call, outcome);
        this.#stop(call);
      }
    }
  }

  /** Keeps the service from working for nothing. */
  #stop(call: EntryCall): void {
    clearTimeout(this.#retries.get(call));
    this.#retries.delete(call);
    this.#queue.remove(call);
    for (const follower of this.#forget(call, undefined)) this.#enqueue(follower);
    const { taskId } = call;
    if (taskId === undefined || !this.#parts.service.capabilities.cancel) return;
    this.#parts.service.cancel(taskId).catch(() => {}); // It has ended by itself, or is not known any more.
  }

  #forget(call: EntryCall, status: TaskStatus | undefined): Iterable<EntryCall> {
    return call.entry.options.memoMs === undefined ? [] : this.#memo.ended(call, status);
  }

  /** Drops the calls that have waited longest, until there is room. False: too few of them wait. */
  #dropOldest(count: number): boolean {
    const { queueLimit } = this.#limits;
    if (this.#pending - this.#queue.size + count > queueLimit) return false;
    while (this.#pending + count > queueLimit) {
      const oldest = this.#queue.shift();
      if (oldest === undefined) return false;
      this.#pending--;
      this.#endSoon(oldest, this.#droppedError());
      for (const follower of this.#forget(oldest, undefined)) this.#enqueue(follower);
    }
    return true;
  }

  #fullError(): FuncXError {
    const { queueLimit } = this.#limits;
    return new FuncXError(
      'QUEUE_FULL',
      `${queueLimit} tasks are waiting or running, which is the client's limit. Send slower, or raise its queue limit.`,
    );
  }

  #droppedError(): FuncXError {
    const { queueLimit } = this.#limits;
    return new FuncXError(
      'DROPPED',
      `The message was dropped: ${queueLimit} tasks are waiting or running, which is the client's limit.`,
    );
  }
}

function checked({
  inFlight = Number.POSITIVE_INFINITY,
  queueLimit = DEFAULT_QUEUE_LIMIT,
  whenFull = 'error',
}: FlowLimits) {
  if (!(queueLimit >= 1)) throw new InputError(`queueLimit is ${queueLimit}; expected at least 1.`);
  if (!(inFlight >= 1)) throw new InputError(`inFlight is ${inFlight}; expected at least 1.`);
  return { inFlight, queueLimit, whenFull };
}

/** An error of a task that the client itself ends; it may have no id yet. */
class TaskErrorOf extends TaskError {
  constructor(call: EntryCall, code: string, message: string) {
    super(code, message, call.taskId ?? ('' as TaskId), call.functionId);
  }
}

/** Of arguments that could not be serialized, nothing is in the ledger. */
function notKept(): SerializationError {
  return new SerializationError('NOT_SERIALIZABLE', 'The arguments could not be serialized when the message came.');
}

/** Its result has come, and is with the service until it is settled. Those who wait for tasks of others hold them anyway. */
function isKept({ over, stage, entry }: EntryCall): boolean {
  return over && stage !== CallStage.settled && !entry.watching && entry.options.until !== 'accepted';
}

function nameOf({ taskId, functionId }: EntryCall): string {
  return taskId === undefined ? `A task of function ${functionId}` : `Task ${taskId}`;
}

function refusal(call: EntryCall, error: FuncXError): TaskOutcome {
  const { entry, taskId, functionId, endpointId, groupId } = call;
  if (entry.watching) return { status: 'failed', taskId, error };
  return { status: 'failed', taskId, functionId, endpointId, taskGroupId: groupId, error };
}
