/** A SQLite file shared by everything in the process that has to keep rows. */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { FuncXError, InputError } from '../compute/errors.js';
import { Backoff } from './backoff.js';
import type { Damage } from './damage.js';
import { chooseDriver, type DriverName } from './database.js';
import { reasonOf, StoreClosed, StoreFailed } from './errors.js';
import { type Contributor, GroupCommit } from './group-commit.js';
import { releaseLock } from './lock.js';
import { realPath } from './opening.js';
import type { RefusedStatement, ThreadData } from './protocol.js';
import { StoreThread } from './store-thread.js';
import { assertStorable, type Row, type SqlValue } from './values.js';

export interface StoreOptions {
  /** Path of the database file. Missing directories are made. */
  file: string;
  /**
   * SQL scripts that make the tables, oldest first. A file remembers how many it has had and is given the others, each
   * in a transaction. Only ever append.
   */
  migrations: readonly string[];
  /** @default node:sqlite where this Node has it, else node-sqlite3-wasm */
  driver?: DriverName;
  /** How long writes are gathered before they are committed, in ms. @default 8 */
  commitWindowMs?: number;
  /** Told, before `open` resolves, that the file was damaged and where it is kept. Later finds are an event. */
  onDamaged?: (damage: Damage) => void;
}

export interface StoreEvents {
  /**
   * Commits fail (full disk, I/O error, end of the thread). What was handed over is kept and tried again. Emitted once
   * until `recovered`.
   */
  failing: [StoreFailed];
  /** Commits work again: what was kept is durable or on its way. */
  recovered: [];
  /** The thread had to be started anew, found the file damaged and set it aside. */
  damaged: [Damage];
  /**
   * A statement can never succeed (a constraint, a fault of the SQL), or a contributor threw. It was left out; the
   * others are durable. Without a listener it becomes a warning of the process.
   */
  refused: [StoreFailed];
}

/** Above this `write` refuses more until the disk has caught up, in bytes. */
const OPEN_GROUP_MAX = 256 * 1024 * 1024;

/** With the commit itself about 10 ms, which is what a message is told to be safe after. */
const COMMIT_WINDOW_MS = 8;

/**
 * SQLite runs in a thread of its own, so that no disk ever holds up the event loop, and writes are committed in groups:
 * what comes within a few milliseconds shares one transaction and one fsync. Knows no table; its users bring them.
 */
