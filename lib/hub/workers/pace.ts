/**
 * How long the tasks of one function take, and so how many of them a worker may hold at once.
 *
 * A worker that holds several tasks need not wait for the next one, which matters when they take microseconds; a task that
 * waits behind another in the same worker cannot be run by an idle one, which matters when they take seconds. So a worker
 * holds about a fixed time's worth of work, and one task alone as long as nothing is known.
 */

/** Work a worker may hold. Unit: seconds. */
const HELD_SECONDS = 0.004;

/** Below this, one more task waits in the worker so that it never idles between two. Unit: seconds. */
const PREFETCH_SECONDS = 0.008;

/** Most tasks in a worker, however short. */
const MAX_HELD = 512;

/** What a task costs a worker beside the function itself. Unit: seconds. */
const OVERHEAD_SECONDS = 6e-6;

export class Pace {
  #seconds: number | undefined;

  /** Learns from one run. Unit: seconds. */
  add(seconds: number): void {
    const sample = Math.max(0, seconds) + OVERHEAD_SECONDS;
    const known = this.#seconds;
    // Slower is believed sooner than faster: holding too many costs more than holding too few.
    this.#seconds = known === undefined ? sample : known + (sample > known ? 0.3 : 0.1) * (sample - known);
  }

  /** How many tasks of this function a worker may hold. */
  get window(): number {
    const seconds = this.#seconds;
    if (seconds === undefined || seconds >= PREFETCH_SECONDS) return 1;
    return Math.min(MAX_HELD, Math.max(2, Math.floor(HELD_SECONDS / seconds)));
  }
}
