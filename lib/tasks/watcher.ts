/** Waits for the results of tasks: pushed by the service as they complete, or asked for once where that is too late. */
import { FuncXError } from '../compute/errors.js';
import type { TaskGroupId, TaskId } from '../compute/ids.js';
import { MAX_STATUS_IDS } from '../compute/limits.js';
import type { ComputeService, ResultStream, TaskStatus } from '../compute/service.js';
import { Inquiries, unknownTask } from './inquiries.js';
import { hasEnded } from './outcome.js';
import { persistently } from './persistently.js';
import type { Waiter } from './waiter.js';

/** Results that came before their task's id was known to the client; a service may be that fast. */
const MAX_EARLY = 10_000;

/** Results for nobody that are offered again; what is beyond waits with the service for the next start. */
const MAX_UNCLAIMED = 10_000;

/**
 * How long a pushed result is waited for before the service is asked whether it knows the task at all; and how long it is
 * until it is asked for the next ones. Unit: milliseconds.
 */
const FIRST_LOOK_MS = 30_000;
const NEXT_LOOK_MS = 1000;

/** Results acknowledged last, at least so many, are known should the service deliver them once more. */
const RECENTLY_ACKNOWLEDGED = 10_000;

/** Told of a result that nobody waits for. It is delivered again to the next client unless `take` is called. */
export type OnUnclaimed = (status: TaskStatus, take: () => void) => void;

export class Watcher {
  readonly #service: ComputeService;
  readonly #onUnclaimed: OnUnclaimed;
  readonly #waiting = new Map<TaskId, Waiter | Waiter[]>();
  readonly #streams = new Map<TaskGroupId, ResultStream>();
  /** Results that were offered and not taken; whoever comes later is offered them again. */
  readonly #unclaimed = new Set<TaskId>();
  readonly #early = new Map<TaskId, TaskStatus>();
  /** Whether a submission is on its way, so that a result nobody waits for may belong to it. */
  readonly #expecting: () => boolean;
  /** Ids of results that have come to whom they are for, and were neither stored nor sent on yet. */
  readonly #claimed = new Set<TaskId>();
  readonly #closed = new AbortController();
  #acknowledged = new Set<TaskId>();
  #acknowledgedBefore = new Set<TaskId>();
  #toAck: TaskId[] = [];
  /** How many of those who waited for a task, beside the one who submitted it, have not sent its result on. */
  readonly #held = new Map<TaskId, number>();
  /** The result that several are being told of, and whether one of them has sent it on meanwhile. */
  #telling: { readonly id: TaskId; acknowledged: boolean } | undefined;
  /** Tasks that the service did not know when it was asked last. */
  readonly #missing = new Set<TaskId>();
  /** Where the round of {@link #look} is: the ids that are waited for, oldest first. */
  #round: Iterator<TaskId> | undefined;
  #looking: NodeJS.Timeout | undefined;
  readonly #inquiries: Inquiries;

