/** How much a client takes in, and what happens to what is more than that. */
import { FuncXError, InputError } from '../compute/errors.js';

/** What happens to a call for which there is no room. */
export type WhenFull = 'error' | 'block' | 'drop-oldest' | 'drop-newest';

export interface FlowLimits {
  /** Most calls with the service at once; the others wait here. @default no limit of its own */
  readonly inFlight?: number | undefined;
  /** Most calls that wait or run. @default 100000 */
  readonly queueLimit?: number | undefined;
  /** @default 'error' */
  readonly whenFull?: WhenFull | undefined;
}

/** {@link FlowLimits} with nothing left out. */
export interface CheckedLimits {
  readonly inFlight: number;
  readonly queueLimit: number;
  readonly whenFull: WhenFull;
}

export interface FlowCounts {
  /** Calls that have not ended. */
  readonly pending: number;
  /** Of these, calls that wait here for others to end. */
  readonly queued: number;
  /** Calls that are not accepted yet because there is no room. */
  readonly blocked: number;
  readonly done: number;
  readonly failed: number;
  readonly dropped: number;
}

const DEFAULT_QUEUE_LIMIT = 100_000;

/** @throws InputError when one is below 1 */
export function checkLimits({
  inFlight = Number.POSITIVE_INFINITY,
  queueLimit = DEFAULT_QUEUE_LIMIT,
  whenFull = 'error',
}: FlowLimits): CheckedLimits {
  if (!(queueLimit >= 1)) throw new InputError(`queueLimit is ${queueLimit}; expected at least 1.`);
  if (!(inFlight >= 1)) throw new InputError(`inFlight is ${inFlight}; expected at least 1.`);
  return { inFlight, queueLimit, whenFull };
}

export function queueFull({ queueLimit }: CheckedLimits): FuncXError {
  return new FuncXError(
    'QUEUE_FULL',
    `${queueLimit} tasks are waiting or running, which is the client's limit. Send slower, or raise its queue limit.`,
  );
}

export function dropped({ queueLimit }: CheckedLimits): FuncXError {
  return new FuncXError(
    'DROPPED',
    `The message was dropped: ${queueLimit} tasks are waiting or running, which is the client's limit.`,
  );
}
