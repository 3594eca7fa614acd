/** The main thread's end of one worker thread, from its start to its end. */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { StoreFailed, StoreLocked } from './errors.js';
import type { Group } from './group.js';
import type { FromThread, Opened, RefusedStatement, ThreadData, ToThread } from './protocol.js';
import type { Row, SqlValue } from './values.js';

/** What the thread has to say unasked. Nothing is said after `ended`. */
export interface StoreThreadListener {
  committed(number: number, refused: readonly RefusedStatement[]): void;
  /** The storage failed. The thread passes over what follows until the next epoch. */
  failed(number: number, reason: string): void;
  /** The thread ended by itself after it had opened the file. */
  ended(reason: string): void;
}

interface Reader {
  resolve(rows: Row[]): void;
  reject(error: Error): void;
}

export class StoreThread {
  readonly #worker: Worker;
  readonly #file: string;
  readonly #listener: StoreThreadListener;
  readonly #readers = new Map<number, Reader>();
  #lastRead = 0;
  #groups = 0;
  #state: 'opening' | 'open' | 'closing' | 'ended' = 'opening';
  #crash: unknown;
  #opened: (opened: Opened | Error) => void = () => undefined;
  #closed: () => void = () => undefined;

  private constructor(data: ThreadData, listener: StoreThreadListener) {
    this.#file = data.file;
    this.#listener = listener;
    this.#worker = new Worker(path.join(__dirname, 'thread.js'), {
      name: 'funcx-store',
      workerData: data,
      // Flags such as --inspect-brk or a loader are the main thread's business.
      execArgv: [],
    });
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error) => {
      this.#crash = error;
    });
    this.#worker.on('exit', () => this.#ended());
  }

  /** Resolves when the file is open; rejects with StoreLocked or StoreFailed. */
  static start(data: ThreadData, listener: StoreThreadListener): Promise<{ thread: StoreThread; opened: Opened }> {
    return new Promise((resolve, reject) => {
      const thread = new StoreThread(data, listener);
      thread.#opened = (opened) => (opened instanceof Error ? reject(opened) : resolve({ thread, opened }));
    });
  }

  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  commit(group: Group, epoch: number): void {
    const { message, transfer } = group.toMessage(epoch);
    this.#groups += 1;
    this.#post(message, transfer);
  }

  read(sql: string, params: readonly SqlValue[], limit: 0 | 1): Promise<Row[]> {
    if (this.#state === 'ended') return Promise.reject(new StoreFailed(this.#file, 'its thread has ended'));
    return new Promise((resolve, reject) => {
      const id = ++this.#lastRead;
      this.#readers.set(id, { resolve, reject });
      this.#post({ kind: 'read', id, sql, params, limit });
    });
  }

  /**
   * Closes the file after everything sent before. Resolves as soon as it is closed: the thread ends later, and keeps no
   * program running until then. Resolves also when the thread ends in another way.
   */
  close(): Promise<void> {
    if (this.#state === 'ended') return Promise.resolve();
    this.#state = 'closing';
    return new Promise((resolve) => {
      this.#closed = resolve;
      this.#post({ kind: 'close' });
    });
  }

  #post(message: ToThread, transfer: ArrayBuffer[] = []): void {
    this.#worker.ref();
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromThread): void {
    switch (message.kind) {
      case 'opened':
        this.#state = 'open';
        this.#opened(message);
        break;
      case 'notOpened':
        this.#state = 'closing';
        this.#opened(openError(this.#file, message));
        this.#worker.unref();
        break;
      case 'committed':
        this.#groups -= 1;
        this.#listener.committed(message.number, message.refused);
        break;
      case 'failed':
        this.#groups = 0;
        this.#listener.failed(message.number, message.reason);
        break;
      case 'rows':
        this.#answer(message.id)?.resolve(message.rows);
        break;
      case 'readFailed':
        this.#answer(message.id)?.reject(new StoreFailed(this.#file, message.reason));
        break;
      case 'closed':
        this.#ended();
        this.#worker.unref();
        break;
    }
    // An open store with nothing to do does not keep a program running.
    if (this.#state === 'open' && this.#groups === 0 && this.#readers.size === 0) this.#worker.unref();
  }

  #answer(id: number): Reader | undefined {
    const reader = this.#readers.get(id);
    this.#readers.delete(id);
    return reader;
  }

  #ended(): void {
    const unexpected = this.#state === 'open';
    const why = this.#crash instanceof Error ? this.#crash.message : 'without saying why';
    const reason = `its thread ended: ${why}`;
    this.#state = 'ended';
    for (const reader of this.#readers.values()) reader.reject(new StoreFailed(this.#file, reason));
    this.#readers.clear();
    this.#opened(new StoreFailed(this.#file, reason));
    this.#closed();
    if (unexpected) this.#listener.ended(reason);
  }
}

function openError(file: string, { code, message, pid }: Extract<FromThread, { kind: 'notOpened' }>): Error {
  return code === 'STORE_LOCKED' ? new StoreLocked(file, message, pid) : new StoreFailed(file, message);
}
