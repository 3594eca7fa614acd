/**
 * The number of the last group, kept in the file in the same transaction as the group. Should the thread end between
 * a commit and its word of it, the store finds here that the group must not be run again. Costs one page of the log.
 */
import type { Database } from './database.js';

export const MARK_GROUP = 'INSERT OR REPLACE INTO store_commit (id, store, number) VALUES (1, ?, ?)';

export function createMark(database: Database): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS store_commit (
      id INTEGER PRIMARY KEY CHECK (id = 1), store TEXT NOT NULL, number INTEGER NOT NULL
    ) STRICT`);
}

/** The last group that the store named by `token` has in the file; 0 for none. */
export function lastGroup(database: Database, token: string): number {
  const statement = database.prepare('SELECT number FROM store_commit WHERE store = ?');
  try {
    return Number(statement.all([token])[0]?.number ?? 0);
  } finally {
    statement.finalize();
  }
}
