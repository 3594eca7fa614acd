/**
 * The one interface over the SQLite drivers, and the choice between them: node:sqlite where this Node has it
 * (22.13 and later without a flag), node-sqlite3-wasm elsewhere. Both write the same file.
 */
import { InputError } from '../compute/errors.js';
import type { Row, SqlValue } from './values.js';

/** `node` is node:sqlite, `wasm` is node-sqlite3-wasm. */
export type DriverName = 'node' | 'wasm';

/** Forces a driver for the whole process, for tests and for support. The option of `Store.open` goes before it. */
export const DRIVER_VARIABLE = 'NODE_RED_FUNCX_SQLITE';

/** An open database file. Every method is synchronous and throws {@link SqliteError}. */
export interface Database {
  /** Runs a script of several statements without parameters. */
  exec(script: string): void;
  prepare(sql: string): Statement;
  /** All statements must have been finalized before. */
  close(): void;
}

export interface Statement {
  /** Runs to the end. `params` are bound by position. */
  run(params: readonly SqlValue[]): void;
  all(params: readonly SqlValue[]): Row[];
  /** Frees it; it cannot be used after. A statement that threw must not be used again either. */
  finalize(): void;
}

/** SQLite refused. The message is SQLite's own. */
export class SqliteError extends Error {
  constructor(
    message: string,
    readonly kind: SqliteErrorKind,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'SqliteError';
  }
}

/**
 * Who has to act: `statement` is a fault of the SQL or of its values and fails the same way every time, `storage` is
 * the disk's or the memory's and may pass, `damaged` is the file's, `busy` is another program that has it open.
 */
export type SqliteErrorKind = 'statement' | 'storage' | 'damaged' | 'busy';

/** Opens `file`, making it where it is missing. */
export function openDatabase(file: string, driver: DriverName): Database {
  // Only the chosen driver is loaded: the other may be absent (node:sqlite) or costs 1.3 MB of WebAssembly.
  const { open } =
    driver === 'node'
      ? (require('./node-sqlite.js') as typeof import('./node-sqlite.js'))
      : (require('./wasm-sqlite.js') as typeof import('./wasm-sqlite.js'));
  return open(file);
}

/** The driver to use here: the one asked for, else the one forced from outside, else the better one of this Node. */
export function chooseDriver(asked?: DriverName): DriverName {
  const named = asked ?? process.env[DRIVER_VARIABLE];
  if (named === 'node' || named === 'wasm') return named;
  if (named !== undefined && named !== '') {
    throw new InputError(`The SQLite driver (or ${DRIVER_VARIABLE}) is "${named}"; expected "node" or "wasm".`);
  }
  const { hasNodeSqlite } = require('./node-sqlite.js') as typeof import('./node-sqlite.js');
  return hasNodeSqlite() ? 'node' : 'wasm';
}
