/** Asks the service for tasks whose end may have been told long ago, or is told to somebody else. */
import { FuncXError, ServiceError } from '../compute/errors.js';
import type { TaskId } from '../compute/ids.js';
import { MAX_STATUS_IDS } from '../compute/limits.js';
import type { ComputeService, TaskStatus } from '../compute/service.js';
import { hasEnded } from './outcome.js';
import { persistently } from './persistently.js';
import type { Waiter } from './waiter.js';

/**
 * How often it is asked for tasks that had not ended when they were asked for: their results may not be pushed to this
 * client, being of another task group. At most one request each time. Unit: milliseconds.
 */
const ASK_AGAIN_MS = 1000;

/** Who keeps those that wait. */
export interface Waiters {
  isWaiting(id: TaskId, waiter: Waiter): boolean;
  /** A task has ended: whoever waits for it is told. */
  ended(status: TaskStatus): void;
  /** The service refuses to tell of a task. */
  failed(id: TaskId, waiter: Waiter, error: FuncXError): void;
}

/** Somebody who waits for a task that the service is to be asked for. */
interface Asked {
  readonly id: TaskId;
  readonly waiter: Waiter;
}

export class Inquiries {
  readonly #service: ComputeService;
  readonly #closed: AbortSignal;
  readonly #waiters: Waiters;
  #next: Asked[] = [];
  readonly #again = new Set<Asked>();
  #asking: NodeJS.Immediate | undefined;
  #askingAgain: NodeJS.Timeout | undefined;

  /** @param closed nothing is asked when it is aborted */
  constructor(service: ComputeService, closed: AbortSignal, waiters: Waiters) {
    this.#service = service;
    this.#closed = closed;
    this.#waiters = waiters;
    closed.addEventListener('abort', () => this.#stop(), { once: true });
  }

  /** Asks for a task soon, together with others, and again until it has ended or nobody waits for it. */
  add(id: TaskId, waiter: Waiter): void {
    this.#next.push({ id, waiter });
    this.#asking ??= setImmediate(() => void this.#ask());
  }

  #stop(): void {
    if (this.#asking !== undefined) clearImmediate(this.#asking);
    clearTimeout(this.#askingAgain);
  }

  async #ask(): Promise<void> {
    this.#asking = undefined;
    const asked = this.#next;
    this.#next = [];
    for (let from = 0; from < asked.length; from += MAX_STATUS_IDS) {
      await this.#askFor(asked.slice(from, from + MAX_STATUS_IDS).filter((each) => this.#isWaiting(each)));
    }
  }

  #isWaiting({ id, waiter }: Asked): boolean {
    return this.#waiters.isWaiting(id, waiter);
  }

  async #askFor(asked: readonly Asked[]): Promise<void> {
    if (asked.length === 0) return;
    const ids = asked.map(({ id }) => id);
    try {
      const statuses = await persistently(() => this.#service.batchStatus(ids), this.#closed);
      for (const each of asked) {
        const status = statuses[each.id] ?? unknownTask(each.id);
        if (hasEnded(status)) this.#waiters.ended(status);
        else {
          each.waiter.pending?.(status);
          this.#again.add(each);
        }
      }
      this.#askAgainSoon();
    } catch (error) {
      if (!this.#closed.aborted) await this.#refused(asked, error);
    }
  }

  /** One id that the service refuses must not take the others down with it. */
  async #refused(asked: readonly Asked[], error: unknown): Promise<void> {
    if (asked.length > 1 && error instanceof ServiceError) {
      const half = asked.length >> 1;
      await this.#askFor(asked.slice(0, half));
      await this.#askFor(asked.slice(half));
      return;
    }
    const reason =
      error instanceof FuncXError ? error : new FuncXError('INTERNAL_ERROR', String(error), { cause: error });
    for (const each of asked) if (this.#isWaiting(each)) this.#waiters.failed(each.id, each.waiter, reason);
  }

  #askAgainSoon(): void {
    if (this.#again.size === 0 || this.#closed.aborted) return;
    this.#askingAgain ??= setTimeout(() => {
      this.#askingAgain = undefined;
      const asked: Asked[] = [];
      for (const each of this.#again) {
        if (asked.length === MAX_STATUS_IDS) break;
        this.#again.delete(each);
        if (this.#isWaiting(each)) asked.push(each);
      }
      void this.#askFor(asked);
    }, ASK_AGAIN_MS);
  }
}

/** What a service says, or leaves out, of a task that it does not know. */
export function unknownTask(id: TaskId): TaskStatus {
  return { task_id: id, status: 'failed', reason: 'Unknown task id' };
}
