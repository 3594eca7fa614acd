/** Opens the database file of a store: locking, durability, damage, schema, in the order SQLite needs. */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { type Damage, findDamage, isDamage, setAside } from './damage.js';
import { type Database, type DriverName, openDatabase, SqliteError } from './database.js';
import { reasonOf, StoreFailed, StoreLocked } from './errors.js';
import { createMark } from './group-mark.js';
import { migrate, refuseNewer } from './schema.js';

/**
 * - exclusive before WAL: without shared memory, which node-sqlite3-wasm lacks, WAL is only granted to an exclusive
 *   connection (SQLite docs, "Use of WAL Without Shared-Memory"), and it locks other programs out.
 * - FULL: a commit is on the disk when it returns.
 * - The log is cut to 16 MiB when it was written back; a large group would leave it large for ever.
 */
const DURABLE = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA journal_size_limit = 16777216;
`;

export interface Opened {
  database: Database;
  damage: Damage | undefined;
}

/** The one name of a file that several paths may lead to. Makes its directory where that is missing. */
export function realPath(file: string): string {
  const absolute = path.resolve(file);
  mkdirSync(path.dirname(absolute), { recursive: true });
  return existsSync(absolute)
    ? realpathSync(absolute)
    : path.join(realpathSync(path.dirname(absolute)), path.basename(absolute));
}

/**
 * Opens `file`, whose lock is held, and brings its schema up to date. A damaged file is set aside and a new one made.
 * Throws StoreFailed, or StoreLocked when a program that knows nothing of the lock has it open.
 */
export function openStore(file: string, migrations: readonly string[], driver: DriverName): Opened {
  try {
    const first = tryOpen(file, migrations, driver);
    if (!('reason' in first)) return { database: first, damage: undefined };
    const second = tryOpen(file, migrations, driver);
    if ('reason' in second) throw new StoreFailed(file, `a new file is damaged too: ${second.reason}`);
    return { database: second, damage: first };
  } catch (error) {
    throw explained(error, file);
  }
}

/** Gives the database, or what was damaged, which is set aside then. */
function tryOpen(file: string, migrations: readonly string[], driver: DriverName): Database | Damage {
  const database = openDatabase(file, driver);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    refuseNewer(database, migrations, file);
    const reason = findDamage(database);
    if (reason !== undefined) return setAside(database, file, reason);
    database.exec(DURABLE);
    // Takes the write lock, and finds out now rather than at the first commit that the file is read-only.
    database.exec('BEGIN IMMEDIATE; COMMIT');
    syncDirectory(path.dirname(file));
    createMark(database);
    migrate(database, migrations, file);
    return database;
  } catch (error) {
    if (isDamage(error)) return setAside(database, file, error.message);
    database.close();
    throw error;
  }
}

/** Makes the names of a new file and of its log survive a power cut. node-sqlite3-wasm does not see to that. */
function syncDirectory(directory: string): void {
  // Windows has no directory to open, and needs none: NTFS journals names.
  if (process.platform === 'win32') return;
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function explained(error: unknown, file: string): Error {
  if (error instanceof StoreFailed) return error;
  if (error instanceof SqliteError && error.kind === 'busy') {
    return new StoreLocked(
      file,
      `The store ${file} is open in another program, such as a database browser. Close it there, and try again.`,
    );
  }
  return new StoreFailed(file, `it cannot be opened: ${reasonOf(error)}`, { cause: error });
}