export class Store extends EventEmitter<StoreEvents> {
  readonly #data: ThreadData;
  readonly #onDamaged: ((damage: Damage) => void) | undefined;
  readonly #commits: GroupCommit;
  readonly #backoff = new Backoff();
  #thread: StoreThread | undefined;
  #failing: StoreFailed | undefined;
  #attempt: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: StoreOptions, windowMs: number) {
    super();
    // Each user of the store listens for failures; their number is no leak.
    this.setMaxListeners(0);
    this.#data = {
      file: realPath(options.file),
      token: randomUUID(),
      migrations: options.migrations,
      driver: chooseDriver(options.driver),
      again: false,
    };
    this.#onDamaged = options.onDamaged;
    this.#commits = new GroupCommit(
      {
        send: (group, epoch) => this.#thread?.commit(group, epoch),
        contributorFailed: (error) => this.#refuse(`a contributor threw: ${reasonOf(error)}`, error),
      },
      windowMs,
    );
  }

  /**
   * Opens the file, making it where it is missing. One process may have it open, and once: others share the instance.
   *
   * Throws InputError for options of the wrong kind, StoreLocked (`STORE_LOCKED`) when the file is open elsewhere or
   * already in this process, and StoreFailed (`STORE_FAILED`) when it cannot be opened, a migration fails or the file
   * is of a newer version of the program. A damaged file does not throw: see `onDamaged`.
   */
  static async open(options: StoreOptions): Promise<Store> {
    const windowMs = options.commitWindowMs ?? COMMIT_WINDOW_MS;
    if (typeof options.file !== 'string' || options.file === '') throw new InputError('A store needs a file.');
    if (!(windowMs >= 0 && windowMs <= 1_000)) {
      throw new InputError(`commitWindowMs is ${windowMs}; expected 0 to 1000 milliseconds.`);
    }
    const store = new Store(options, windowMs);
    try {
      await store.#start();
    } catch (error) {
      await store.close();
      throw error;
    }
    return store;
  }

  /** Path of the database file, absolute and without symbolic links. */
  get file(): string {
    return this.#data.file;
  }

  /** The driver in use. */
  get driver(): DriverName {
    return this.#data.driver;
  }

  /** Why commits fail at the moment; undefined while they work. */
  get failure(): StoreFailed | undefined {
    return this.#failing;
  }

  /**
   * Adds one statement to the group that is gathered, to be durable within the commit window. Statements run in the
   * order they were written; BEGIN, COMMIT and PRAGMA are not for it. Bytes in `params` must not change until they are
   * durable.
   *
   * Throws InputError for a value SQLite cannot hold, `QUEUE_FULL` when 256 MiB wait for the disk, `CLOSED`.
   */
  write(sql: string, params: readonly SqlValue[] = []): void {
    this.#assertOpen();
    if (this.#commits.openBytes > OPEN_GROUP_MAX) {
      const why = this.#failing ? this.#failing.reason : 'the disk is slower than what is written';
      throw new FuncXError('QUEUE_FULL', `The store ${this.file} takes no more until the disk catches up: ${why}.`);
    }
    this.#commits.add(sql, params);
  }

  /**
   * Registers a contributor: it is called right before each group is sent, and hands over what is dirty at that moment.
   * What began and ended between two commits is thus never written. Say {@link touch} when something becomes dirty.
   * A contributor must not throw, and must take for durable only what {@link committed} has confirmed. Returns the
   * function that takes it off again.
   */
  writer(contributor: Contributor): () => void {
    this.#assertOpen();
    return this.#commits.contribute(contributor);
  }

  /** A contributor has something dirty: a group is sent when the commit window ends. Throws `CLOSED`. */
  touch(): void {
    this.#assertOpen();
    this.#commits.touch();
  }

  /**
   * Resolves when everything written or touched before is durable. Rejects with StoreFailed at the first failure, and
   * at once until commits work again; what was written is kept and tried again all the same.
   */
  async committed(): Promise<void> {
    this.#assertOpen();
    await this.#commits.committed();
  }

  /** As {@link committed}, without waiting for the commit window to end. */
  async flush(): Promise<void> {
    this.#assertOpen();
    await this.#commits.flush();
  }

  /**
   * Rows of a query, which sees everything written or touched before. Rejects with StoreFailed for a fault of the SQL,
   * and while commits fail, because the answer would miss what is not on the disk yet.
   */
  async all(sql: string, params: readonly SqlValue[] = []): Promise<Row[]> {
    return this.#read(sql, params, 0);
  }

  /** The first row of a query, or undefined; see {@link all}. */
  async get(sql: string, params: readonly SqlValue[] = []): Promise<Row | undefined> {
    const [row] = await this.#read(sql, params, 1);
    return row;
  }

  /**
   * Commits what is left, writes the log back into the file and gives the lock back. Rejects with StoreFailed, the file
   * closed all the same, when the last writes could not be saved. Everything after it throws `CLOSED`.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    let unsaved: unknown;
    try {
      if (this.#failing) await this.#tryAgain();
      await this.#commits.flush();
    } catch (error) {
      unsaved = error;
    }
    const { pending, isClean } = this.#commits;
    this.#backoff.cancel();
    this.#commits.stop(new StoreClosed(this.file));
    await this.#thread?.close();
    releaseLock(this.file, this.#data.token);
    if (unsaved !== undefined && !isClean) {
      throw new StoreFailed(this.file, `closed with writes that could not be saved (${pending}): ${reasonOf(unsaved)}`);
    }
  }

  async #read(sql: string, params: readonly SqlValue[], limit: 0 | 1): Promise<Row[]> {
    this.#assertOpen();
    assertStorable(sql, params);
    const room = this.#commits.sent();
    if (room) await room;
    if (!this.#thread) throw new StoreClosed(this.file);
    return this.#thread.read(sql, params, limit);
  }

  async #start(): Promise<void> {
    const again = this.#thread !== undefined;
    const { thread, opened } = await StoreThread.start(
      { ...this.#data, again },
      {
        committed: (number, refused) => this.#committed(number, refused),
        failed: (_number, reason) => this.#failed(reason),
        ended: (reason) => this.#failed(reason),
      },
    );
    this.#thread = thread;
    this.#commits.acknowledged(opened.durable, undefined);
    if (!opened.damage) return;
    const { damage } = opened;
    if (again) tell(() => this.emit('damaged', damage));
    else this.#onDamaged?.(damage);
  }

  #committed(number: number, refused: readonly RefusedStatement[]): void {
    const errors = refused.map(({ sql, reason }) => this.#refuse(`"${sql}" was refused: ${reason}`));
    this.#recovered();
    this.#commits.acknowledged(number, errors[0]);
  }

  #refuse(reason: string, cause?: unknown): StoreFailed {
    const error = new StoreFailed(this.file, reason, cause === undefined ? undefined : { cause });
    tell(() => {
      if (!this.emit('refused', error)) process.emitWarning(error);
    });
    return error;
  }

  #failed(reason: string): void {
    const first = this.#failing === undefined;
    const error = new StoreFailed(this.file, reason);
    this.#failing = error;
    this.#commits.fail(error);
    if (!this.#closing) this.#backoff.schedule(() => void this.#tryAgain());
    if (first) tell(() => this.emit('failing', error));
  }

  #recovered(): void {
    if (!this.#failing) return;
    this.#failing = undefined;
    this.#backoff.reset();
    tell(() => this.emit('recovered'));
  }

  /** Starts the thread anew where it ended, and sends what was kept once more. Never rejects. */
  #tryAgain(): Promise<void> {
    this.#backoff.cancel();
    this.#attempt ??= this.#resume().finally(() => {
      this.#attempt = undefined;
    });
    return this.#attempt;
  }

  async #resume(): Promise<void> {
    try {
      if (this.#thread?.hasEnded) await this.#start();
    } catch (error) {
      this.#failed(reasonOf(error));
      return;
    }
    this.#commits.resume();
    if (!this.#commits.isInFlight) this.#recovered();
  }

  #assertOpen(): void {
    if (this.#closing) throw new StoreClosed(this.file);
  }
}

/** Events go out once the state is whole again: a listener may throw, or call back. */
function tell(emit: () => void): void {
  process.nextTick(emit);
}
