/** Telling a damaged database file from a sound one, and keeping it when it is. */
import { existsSync, renameSync } from 'node:fs';
import type { Database } from './database.js';
import { SqliteError } from './database.js';

/** A file that was set aside. Nothing of it is deleted; `sqlite3 <movedTo> .recover` may get rows out of it. */
export interface Damage {
  readonly file: string;
  readonly movedTo: string;
  /** What SQLite says is wrong with it. */
  readonly reason: string;
}

/** What is wrong with the file, or undefined. Reads the whole file: about 1 s for each 1.5 GB in the page cache. */
export function findDamage(database: Database): string | undefined {
  const check = database.prepare('PRAGMA quick_check(1)');
  try {
    const verdict = Object.values(check.all([])[0] ?? {})[0];
    return verdict === 'ok' ? undefined : String(verdict);
  } finally {
    check.finalize();
  }
}

/** Whether SQLite said, in opening or reading, that the file is damaged or no database. */
export function isDamage(error: unknown): error is SqliteError {
  return error instanceof SqliteError && error.kind === 'damaged';
}

/** Renames the file, with its journals, to `<file>.damaged-<time>`, and closes it. */
export function setAside(database: Database, file: string, reason: string): Damage {
  // A colon cannot be in a file name on Windows.
  const movedTo = `${file}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
  // SQLite deletes the log when it closes, so the log has to go before. Windows renames no open file.
  if (process.platform === 'win32') database.close();
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, movedTo + suffix);
  }
  if (process.platform !== 'win32') database.close();
  return { file, movedTo, reason };
}
