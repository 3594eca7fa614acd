/** What can go wrong with a store, as errors that carry the file they speak of. */
import { FuncXError } from '../compute/errors.js';

/**
 * The database could not be opened, read or written. `code` is `STORE_FAILED`. Rows handed over before are kept and
 * tried again, unless the message says otherwise.
 */
export class StoreFailed extends FuncXError {
  constructor(
    readonly file: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super('STORE_FAILED', `The store ${file} failed: ${reason}.`, options);
  }
}

/** Everything is refused after `close`. `code` is `CLOSED`. */
export class StoreClosed extends FuncXError {
  constructor(readonly file: string) {
    super('CLOSED', `The store ${file} is closed.`);
  }
}

/** Why something failed, in words to go into another message. */
export function reasonOf(error: unknown): string {
  if (error instanceof StoreFailed) return error.reason;
  return error instanceof Error ? error.message : String(error);
}

/** Somebody else holds the file. `code` is `STORE_LOCKED`; `pid` is the holder's, where it is known. */
export class StoreLocked extends FuncXError {
  constructor(
    readonly file: string,
    message: string,
    readonly pid?: number,
  ) {
    super('STORE_LOCKED', message);
  }
}
