/**
 * From an accepted entry to the delivery of its results: how many calls may be with the service, what happens at the
 * limits, retries, deadlines, memoization, and who gets the results when nodes come and go.
 */
import { FuncXError } from '../compute/errors.js';
import type { TaskGroupId, TaskId } from '../compute/ids.js';
import type { TaskStatus } from '../compute/service.js';
import type { TaskOutcome } from './call.js';
import { CallQueue } from './call-queue.js';
import { Deadlines } from './deadlines.js';
import { Deliveries, type DeliveryParts } from './deliveries.js';
import { CallStage, type Desk, type Entry, type EntryCall } from './entry.js';
import {
  type CheckedLimits,
  checkLimits,
  dropped,
  type FlowCounts,
  type FlowLimits,
  queueFull,
} from './flow-limits.js';
import type { Held } from './inbox.js';
import { Memo } from './memo.js';
import { Moving } from './moving.js';
import type { ReadOutcome } from './owners.js';
import { cancelled, deadlineExceeded, notKept, refusal } from './refusal.js';
import { Retries } from './retries.js';
import type { Submitter } from './submitter.js';
import { openCallsOf, WaitingRoom } from './waiting-room.js';

/** Parts that a dispatcher works with. */
export interface DispatcherParts extends DeliveryParts {
  readonly submitter: Submitter;
  readonly read: ReadOutcome;
}

