/**
 * The last tasks that a worker was sent, in its recorder's file: which of them have begun, its header tells. Each is at the
 * place of its sequence number, until another is or it is known elsewhere. The worker does not map this part.
 */
import fs from 'node:fs';
import { isUuid, type TaskId } from '../../compute/ids.js';

/**
 * What the hub has not yet on disk of its tasks must fit in here, beside what a worker holds at once: enough for 40,000 tasks
 * a second on a disk that takes 50 ms for a commit.
 */
export const RING_TASKS = 8192;

const NUMBER_BYTES = 4;
const ID_CHARS = 36;

/** The sequence numbers lie first, in the byte order of the machine, then the ids as text. */
const IDS_AT = RING_TASKS * NUMBER_BYTES;
export const RING_BYTES = IDS_AT + RING_TASKS * ID_CHARS;

/** Added to a sequence number: the task was taken back, and waits for another worker. Sequence numbers are lower. */
const TAKEN_BACK = 2 ** 31;

/** In the place of a sequence number: there is no task. */
const NONE = 2 ** 32 - 1;

/** Filled and written in one turn, whichever ring it is for. */
const numbers = new Uint32Array(RING_TASKS);
const text = Buffer.alloc(RING_TASKS * ID_CHARS);

export interface SentTask {
  readonly id: TaskId;
  readonly seq: number;
  readonly takenBack: boolean;
}

export class SentRing {
  readonly #fd: number;
  readonly #at: number;
  #next = 0;

  /** @param at where it begins in the file. Unit: bytes */
  constructor(fd: number, at: number) {
    this.#fd = fd;
    this.#at = at;
  }

  /** Notes tasks with consecutive sequence numbers. To be called before the worker may have them. */
  add(first: number, ids: readonly TaskId[]): void {
    this.#next = first + ids.length;
    for (let from = first; from < this.#next; ) {
      const place = from % RING_TASKS;
      const to = Math.min(this.#next, from + RING_TASKS - place);
      const count = to - from;
      const part = count === ids.length ? ids : ids.slice(from - first, to - first);
      for (let i = 0; i < count; i++) numbers[i] = from + i;
      text.write(part.join(''), 'latin1'); // Faster than each by itself.
      fs.writeSync(this.#fd, text, 0, count * ID_CHARS, this.#at + IDS_AT + place * ID_CHARS);
      fs.writeSync(this.#fd, numbers, 0, count * NUMBER_BYTES, this.#at + place * NUMBER_BYTES);
      from = to;
    }
  }

  /** A task was taken back: it will not begin in this worker. */
  takeBack(seq: number): void {
    this.#number(seq, seq + TAKEN_BACK);
  }

  /** A task that was taken back has ended, or is in the ring of another worker. */
  drop(seq: number): void {
    this.#number(seq, NONE);
  }

  read(): SentTask[] {
    const tasks: SentTask[] = [];
    fs.readSync(this.#fd, numbers, 0, IDS_AT, this.#at);
    fs.readSync(this.#fd, text, 0, text.length, this.#at + IDS_AT);
    for (const [place, number] of numbers.entries()) {
      const id = text.toString('latin1', place * ID_CHARS, (place + 1) * ID_CHARS);
      // A process that is killed may have written a part: what that leaves is no task's id.
      if (number === NONE || !isUuid(id)) continue;
      tasks.push({ id: id as string as TaskId, seq: number % TAKEN_BACK, takenBack: number >= TAKEN_BACK });
    }
    return tasks;
  }

  #number(seq: number, number: number): void {
    if (seq < this.#next - RING_TASKS) return; // Another is there now.
    numbers[0] = number;
    fs.writeSync(this.#fd, numbers, 0, NUMBER_BYTES, this.#at + (seq % RING_TASKS) * NUMBER_BYTES);
  }
}
