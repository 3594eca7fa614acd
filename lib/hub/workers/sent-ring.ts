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

/** u32 sequence number, then the task's id as text. */
const SLOT_BYTES = 40;
const ID_CHARS = 36;

export const RING_BYTES = RING_TASKS * SLOT_BYTES;

/** Added to a sequence number: the task was taken back, and waits for another worker. Sequence numbers are lower. */
const TAKEN_BACK = 2 ** 31;

/** In the place of a sequence number: there is no task. */
const NONE = 2 ** 32 - 1;

/** Filled and written in one turn, whichever ring it is for. */
const slots = Buffer.alloc(RING_BYTES);

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
      for (let seq = from; seq < to; seq++) {
        const at = (seq - from) * SLOT_BYTES;
        slots.writeUInt32LE(seq, at);
        slots.write(ids[seq - first] as TaskId, at + 4, ID_CHARS, 'latin1');
      }
      fs.writeSync(this.#fd, slots, 0, (to - from) * SLOT_BYTES, this.#at + place * SLOT_BYTES);
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
    fs.readSync(this.#fd, slots, 0, RING_BYTES, this.#at);
    for (let at = 0; at < RING_BYTES; at += SLOT_BYTES) {
      const number = slots.readUInt32LE(at);
      const id = slots.toString('latin1', at + 4, at + 4 + ID_CHARS);
      // A process that is killed may have written a part: what that leaves is no task's id.
      if (number === NONE || !isUuid(id)) continue;
      tasks.push({ id: id as string as TaskId, seq: number % TAKEN_BACK, takenBack: number >= TAKEN_BACK });
    }
    return tasks;
  }

  #number(seq: number, number: number): void {
    if (seq < this.#next - RING_TASKS) return; // Another is there now.
    slots.writeUInt32LE(number, 0);
    fs.writeSync(this.#fd, slots, 0, 4, this.#at + (seq % RING_TASKS) * SLOT_BYTES);
  }
}
