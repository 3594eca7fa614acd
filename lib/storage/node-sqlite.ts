/** The driver over node:sqlite, which is built into Node from 22.5 (without a flag from 22.13). */
import { type Database, SqliteError, type SqliteErrorKind, type Statement } from './database.js';
import type { Row, SqlValue } from './values.js';

/** The part of node:sqlite in use. Declared here because the types of Node 20 do not know it. */
interface NodeSqlite {
  DatabaseSync: new (
    file: string,
  ) => {
    exec(script: string): void;
    prepare(sql: string): NodeStatement;
    close(): void;
  };
}

interface NodeStatement {
  run(...params: readonly SqlValue[]): unknown;
  all(...params: readonly SqlValue[]): Row[];
  setReadBigInts(enabled: boolean): void;
}

export function hasNodeSqlite(): boolean {
  return load() !== undefined;
}

export function open(file: string): Database {
  const sqlite = load();
  if (!sqlite) throw new Error(`Node ${process.version} has no node:sqlite`);
  const database = guarded(() => new sqlite.DatabaseSync(file));
  return {
    exec: (script) => guarded(() => database.exec(script)),
    prepare: (sql) => guarded(() => statement(database.prepare(sql))),
    close: () => guarded(() => database.close()),
  };
}

function statement(prepared: NodeStatement): Statement {
  prepared.setReadBigInts(true);
  return {
    run: (params) => void guarded(() => prepared.run(...params.map(bound))),
    all: (params) => guarded(() => prepared.all(...params.map(bound)).map(narrowed)),
    // node:sqlite frees a statement with its database or when it is garbage.
    finalize: () => undefined,
  };
}

/**
 * node:sqlite binds every number as REAL, so that 7 in a TEXT column would read '7.0'; and that of Node 22 binds no
 * bytes as NULL where their buffer has no memory.
 */
function bound(value: SqlValue): SqlValue {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  return value instanceof Uint8Array && value.byteLength === 0 ? NO_BYTES : value;
}

const NO_BYTES = new Uint8Array(1).subarray(1);

function narrowed(row: Row): Row {
  for (const column in row) {
    const value = row[column];
    if (typeof value !== 'bigint') continue;
    const number = Number(value);
    if (Number.isSafeInteger(number)) row[column] = number;
  }
  return row;
}

/** Loads it, or gives undefined where this Node has none. Its ExperimentalWarning, and no other, is kept quiet. */
function load(): NodeSqlite | undefined {
  const emitWarning = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (rest[0] === 'ExperimentalWarning' && String(warning).includes('SQLite')) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof process.emitWarning;
  try {
    return require('node:sqlite') as NodeSqlite;
  } catch (error) {
    if (errorCode(error) === 'ERR_UNKNOWN_BUILTIN_MODULE') return undefined;
    throw error;
  } finally {
    process.emitWarning = emitWarning;
  }
}

function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    const number = (error as { errcode?: unknown }).errcode;
    // Without a number it is Node that refused a value or a call.
    const kind = typeof number === 'number' ? kindOf(number & 0xff) : 'statement';
    throw new SqliteError(error instanceof Error ? error.message : String(error), kind, { cause: error });
  }
}

/** Primary result codes. Source: https://www.sqlite.org/rescode.html */
function kindOf(primaryCode: number): SqliteErrorKind {
  switch (primaryCode) {
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return 'busy';
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return 'damaged';
    case 3: // SQLITE_PERM
    case 7: // SQLITE_NOMEM
    case 8: // SQLITE_READONLY
    case 10: // SQLITE_IOERR
    case 13: // SQLITE_FULL
    case 14: // SQLITE_CANTOPEN
    case 15: // SQLITE_PROTOCOL
      return 'storage';
    default:
      return 'statement';
  }
}

function errorCode(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}
