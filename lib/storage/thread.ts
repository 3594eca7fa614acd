/** What runs in the worker thread of a store. Started by `store-thread.ts`. */
import { existsSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { FuncXError } from '../compute/errors.js';
import { type Database, SqliteError } from './database.js';
import { reasonOf, StoreFailed, StoreLocked } from './errors.js';
import { Executor } from './executor.js';
import { lastGroup } from './group-mark.js';
import { acquireLock } from './lock.js';
import { openStore } from './opening.js';
import type { FromThread, GroupMessage, ReadMessage, ThreadData, ToThread } from './protocol.js';

/** Bytes above this are moved to the main thread rather than copied there. */
const MOVE_MIN = 16_384;

/**
 * How long the thread stays in its event loop when its work is over, in ms. Node ends a thread by waiting for the
 * compilations in the background; one that needs a garbage collection waits for the event loop, which has ended: both
 * wait for ever, and so does the end of the process (nodejs/node#54918). By then they are through.
 */
const LINGER_MS = 1_000;

/** With less than this left, a failed write is put down to the full disk, in bytes. */
const NEARLY_FULL = 1_048_576;

class ThreadSession {
  readonly #port: MessagePort;
  readonly #file: string;
  readonly #executor: Executor;
  readonly #stopBeating: () => void;
  #failedEpoch = -1;
  /** Why the last group is not durable; undefined while commits work. */
  #failure: string | undefined;

  constructor(port: MessagePort, file: string, executor: Executor, stopBeating: () => void) {
    this.#port = port;
    this.#file = file;
    this.#executor = executor;
    this.#stopBeating = stopBeating;
  }

  receive(message: ToThread): void {
    switch (message.kind) {
      case 'group':
        this.#commit(message);
        break;
      case 'read':
        this.#read(message);
        break;
      case 'close':
        this.#close();
        break;
    }
  }

  #commit(group: GroupMessage): void {
    if (group.epoch <= this.#failedEpoch) return;
    try {
      const refused = this.#executor.commit(group);
      this.#failure = undefined;
      this.#post({ kind: 'committed', number: group.number, refused });
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      this.#failedEpoch = group.epoch;
      this.#failure = diskReason(error, this.#file);
      this.#post({ kind: 'failed', number: group.number, reason: this.#failure });
    }
  }

  #read(message: ReadMessage): void {
    if (this.#failure !== undefined) {
      // The rows would miss what the reader has written before.
      this.#post({ kind: 'readFailed', id: message.id, reason: this.#failure });
      return;
    }
    try {
      const rows = this.#executor.read(message);
      const moved = new Set<ArrayBuffer>();
      for (const row of rows) {
        for (const value of Object.values(row)) {
          if (value instanceof Uint8Array && value.byteLength >= MOVE_MIN) moved.add(value.buffer as ArrayBuffer);
        }
      }
      this.#post({ kind: 'rows', id: message.id, rows }, [...moved]);
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      this.#post({ kind: 'readFailed', id: message.id, reason: `${error.message} (in "${message.sql}")` });
    }
  }

  #close(): void {
    this.#executor.close();
    this.#stopBeating();
    this.#post({ kind: 'closed' });
    leave(this.#port);
  }

  #post(message: FromThread, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

/** node-sqlite3-wasm says "disk I/O error" for every error of the operating system; a full disk is worth naming. */
function diskReason(error: SqliteError, file: string): string {
  try {
    const { bavail, bsize } = statfsSync(path.dirname(file));
    const free = bavail * bsize;
    if (free < NEARLY_FULL) return `${error.message}: the disk is full (${free} bytes free)`;
  } catch {
    // The disk itself is gone; SQLite's message has to do.
  }
  return error.message;
}

/** The thread outlives a failure for a while, and must not keep the file locked. */
function lastGroupOrClose(database: Database, token: string): number {
  try {
    return lastGroup(database, token);
  } catch (error) {
    database.close();
    throw error;
  }
}

function leave(port: MessagePort): void {
  setTimeout(() => port.close(), LINGER_MS);
}

async function start(port: MessagePort, data: ThreadData): Promise<void> {
  const { file, token, migrations, driver } = data;
  let stopBeating = () => {};
  try {
    if (data.again && !existsSync(file)) throw new StoreFailed(file, 'it has vanished while it was open');
    stopBeating = await acquireLock(file, token);
    const { database, damage } = openStore(file, migrations, driver);
    const durable = lastGroupOrClose(database, token);
    const session = new ThreadSession(port, file, new Executor(database, token), stopBeating);
    port.on('message', (message: ToThread) => session.receive(message));
    port.postMessage({ kind: 'opened', damage, durable } satisfies FromThread);
  } catch (error) {
    stopBeating();
    const known =
      error instanceof FuncXError ? error : new StoreFailed(file, `it cannot be opened: ${reasonOf(error)}`);
    const pid = known instanceof StoreLocked ? known.pid : undefined;
    port.postMessage({ kind: 'notOpened', code: known.code, message: reasonOf(known), pid } satisfies FromThread);
    leave(port);
  }
}

if (!parentPort) throw new Error('thread.js is started by a store, in a worker thread');
void start(parentPort, workerData as ThreadData);