  constructor(service: ComputeService, expecting: () => boolean, onUnclaimed: OnUnclaimed) {
    this.#service = service;
    this.#expecting = expecting;
    this.#onUnclaimed = onUnclaimed;
    this.#inquiries = new Inquiries(service, this.#closed.signal, {
      isWaiting: (id, waiter) => this.#waiters(id).includes(waiter),
      ended: (status) => void this.#resolve(status),
      failed: (id, waiter, error) => {
        this.#remove(id, waiter);
        waiter.failed(error);
      },
    });
  }

  /** Tasks that are waited for. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Listens to the results of a task group, from now on until {@link close}. */
  follow(group: TaskGroupId): void {
    if (this.#closed.signal.aborted || this.#streams.has(group)) return;
    this.#streams.set(
      group,
      this.#service.results(group, (results) => this.#deliver(results)),
    );
  }

  /** Waits for a task of a group that is followed. */
  expect(id: TaskId, waiter: Waiter): void {
    if (this.#closed.signal.aborted) return;
    const early = this.#early.size > 0 ? this.#early.get(id) : undefined;
    if (early === undefined) {
      this.#add(id, waiter);
      this.#lookAfter(FIRST_LOOK_MS);
      return;
    }
    this.#early.delete(id);
    waiter.ended(early);
  }

  /** Waits for any task, which may have ended long ago. The function given back stops waiting. */
  wait(id: TaskId, waiter: Waiter): () => void {
    if (this.#closed.signal.aborted) {
      setImmediate(() => waiter.failed(new FuncXError('CLOSED', 'The client was closed.')));
      return () => {};
    }
    this.#add(id, waiter);
    this.#inquiries.add(id, waiter);
    return () => this.#remove(id, waiter);
  }

  /** Results for nobody that were held back for submissions on their way are nobody's once those have arrived. */
  settleEarly(): void {
    if (this.#early.size === 0 || this.#expecting()) return;
    const early = [...this.#early.values()];
    this.#early.clear();
    for (const status of early) this.#offer(status);
  }

  /** A result that has come is somebody's who has not sent it on yet: should it come once more, it is nobody else's. */
  claim(id: TaskId): void {
    this.#claimed.add(id);
  }

  /** Somebody who did not submit a task needs its result, until {@link release}: it is not acknowledged before. */
  hold(id: TaskId): void {
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
  }

  /** One who held a result has sent it on, or needs it no more. The last of all who need it acknowledges it. */
  release(id: TaskId): void {
    const others = (this.#held.get(id) ?? 1) - 1;
    if (others > 0) this.#held.set(id, others);
    else {
      this.#held.delete(id);
      if (!this.#isNeeded(id)) this.ack(id);
    }
  }

  #isNeeded(id: TaskId): boolean {
    return this.#claimed.has(id) || this.#held.has(id) || this.#waiting.has(id);
  }

  /** Offers again what nobody has taken. */
  offerAgain(): void {
    for (const id of [...this.#unclaimed]) {
      if (this.#waiting.has(id)) continue;
      this.wait(id, { ended: (status) => this.#offer(status), failed: () => {} });
    }
  }

  /** Says that a result was stored or sent on. The service hears of it when nobody else needs it. */
  ack(id: TaskId): void {
    if (this.#claimed.size > 0) this.#claimed.delete(id);
    if (this.#held.size > 0 && this.#held.has(id)) return;
    if (this.#telling?.id === id) {
      this.#telling.acknowledged = true;
      return;
    }
    if (this.#acknowledged.add(id).size > RECENTLY_ACKNOWLEDGED) {
      this.#acknowledgedBefore = this.#acknowledged;
      this.#acknowledged = new Set();
    }
    this.#acknowledge(id);
  }

  close(): void {
    clearTimeout(this.#looking);
    this.#closed.abort();
    this.#ackAll();
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
    this.#waiting.clear();
    this.#early.clear();
  }

  #add(id: TaskId, waiter: Waiter): void {
    if (this.#unclaimed.size > 0) this.#unclaimed.delete(id);
    const others = this.#waiting.get(id);
    if (others === undefined) this.#waiting.set(id, waiter);
    else if (Array.isArray(others)) others.push(waiter);
    else this.#waiting.set(id, [others, waiter]);
  }

  #remove(id: TaskId, waiter: Waiter): void {
    const waiters = this.#waiters(id).filter((other) => other !== waiter);
    if (waiters.length === 0) this.#waiting.delete(id);
    else this.#waiting.set(id, [...waiters]);
  }

  #waiters(id: TaskId): readonly Waiter[] {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return [];
    return Array.isArray(waiting) ? waiting : [waiting];
  }

  #acknowledge(id: TaskId): void {
    if (this.#toAck.push(id) === 1) queueMicrotask(() => this.#ackAll());
  }

  #ackAll(): void {
    const ids = this.#toAck;
    this.#toAck = [];
    for (const stream of this.#streams.values()) stream.ack(ids);
  }

  #deliver(results: readonly TaskStatus[]): void {
    for (const status of results) {
      if (this.#resolve(status) || this.#isRepeated(status.task_id)) continue;
      if (this.#expecting() && this.#early.size < MAX_EARLY) this.#early.set(status.task_id, status);
      else this.#offer(status);
    }
  }

  /** Services deliver at least once. */
  #isRepeated(id: TaskId): boolean {
    if (this.#claimed.has(id) || this.#held.has(id)) return true;
    if (!this.#acknowledged.has(id) && !this.#acknowledgedBefore.has(id)) return false;
    this.#acknowledge(id);
    return true;
  }

  #offer(status: TaskStatus): void {
    const id = status.task_id;
    if (this.#unclaimed.size < MAX_UNCLAIMED) this.#unclaimed.add(id);
    this.#onUnclaimed(status, () => {
      this.#unclaimed.delete(id);
      this.ack(id);
    });
  }

  #resolve(status: TaskStatus): boolean {
    const waiting = this.#waiting.get(status.task_id);
    if (waiting === undefined) return false;
    this.#waiting.delete(status.task_id);
    if (!Array.isArray(waiting)) waiting.ended(status);
    else {
      // Who sends it on at once must not take it from those who are told after him.
      this.#telling = { id: status.task_id, acknowledged: false };
      for (const waiter of waiting) waiter.ended(status);
      const { acknowledged } = this.#telling;
      this.#telling = undefined;
      if (acknowledged && !this.#isNeeded(status.task_id)) this.ack(status.task_id);
    }
    return true;
  }

  // Looking after tasks whose results are to be pushed

  #lookAfter(ms: number): void {
    if (this.#looking !== undefined || this.#closed.signal.aborted) return;
    this.#looking = setTimeout(() => void this.#look(), ms);
  }

  /** Asks for some of the tasks that are waited for: a service may forget one that it has accepted, or not push its result. */
  async #look(): Promise<void> {
    const ids: TaskId[] = [];
    this.#round ??= this.#waiting.keys();
    while (ids.length < MAX_STATUS_IDS && this.#round !== undefined) {
      const { value, done } = this.#round.next();
      if (done) this.#round = undefined;
      else ids.push(value);
    }
    if (ids.length > 0) {
      try {
        const statuses = await persistently(() => this.#service.batchStatus(ids), this.#closed.signal);
        for (const id of ids) this.#looked(id, statuses[id]);
      } catch {
        // What it refuses to tell now it may tell in the next round.
      }
    }
    this.#looking = undefined;
    if (this.#waiting.size > 0) this.#lookAfter(this.#round === undefined ? FIRST_LOOK_MS : NEXT_LOOK_MS);
    else this.#missing.clear();
  }

  #looked(id: TaskId, status: TaskStatus | undefined): void {
    if (!this.#waiting.has(id)) this.#missing.delete(id);
    else if (status !== undefined && status.reason === undefined) {
      this.#missing.delete(id);
      if (hasEnded(status)) this.#resolve(status);
    } else if (this.#missing.delete(id)) this.#resolve(status ?? unknownTask(id));
    // Once may be too early for a service that is distributed, or too late for a result that is on its way.
    else this.#missing.add(id);
  }
}
