/** Asking the service again, for as long as it takes, where it was not reached or was too busy. */
import { isTransient } from '../compute/errors.js';
import { pRetry } from '../vendor.js';

/** Pauses between attempts: doubled from the first up to the last. Unit: milliseconds. */
const FIRST_MS = 250;
const LAST_MS = 30_000;

/** Rejects with the first failure that will not pass by itself, and when the signal aborts. */
export async function persistently<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let failed: unknown;
  try {
    return await attempt();
  } catch (error) {
    if (!isTransient(error)) throw error;
    failed = error;
  }
  const next = async () => {
    if (failed === undefined) return attempt();
    const first = failed;
    failed = undefined;
    throw first;
  };
  return pRetry(next, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: FIRST_MS,
    maxTimeout: LAST_MS,
    randomize: true,
    shouldRetry: ({ error }) => isTransient(error),
    signal,
  });
}
