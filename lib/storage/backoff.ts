/** Longer and longer pauses between attempts to get over a failure. */

/** In ms: doubled from the first up to the last. */
const FIRST_MS = 100;
const LAST_MS = 5_000;

export class Backoff {
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Runs `attempt` after the next pause, in place of one that was due. */
  schedule(attempt: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(attempt, Math.min(FIRST_MS * 2 ** this.#attempts, LAST_MS));
    this.#attempts += 1;
  }

  /** Nothing is due any more. */
  cancel(): void {
    clearTimeout(this.#timer);
  }

  /** The next pause is the first again. */
  reset(): void {
    this.cancel();
    this.#attempts = 0;
  }
}
