/** Which calls that have failed are made once more, and when. */
import { type FuncXError, RemoteException } from '../compute/errors.js';
import type { EntryCall } from './entry.js';

/** A repeatable call that was interrupted so often is taken for the cause: it may end Node-RED each time it runs. */
const MOST_INTERRUPTIONS = 10;

/** A retry waits at most this long. Unit: milliseconds. */
const LONGEST_BACKOFF_MS = 5 * 60_000;

export class Retries {
  readonly #again: (call: EntryCall) => void;
  readonly #timers = new Map<EntryCall, NodeJS.Timeout>();

  /** @param again told of a call whose pause is over */
  constructor(again: (call: EntryCall) => void) {
    this.#again = again;
  }

  /** Whether a call that has failed is worth another try; an interruption of it counts as had. */
  allow(call: EntryCall, error: FuncXError): boolean {
    const { entry, tries, interruptions } = call;
    const { retry, repeatable } = entry.options;
    if (entry.watching) return false;
    if (error.code === 'TASK_INTERRUPTED' && repeatable === true && interruptions < MOST_INTERRUPTIONS) {
      call.interruptions++;
      return true;
    }
    if (retry === undefined || tries - interruptions > retry.retries) return false;
    return retry.errors.length === 0 || isListed(call, error);
  }

  /** Whether a call that the service has refused is worth another try: only where its error is named. */
  allowRefused(call: EntryCall, error: FuncXError): boolean {
    return isListed(call, error) && this.allow(call, error);
  }

  schedule(call: EntryCall): void {
    const base = call.entry.options.retry?.backoffMs ?? 0;
    const pause = Math.min(LONGEST_BACKOFF_MS, base * 2 ** (call.tries - 1)) * (0.5 + Math.random() / 2);
    const timer = setTimeout(() => {
      this.#timers.delete(call);
      if (!call.over) this.#again(call);
    }, pause);
    this.#timers.set(call, timer);
  }

  cancel(call: EntryCall): void {
    clearTimeout(this.#timers.get(call));
    this.#timers.delete(call);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** Whether an error is one of those named as worth another try. */
function isListed({ entry }: EntryCall, error: FuncXError): boolean {
  const errors = entry.options.retry?.errors ?? [];
  return errors.includes(error.code) || (error instanceof RemoteException && errors.includes(error.pythonType));
}
