/** Entries for which there is no room in the queue, in the order they came. They are in memory, and so their number is bounded. */
import type { Entry } from './entry.js';

/** Most calls that wait for room, and the size of their arguments. Unit of the latter: characters. */
const MOST_CALLS = 100_000;
const MOST_CHARS = 256 * 1024 * 1024;

export class WaitingRoom {
  #waiting: { readonly entry: Entry; readonly chars: number }[] = [];
  #head = 0;
  /** Calls and characters of the entries, those that were ended meanwhile included: they keep their place. */
  #calls = 0;
  #chars = 0;

  get first(): Entry | undefined {
    return this.#waiting[this.#head]?.entry;
  }

  get isEmpty(): boolean {
    return this.#head === this.#waiting.length;
  }

  /** Calls that wait and have not ended. */
  get openCalls(): number {
    return this.#waiting.slice(this.#head).reduce((sum, { entry }) => sum + openCallsOf(entry), 0);
  }

  hasRoomFor({ calls }: Entry): boolean {
    return this.#calls + calls.length <= MOST_CALLS && this.#chars <= MOST_CHARS;
  }

  add(entry: Entry): void {
    entry.blocked = true;
    const chars = charsOf(entry);
    this.#waiting.push({ entry, chars });
    this.#calls += entry.calls.length;
    this.#chars += chars;
  }

  /** Lets the first one go. */
  release(): void {
    const first = this.#waiting[this.#head];
    if (first === undefined) return;
    first.entry.blocked = false;
    this.#calls -= first.entry.calls.length;
    this.#chars -= first.chars;
    this.#head++;
    if (this.#head < 1024 && this.#head < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }
}

export function openCallsOf({ calls }: Entry): number {
  return calls.reduce((sum, { over }) => (over ? sum : sum + 1), 0);
}

function charsOf({ calls }: Entry): number {
  return calls.reduce((sum, { packed }) => {
    if (typeof packed === 'string') return sum + packed.length;
    return packed.buffers.reduce((bytes, { byteLength }) => bytes + byteLength, sum + packed.text.length);
  }, 0);
}
