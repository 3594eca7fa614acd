/** Results that ended between two commits, and share a row of the store. */
import type { TaskStatus } from '../compute/service.js';
import type { Task } from './batch.js';

export class ResultPage {
  readonly tasks: Task[] = [];
  /** Results that are not acknowledged. */
  open = 0;
  /** Results in the store's row that a stream is still to be told. */
  owed = 0;
  /** It stays in the store as it is; see `shelves.ts`. */
  isShelved = false;
  /** Since when its results are passed on. Unit: Unix milliseconds. */
  passingSince = 0;
  /** Row in the store, once it was written there. */
  row: number | undefined;

  /** What the row has, in its order. */
  get stored(): Task[] {
    return this.tasks.filter((task) => task.page === this);
  }

  /** Whether nothing of it was acknowledged since it was written. */
  get isWhole(): boolean {
    return this.open === this.stored.length;
  }

  /** When the last of its results ended. Unit: Unix milliseconds. */
  get endedAt(): number {
    return Math.max(...this.stored.map(({ status }) => endOf(status)));
  }
}

/** Unix milliseconds. */
export function endOf(status: TaskStatus | undefined): number {
  return Math.round(Number(status?.completion_t ?? 0) * 1000);
}