export class Dispatcher implements Desk {
  readonly #parts: DispatcherParts;
  #limits: CheckedLimits;
  readonly #queue = new CallQueue();
  readonly #memo = new Memo();
  readonly #deadlines = new Deadlines((entry) => this.#onDeadline(entry));
  readonly #retries = new Retries((call) => {
    this.#queue.push(call);
    this.#pump();
  });
  readonly #deliveries: Deliveries;
  readonly #blocked = new WaitingRoom();
  readonly #moving: Moving;
  #closed = false;
  #inFlight = 0;
  #pending = 0;
  #done = 0;
  #failed = 0;
  #dropped = 0;

  constructor(parts: DispatcherParts, limits: FlowLimits) {
    this.#parts = parts;
    this.#deliveries = new Deliveries(parts);
    this.#limits = checkLimits(limits);
    this.#moving = new Moving(parts.ledger);
  }

  /** Sets other limits. What is with the service or waits already stays. */
  configure(limits: FlowLimits): void {
    this.#limits = checkLimits(limits);
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
   * @param held where its parcel has waited
   */
  admit(entry: Entry, problems: ReadonlyMap<number, FuncXError>, held?: Held): void {
    if (entry.calls.length === 0) return;
    for (const [index, problem] of problems) (entry.calls[index] as EntryCall).problem = problem;
    this.#keep(entry, held);
    this.#moving.pass(entry, () => this.#decide(entry, problems));
  }

  /** Waits for tasks that were submitted by others. */
  watch(entry: Entry, ids: readonly TaskId[], held?: Held): void {
    entry.watching = true;
    for (const call of entry.calls) {
      call.taskId = ids[call.index];
      call.stage = CallStage.submitted;
    }
    this.#keep(entry, held);
    for (const { taskId } of entry.calls) if (taskId !== undefined) this.#parts.watcher.hold(taskId);
    this.#moving.pass(entry, () => {
      for (const call of entry.calls) {
        if (call.taskId !== undefined && !call.over) this.#parts.watcher.wait(call.taskId, call);
      }
      this.#pending += openCallsOf(entry);
    });
  }

  /** Delivers again what was not settled. */
  redeliver(call: EntryCall, outcome: TaskOutcome): void {
    if (call.stage !== CallStage.settled) this.#deliveries.deliver(call, outcome);
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
    this.#deliveries.settle(call);
    const { entry } = call;
    if (entry.open > 0) return;
    this.#parts.owners.remove(entry);
    this.#deadlines.remove(entry);
  }

  /** Ends a call now: it is taken back, or stopped where the service can. */
  cancel(call: EntryCall): boolean {
    if (call.over) return false;
    this.#end(call, cancelled(call));
    this.#stop(call);
    return true;
  }

  /** Submits no more, and keeps no timer. */
  close(): void {
    this.#closed = true;
    this.#moving.close();
    this.#deadlines.close();
    this.#retries.close();
    this.#deliveries.close();
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
    if (this.#retries.allowRefused(call, error)) {
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
    if (outcome.status === 'failed' && this.#retries.allow(call, outcome.error)) {
      this.#retry(call);
      const { ledger, service } = this.#parts;
      const saved = ledger?.commitsWith(service) ? undefined : ledger?.saving(call);
      this.#deliveries.acknowledgeAfter(saved, call, status.task_id, () => this.#parts.watcher.ack(status.task_id));
      return;
    }
    for (const follower of this.#forget(call, status)) this.#end(follower, this.#outcome(follower, status));
    this.#end(call, outcome);
  }

  // On the way out

  #keep(entry: Entry, held: Held | undefined): void {
    if (entry.handler === undefined) this.#parts.ledger?.add(entry);
    if (held !== undefined) {
      entry.recovered = held.recovered;
      entry.inInbox = held.isOnDisk;
      held.remove();
    }
    this.#parts.owners.add(entry);
    this.#deadlines.add(entry);
  }

  /** Whether an entry begins, waits for room, or ends. */
  #decide(entry: Entry, problems: ReadonlyMap<number, FuncXError>): void {
    const [problem] = problems.values();
    if (problem !== undefined && problems.size === entry.calls.length) {
      this.#refuse(entry, problem);
      return;
    }
    const { queueLimit, whenFull } = this.#limits;
    const { length } = entry.calls;
    if (this.#pending + length <= queueLimit && this.#blocked.isEmpty) this.#begin(entry);
    else if (whenFull === 'block' && length <= queueLimit && this.#blocked.hasRoomFor(entry)) this.#blocked.add(entry);
    else if (whenFull === 'drop-oldest' && this.#dropOldest(length)) this.#begin(entry);
    else this.#refuse(entry, whenFull === 'drop-newest' ? dropped(this.#limits) : queueFull(this.#limits));
  }

  /** Ends all calls of an entry for which there is no room. They are kept until that was sent on. */
  #refuse(entry: Entry, error: FuncXError): void {
    for (const call of entry.calls) if (!call.over) this.#endSoon(call, call.problem ?? error);
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
    this.#deliveries.deliver(call, outcome);
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

  #unblock(): void {
    for (let next = this.#blocked.first; next !== undefined; next = this.#blocked.first) {
      // One that is larger than a limit set since goes alone.
      if (this.#pending > 0 && this.#pending + openCallsOf(next) > this.#limits.queueLimit) return;
      this.#blocked.release();
      this.#begin(next);
    }
  }

  // Failures

  #retry(call: EntryCall): void {
    call.taskId = undefined;
    if (call.stage === CallStage.submitted) call.stage = CallStage.waiting;
    this.#parts.ledger?.changed(call, true);
    this.#retries.schedule(call);
  }

  #onDeadline(entry: Entry): void {
    const { late } = entry.options;
    for (const call of entry.calls) {
      if (call.over || call.stage === CallStage.settled || call.stage === CallStage.late) continue;
      const outcome = deadlineExceeded(call);
      if (late === 'send') {
        call.stage = CallStage.late;
        this.#parts.ledger?.changed(call, false);
        this.#count(outcome);
        this.#deliveries.deliver(call, outcome);
      } else {
        this.#end(call, outcome);
        this.#stop(call);
      }
    }
  }

  /** Keeps the service from working for nothing. */
  #stop(call: EntryCall): void {
    this.#retries.cancel(call);
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
      this.#endSoon(oldest, dropped(this.#limits));
      for (const follower of this.#forget(oldest, undefined)) this.#enqueue(follower);
    }
    return true;
  }
}
