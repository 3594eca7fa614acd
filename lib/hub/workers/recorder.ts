/** The parent's side of a worker's flight recorder and of its captured output; the layout is described in `worker.py`. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readRecords, type WorkerRecord } from './frames.js';

const HEADER_BYTES = 64;
const GATHERED_BYTES = 48 * 1024;
const OFFSET = { begun: 0, since: 8, gathered: 16, stop: 24, ended: 40, writes: 48 } as const;

/**
 * Output of user code beyond this, in its file before its task has ended, is dropped. In a container all files in memory
 * may have no more than 64 MB together. Unit: bytes.
 */
const OUTPUT_FILE_BYTES = 4 * 1024 * 1024;

/** Memory-backed where the system has it: nothing of a worker's life is worth the wear of an SD card. */
function temporaryFolder(): string {
  try {
    fs.accessSync('/dev/shm', fs.constants.W_OK | fs.constants.X_OK);
    return '/dev/shm';
  } catch {
    return os.tmpdir();
  }
}

/** An open file without a name: it is gone with its last user, however that ends. */
function anonymousFile(flags: string): number {
  const file = path.join(temporaryFolder(), `funcx-${process.pid}-${randomBytes(8).toString('hex')}`);
  const fd = fs.openSync(file, flags, 0o600);
  fs.unlinkSync(file);
  return fd;
}

/** What a worker is doing at this moment. */
export interface Activity {
  /** Sequence number of the running task; undefined when idle. */
  readonly running: number | undefined;
  /** When it began. Unix seconds. */
  readonly since: number;
}

export class Recorder {
  readonly fd = anonymousFile('w+');
  readonly outputFd = anonymousFile('a+');
  readonly #header = Buffer.alloc(HEADER_BYTES);

  constructor() {
    // Written, not only sized: a hole in a mapped file on a full disk would kill the worker.
    try {
      fs.writeSync(this.fd, Buffer.alloc(HEADER_BYTES + GATHERED_BYTES));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  activity(): Activity {
    this.#readHeader();
    const begun = this.#header.readUInt32LE(OFFSET.begun);
    const ended = this.#header.readUInt32LE(OFFSET.ended);
    return { running: begun > ended ? begun - 1 : undefined, since: this.#header.readDoubleLE(OFFSET.since) };
  }

  /** Sequence number of the first task that has not begun. */
  next(): number {
    this.#readHeader();
    return this.#header.readUInt32LE(OFFSET.begun);
  }

  /** Results that are finished but were not written yet. Nothing while a living worker is about to write them. */
  gathered(each: (record: WorkerRecord) => void): void {
    this.#readHeader();
    const size = this.#header.readUInt32LE(OFFSET.gathered);
    const writes = this.#header.readUInt32LE(OFFSET.writes);
    if (size === 0) return;
    const data = Buffer.alloc(size);
    fs.readSync(this.fd, data, 0, size, HEADER_BYTES);
    this.#readHeader();
    if (this.#header.readUInt32LE(OFFSET.writes) === writes) readRecords(data, each);
  }

  /**
   * Tells the worker not to begin the tasks below `to` that have not begun. Gives the sequence number of the first of
   * them: neither it nor any after it has begun, or will.
   */
  stop(to: number): number {
    // The one that began last is in the range too. It may just be looking at the range before: what was stopped earlier
    // must stay in it, and what was not has begun or is given back.
    const from = Math.max(0, this.next() - 1);
    const range = Buffer.alloc(16);
    range.writeUInt32LE(from, 0);
    range.writeUInt32LE(to, 8);
    fs.writeSync(this.fd, range, 0, 16, OFFSET.stop);
    return this.next();
  }

  /** Keeps a task that floods its output from filling memory. */
  boundOutput(): void {
    if (fs.fstatSync(this.outputFd).size > OUTPUT_FILE_BYTES) fs.ftruncateSync(this.outputFd, 0);
  }

  /** The last words of a worker that is gone. */
  lastOutput(limit = 2000): string {
    const size = fs.fstatSync(this.outputFd).size;
    const data = Buffer.alloc(Math.min(size, limit));
    fs.readSync(this.outputFd, data, 0, data.length, size - data.length);
    return data.toString('utf8').trim();
  }

  close(): void {
    fs.closeSync(this.fd);
    fs.closeSync(this.outputFd);
  }

  #readHeader(): void {
    fs.readSync(this.fd, this.#header, 0, HEADER_BYTES, 0);
  }
}
