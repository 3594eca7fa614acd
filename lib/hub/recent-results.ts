/** Results that stay in memory, acknowledged or not, until newer ones push them out. */
import type { TaskStatus } from '../compute/service.js';
import type { Task } from './batch.js';

const MOST = 4096;
const MOST_CHARS = 16 * 1024 * 1024;

/**
 * So much of both is left when results are pushed out: many at once, as the pages of many are put away with less work than
 * each by itself.
 */
const LEFT = 0.75;

export class RecentResults {
  readonly #forget: (task: Task) => void;
  /** A ring, filled from `#from` up to `#to`. */
  readonly #ring: (Task | undefined)[] = [];
  #from = 0;
  #to = 0;
  #chars = 0;

  /** @param forget told of each result that is pushed out */
  constructor(forget: (task: Task) => void) {
    this.#forget = forget;
  }

  add(task: Task): void {
    this.#ring[this.#to++ % MOST] = task;
    this.#chars += charsOf(task.status);
    if (this.#to - this.#from < MOST && this.#chars <= MOST_CHARS) return;
    while (this.#to - this.#from > MOST * LEFT || this.#chars > MOST_CHARS * LEFT) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const place = this.#from++ % MOST;
    const oldest = this.#ring[place];
    if (oldest === undefined) return;
    this.#ring[place] = undefined;
    this.#chars -= charsOf(oldest.status);
    this.#forget(oldest);
  }
}

/** What a result takes, about, in characters. */
export function charsOf(status: TaskStatus | undefined): number {
  let chars = 200 + (status?.result?.length ?? 0) + (status?.exception?.length ?? 0);
  for (const buffer of status?.result_buffers?.buffers ?? []) chars += buffer.byteLength;
  return chars;
}
