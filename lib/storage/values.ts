/** What a column can hold, and the check that keeps everything else out before it reaches the thread. */
import { InputError } from '../compute/errors.js';

/** Integers beyond 2^53 come back as `bigint`, all others as `number`. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** One row of a result, by column name. */
export type Row = Record<string, SqlValue>;

/**
 * Throws InputError for a value that the two drivers would not both keep as it is: NaN becomes NULL in SQLite, text
 * ends at its first NUL in node-sqlite3-wasm and in node:sqlite of Node 22, and an integer over 64 bits wraps around
 * in node-sqlite3-wasm.
 */
export function assertStorable(sql: string, params: readonly SqlValue[]): void {
  for (let i = 0; i < params.length; i++) {
    const fault = faultOf(params[i]);
    if (fault !== undefined) throw new InputError(`Parameter ${i + 1} of "${sql}" ${fault}.`);
  }
}

function faultOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.includes('\0') ? 'is text with a NUL character; store it as JSON or as bytes' : undefined;
    case 'number':
      return Number.isNaN(value) ? 'is NaN, which SQLite cannot hold' : undefined;
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? undefined : `is ${value}, an integer of more than 64 bits`;
    case 'object':
      if (value === null || value instanceof Uint8Array) return undefined;
      return 'is an object; expected null, a number, a bigint, a string or a Uint8Array';
    default:
      return `is of type ${typeof value}; expected null, a number, a bigint, a string or a Uint8Array`;
  }
}
