/**
 * Tasks that a user endpoint has taken and will not answer although it lives. It forgets a result as soon as that is with
 * the connection, and tries again only what the connection refuses: where one breaks before the broker has confirmed, the
 * result is nowhere. Source: globus-compute-endpoint 4.15, `result_publisher.py`.
 *
 * Nobody says that a result is gone. It is taken to be where the endpoint's own count of its tasks is 0 for a while, or
 * where a task was out when a connection broke and takes far longer than its function ever has.
 */
import type { FunctionId, TaskId } from '../compute/ids.js';
import { idOf, type TaskRef } from './batch.js';
import type { UserEndpointReport } from './user-endpoint-report.js';
import type { TaskEnding } from './workers/ending.js';

/** An endpoint that has lost its connections has new ones, and has sent what it held, within this. Unit: milliseconds. */
const RECOVERY_MS = 30_000;

/** Reports of one state before it is believed. */
const REPORTS = 2;

/** A task is waited for so many times as long as the longest of its function ran, and for so long if none has ended. */
const TIMES_LONGEST = 4;
const UNKNOWN_MS = 3600_000;

/** Functions whose longest run is known, and how often one task is sent again. */
const MOST_FUNCTIONS = 1000;
const MOST_REPEATS = 3;

export interface UnansweredLimits {
  /** @default 30 seconds. Unit: milliseconds. */
  readonly recoveryMs?: number | undefined;
  /** The time. Unit: milliseconds. @default performance.now */
  readonly now?: (() => number) | undefined;
}

export class Unanswered {
  readonly #limits: UnansweredLimits;
  /** Out when a connection broke. */
  readonly #doubtful = new Map<TaskId, TaskRef>();
  readonly #repeats = new Map<TaskId, number>();
  /** Unit: milliseconds. */
  readonly #longest = new Map<FunctionId, number>();
  /** Some engines always report 0 tasks; one that has reported others counts them. */
  #counts = false;
  #heartbeatMs = 0;
  /** Since when nothing moved and the endpoint has reported that it has no task. Unit: milliseconds of the clock. */
  #idleSince = Number.POSITIVE_INFINITY;
  /** When a doubtful task was last seen to be alive. Unit: the same. */
  #aliveAt = 0;

  /** @param limits as they are at any time */
  constructor(limits: UnansweredLimits = {}) {
    this.#limits = limits;
  }

  /** A task went out. */
  sent(): void {
    this.#idleSince = Number.POSITIVE_INFINITY;
  }

  /** @param ending undefined where it was ended here */
  ended(task: TaskRef, ending: TaskEnding | undefined): void {
    const id = idOf(task);
    this.#idleSince = Number.POSITIVE_INFINITY;
    this.#repeats.delete(id);
    if (this.#doubtful.delete(id)) this.#aliveAt = this.#now();
    const { 'execution-start': start, 'execution-end': end } = ending?.transitions ?? {};
    if (start !== undefined && end !== undefined) this.#ran(task.batch.functionId, (end - start) * 1000);
  }

  /** A connection broke while these were with the endpoint. */
  doubt(tasks: Iterable<TaskRef>): void {
    for (const task of tasks) this.#doubtful.set(idOf(task), task);
    this.#idleSince = Number.POSITIVE_INFINITY;
    this.#aliveAt = this.#now();
  }

  /** Another process took the endpoint's place: what the last one had is found otherwise. */
  begin(): void {
    this.#doubtful.clear();
    this.#idleSince = Number.POSITIVE_INFINITY;
  }

  /** @param out tasks that the endpoint should have */
  reported({ outstanding, heartbeatSeconds }: UserEndpointReport, out: number): void {
    if (heartbeatSeconds !== undefined) this.#heartbeatMs = heartbeatSeconds * 1000;
    const now = this.#now();
    if (outstanding > 0) this.#counts = true;
    // More than went out since: there are doubtful ones among them.
    if (outstanding > 0 && outstanding > out - this.#doubtful.size) this.#aliveAt = now;
    this.#idleSince = this.#counts && outstanding === 0 ? Math.min(this.#idleSince, now) : Number.POSITIVE_INFINITY;
  }

  /**
   * Those that are to be sent again.
   *
   * @param out tasks that the endpoint should have, none of which waits in its queue
   */
  missing(out: Iterable<TaskRef>): TaskRef[] {
    const now = this.#now();
    const isIdle = now - this.#idleSince >= Math.max(this.#recoveryMs, REPORTS * this.#heartbeatMs);
    const silentMs = now - this.#aliveAt;
    const suspects = isIdle
      ? [...out]
      : [...this.#doubtful.values()].filter((task) => silentMs >= this.#patience(task));
    const missing = suspects.filter((task) => (this.#repeats.get(idOf(task)) ?? 0) < MOST_REPEATS);
    for (const task of suspects) this.#doubtful.delete(idOf(task));
    for (const task of missing) this.#repeats.set(idOf(task), (this.#repeats.get(idOf(task)) ?? 0) + 1);
    return missing;
  }

  #patience({ batch }: TaskRef): number {
    const longest = this.#longest.get(batch.functionId);
    return Math.max(this.#recoveryMs, longest === undefined ? UNKNOWN_MS : TIMES_LONGEST * longest);
  }

  get #recoveryMs(): number {
    return this.#limits.recoveryMs ?? RECOVERY_MS;
  }

  #now(): number {
    return this.#limits.now?.() ?? performance.now();
  }

  #ran(id: FunctionId, ms: number): void {
    const known = this.#longest.get(id);
    if (known !== undefined && known >= ms) return;
    this.#longest.set(id, ms);
    if (this.#longest.size <= MOST_FUNCTIONS) return;
    const [oldest] = this.#longest.keys();
    if (oldest !== undefined) this.#longest.delete(oldest);
  }
}
