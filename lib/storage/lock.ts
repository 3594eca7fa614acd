/**
 * One process a database file: `<file>.pid` says which. SQLite's own locks do not do, because node-sqlite3-wasm locks
 * with a directory that outlives a killed process and does not see the locks of node:sqlite.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreLocked } from './errors.js';
import { type Holder, isContained, isThisProcess, parseHolder, standingOf, thisProcess } from './holder.js';

/** In a container the holder touches its lock this often, because others cannot look up its pid there. */
const BEAT_MS = 3_000;

/** A lock in another container that was not touched for this long is stale. */
const SILENCE_MS = 15_000;

/** A lock file that cannot be read is being written; one older than this was left half written by a crash. */
const WRITING_MS = 10_000;

/**
 * Takes the lock of the database `file` for the store that `token` names; a lock of the same token is taken up again.
 * Throws StoreLocked while another holder runs. A stale lock is taken over, with the lock directory that
 * node-sqlite3-wasm left behind. Held until {@link releaseLock}, which is due after any other error as well. Returns the
 * function that ends the beat, to be called before the lock may be another's.
 */
export async function acquireLock(file: string, token: string): Promise<() => void> {
  const holder = thisProcess(token);
  const path = lockPath(file);
  await take(file, path, holder);
  removeWasmLock(file);
  if (!isContained(holder)) return () => {};
  const beat = setInterval(() => touch(path), BEAT_MS).unref();
  return () => clearInterval(beat);
}

/** Gives the lock back. Does nothing when it is not this store's. */
export function releaseLock(file: string, token: string): void {
  if (read(lockPath(file))?.holder?.token === token) rmSync(lockPath(file), { force: true });
}

export function lockPath(file: string): string {
  return `${file}.pid`;
}

/**
 * Makes `path` the holder's. Only who holds `<path>.next` may replace a stale `path`, and looks again once it does:
 * of two that find the same stale lock one gets `.next`, and who gets it later finds the lock no longer stale.
 * `.next` itself, left by a crash in between, is taken over in the same way.
 */
async function take(file: string, path: string, holder: Holder): Promise<void> {
  for (;;) {
    if (createExclusive(path, JSON.stringify(holder))) return;
    const found = read(path);
    if (!found) continue;
    if (found.holder?.token === holder.token) return;
    if (!(await isStale(path, found))) throw locked(file, path, found.holder);
    const next = `${path}.next`;
    await take(file, next, holder);
    try {
      if (read(path)?.text === found.text) {
        renameSync(next, path);
        return;
      }
    } catch (error) {
      rmSync(next, { force: true });
      throw error;
    }
    rmSync(next, { force: true });
  }
}

interface Found {
  text: string;
  holder: Holder | undefined;
  /** Last change, in ms since 1970. */
  touched: number;
}

function read(path: string): Found | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    return { text, holder: parseHolder(text), touched: statSync(path).mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function isStale(path: string, found: Found): Promise<boolean> {
  if (!found.holder) return age(found) > WRITING_MS;
  const standing = standingOf(found.holder);
  if (standing !== 'elsewhere') return standing === 'gone';
  while (age(found) < SILENCE_MS) {
    await delay(BEAT_MS / 6);
    const now = read(path);
    if (now?.text !== found.text) return true;
    if (now.touched > found.touched) return false;
  }
  return true;
}

/** In ms. A clock that was set back makes no lock last for ever. */
function age({ touched }: Found): number {
  return Math.abs(Date.now() - touched);
}

/** Writes `text` to `path` unless it is there. The file is complete the moment it appears, where hard links exist. */
function createExclusive(path: string, text: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, text);
    try {
      linkSync(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      writeFileSync(path, text, { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Somebody removed the lock file by hand. The next start will make a new one.
  }
}

/** node-sqlite3-wasm makes this directory to lock and cannot tell that its maker was killed. */
function removeWasmLock(file: string): void {
  try {
    rmdirSync(`${file}.lock`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function locked(file: string, path: string, holder: Holder | undefined): StoreLocked {
  if (!holder) return new StoreLocked(file, `The store ${file} is being opened by another process. Try again.`);
  if (isThisProcess(holder)) {
    return new StoreLocked(
      file,
      `The store ${file} is already open in this process (${holder.pid}). Share that one, or close it first.`,
      holder.pid,
    );
  }
  return new StoreLocked(
    file,
    `The store ${file} is in use by process ${holder.pid} on ${holder.host} since ${holder.since}. ` +
      `Stop that process, or give this one another file. If it no longer runs, delete ${path}.`,
    holder.pid,
  );
}
