/** The driver over node-sqlite3-wasm: SQLite as WebAssembly, for Node without node:sqlite. */
import sqlite from 'node-sqlite3-wasm';
import { type Database, SqliteError, type SqliteErrorKind, type Statement } from './database.js';
import type { Row } from './values.js';

export function open(file: string): Database {
  const database = guarded(() => new sqlite.Database(file));
  return {
    exec: (script) => guarded(() => database.exec(script)),
    prepare: (sql) => guarded(() => statement(database.prepare(sql))),
    close: () => guarded(() => database.close()),
  };
}

function statement(prepared: sqlite.Statement): Statement {
  return {
    run: (params) => void guarded(() => prepared.run([...params])),
    all: (params) => guarded(() => prepared.all([...params]) as Row[]),
    finalize: () => {
      try {
        prepared.finalize();
      } catch {
        // sqlite3_finalize repeats the error of the last run, which its caller has already had.
      }
    },
  };
}

function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    // An abort of the WebAssembly module leaves it unusable: let it end the thread, which is then started anew.
    if (error instanceof WebAssembly.RuntimeError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new SqliteError(message, kindOf(message), { cause: error });
  }
}

/** node-sqlite3-wasm gives no result code, only the text of sqlite3_errstr. Source: sqlite3.c, sqlite3ErrStr. */
function kindOf(message: string): SqliteErrorKind {
  if (/^database (table )?is locked/.test(message)) return 'busy';
  if (/^(database disk image is malformed|malformed database schema|file is not a database)/.test(message)) {
    return 'damaged';
  }
  if (STORAGE.some((text) => message.startsWith(text))) return 'storage';
  return 'statement';
}

const STORAGE = [
  'access permission denied',
  'out of memory',
  'attempt to write a readonly database',
  'disk I/O error',
  'database or disk is full',
  'unable to open database file',
  'locking protocol',
];
