/**
 * Tasks that were next when a worker died between two tasks, so that nothing loops for ever: a task that cannot even be
 * read, for example, ends every worker that it is sent to.
 */
import type { TaskId } from '../../compute/ids.js';
import { idOf, type TaskRef } from '../batch.js';

/** Workers that may die with the same task next before that one is taken as the cause. */
const SUSPICIOUS_DEATHS = 3;

export class Suspects {
  readonly #deaths = new Map<TaskId, number>();

  has(task: TaskRef): boolean {
    return this.#deaths.size > 0 && this.#deaths.has(idOf(task));
  }

  /** Whether any of these is under suspicion. */
  hasOneOf(tasks: Iterable<TaskRef>): boolean {
    if (this.#deaths.size === 0) return false;
    for (const task of tasks) if (this.has(task)) return true;
    return false;
  }

  /** A worker has died when this task was next. True: it is the cause. */
  accuse(next: TaskRef): boolean {
    const id = idOf(next);
    const deaths = (this.#deaths.get(id) ?? 0) + 1;
    if (deaths < SUSPICIOUS_DEATHS) this.#deaths.set(id, deaths);
    else this.#deaths.delete(id);
    return deaths >= SUSPICIOUS_DEATHS;
  }

  /** It has ended. */
  clear(task: TaskRef): void {
    if (this.#deaths.size > 0) this.#deaths.delete(idOf(task));
  }
}
