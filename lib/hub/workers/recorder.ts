/** The parent's side of a worker's flight recorder and of its captured output; the layout is described in `recorder.py`. */
import fs from 'node:fs';
import type { TaskId } from '../../compute/ids.js';
import { readRecords, type WorkerRecord } from './frames.js';
import type { Recording } from './recording.js';
import { anonymousFile, type Recordings } from './recordings.js';
import { RING_TASKS } from './sent-ring.js';

/**
 * Output of user code beyond this, in its file before its task has ended, is dropped. In a container all files in memory
 * may have no more than 64 MB together. Unit: bytes.
 */
const OUTPUT_FILE_BYTES = 4 * 1024 * 1024;

/** After so many more tasks it is asked when the hub has on disk that they were sent. */
const CHECKED_TASKS = RING_TASKS / 4;

/** What a worker is doing at this moment. */
export interface Activity {
  /** Sequence number of the running task; undefined when idle. */
  readonly running: number | undefined;
  /** When it began. Unix seconds. */
  readonly since: number;
}

export class Recorder {
  readonly outputFd: number;
  readonly #recording: Recording;
  readonly #forget: () => void;
  readonly #durable: () => Promise<void>;
  #isForgotten = false;
  /** Sequence number of the next task to be sent. */
  #next = 0;
  /** Of the first task of which it is not asked yet, or not known, whether the hub has on disk that it was sent. */
  #asked = 0;
  #saved = 0;

  constructor(recordings: Recordings) {
    const { recording, forget } = recordings.create();
    this.#recording = recording;
    this.#forget = forget;
    this.#durable = () => recordings.durable();
    try {
      this.outputFd = anonymousFile('a+');
    } catch (error) {
      forget();
      throw error;
    }
  }

  get fd(): number {
    return this.#recording.fd;
  }

  activity(): Activity {
    const { begun, ended, since } = this.#recording.header;
    return { running: begun > ended ? begun - 1 : undefined, since };
  }

  /** Sequence number of the first task that has not begun. */
  next(): number {
    return this.#recording.header.begun;
  }

  /** How many tasks the worker may be sent: what is overwritten must be on disk, or it might run twice after a crash. */
  get room(): number {
    return this.#saved + RING_TASKS - this.#next;
  }

  /**
   * Notes which tasks the worker will be sent, for the case that this process does not live to see what becomes of them.
   * The hub must know by the next call that they were.
   */
  sends(first: number, ids: readonly TaskId[]): void {
    this.#recording.sent.add(first, ids);
    this.#next = first + ids.length;
    if (first - this.#asked < CHECKED_TASKS) return;
    this.#asked = first;
    const saved = () => {
      this.#saved = Math.max(this.#saved, first);
    };
    // While the disk fails, nothing survives the process.
    this.#durable().then(saved, saved);
  }

  /** Results that are finished but were not written yet. Nothing while a living worker is about to write them. */
  gathered(each: (record: WorkerRecord) => void): void {
    const { gathered, writes } = this.#recording.header;
    if (gathered === 0) return;
    const data = this.#recording.gathered(gathered);
    if (this.#recording.header.writes === writes) readRecords(data, each);
  }

  /**
   * Tells the worker not to begin the tasks below `to` that have not begun. Gives the sequence number of the first of
   * them: neither it nor any after it has begun, or will.
   */
  stop(to: number): number {
    // The one that began last is in the range too. It may just be looking at the range before: what was stopped earlier
    // must stay in it, and what was not has begun or is given back.
    const from = Math.max(0, this.next() - 1);
    return this.#recording.stop(from, to);
  }

  /** A task was taken back, or the worker has given it back itself: it waits for another worker. */
  takenBack(seq: number): void {
    this.#recording.sent.takeBack(seq);
  }

  /** A task that was taken back has ended, or was sent to another worker. Also when this one is gone. */
  movedOn(seq: number): void {
    if (!this.#isForgotten) this.#recording.sent.drop(seq);
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

  /** Until the hub has on disk what the worker's end has led to, its record stays for the next process. */
  close(): void {
    fs.closeSync(this.outputFd);
    const forget = () => {
      this.#isForgotten = true;
      this.#forget();
    };
    this.#durable().then(forget, forget);
  }
}
