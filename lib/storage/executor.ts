/** Runs groups and reads against an open database, with the statements kept prepared. */
import type { Database, Statement } from './database.js';
import { SqliteError } from './database.js';
import { MARK_GROUP } from './group-mark.js';
import type { GroupMessage, ReadMessage, RefusedStatement } from './protocol.js';
import type { Row, SqlValue } from './values.js';

/** Statements kept prepared. Programs have some dozens of texts; a text built with values in it must not pile up. */
const PREPARED_MAX = 256;

/** Above this a statement is not kept, because SQLite holds on to the values of the last run, in bytes. */
const KEPT_VALUES_MAX = 65_536;

export class Executor {
  readonly #database: Database;
  readonly #token: string;
  readonly #prepared = new Map<string, Statement>();

  /** `token` names the store whose groups these are. */
  constructor(database: Database, token: string) {
    this.#database = database;
    this.#token = token;
  }

  /**
   * Runs the group as one transaction, durable on return. Statements that are at fault themselves are left out and
   * returned. Throws SqliteError, with nothing of the group written, when the storage is.
   */
  commit(group: GroupMessage): RefusedStatement[] {
    const refused: RefusedStatement[] = [];
    try {
      this.#run('BEGIN IMMEDIATE', []);
      let end = 0;
      for (let i = 0; i < group.steps.length; i += 2) {
        const sql = group.sql[group.steps[i] ?? 0] ?? '';
        const start = end;
        end += group.steps[i + 1] ?? 0;
        try {
          this.#run(sql, group.values.slice(start, end));
        } catch (error) {
          if (!isAtFault(error)) throw error;
          refused.push({ sql, reason: error.message });
        }
      }
      this.#run(MARK_GROUP, [this.#token, group.number]);
      this.#run('COMMIT', []);
    } catch (error) {
      rollBack(this.#database);
      // A deferred constraint fails here, and would each time.
      if (isAtFault(error))
        return [...refused, { sql: 'COMMIT', reason: `${error.message}; no row of the group is kept` }];
      throw error;
    }
    return refused;
  }

  read({ sql, params, limit }: ReadMessage): Row[] {
    const rows = this.#use(sql, params, (statement) => statement.all(params));
    return limit === 0 ? rows : rows.slice(0, limit);
  }

  /** Writes the log back into the database file and closes it. */
  close(): void {
    for (const statement of this.#prepared.values()) statement.finalize();
    this.#prepared.clear();
    this.#database.close();
  }

  #run(sql: string, params: readonly SqlValue[]): void {
    this.#use(sql, params, (statement) => statement.run(params));
  }

  #use<T>(sql: string, params: readonly SqlValue[], use: (statement: Statement) => T): T {
    const statement = this.#prepared.get(sql) ?? this.#database.prepare(sql);
    this.#prepared.delete(sql);
    let keep = false;
    try {
      const result = use(statement);
      keep = weight(params) <= KEPT_VALUES_MAX;
      return result;
    } finally {
      // Put back as the youngest. One that threw is unusable in node-sqlite3-wasm.
      if (keep) this.#prepared.set(sql, statement);
      else statement.finalize();
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    if (this.#prepared.size <= PREPARED_MAX) return;
    const [oldest] = this.#prepared;
    if (!oldest) return;
    this.#prepared.delete(oldest[0]);
    oldest[1].finalize();
  }
}

/** Ends a transaction that failed. SQLite may have ended it itself (full disk, I/O error). */
function rollBack(database: Database): void {
  try {
    database.exec('ROLLBACK');
  } catch {
    // "cannot rollback - no transaction is active"
  }
}

function isAtFault(error: unknown): error is SqliteError {
  return error instanceof SqliteError && error.kind === 'statement';
}

function weight(params: readonly SqlValue[]): number {
  let bytes = 0;
  for (const value of params) {
    if (typeof value === 'string') bytes += value.length;
    else if (value instanceof Uint8Array) bytes += value.byteLength;
  }
  return bytes;
}
