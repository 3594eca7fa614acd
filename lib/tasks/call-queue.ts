/** Calls in the order they came; taking the first costs the same however many there are. */
import type { EntryCall } from './entry.js';

export class CallQueue {
  #calls: (EntryCall | undefined)[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(call: EntryCall): void {
    call.queued = true;
    this.#calls.push(call);
    this.#size++;
  }

  shift(): EntryCall | undefined {
    while (this.#head < this.#calls.length) {
      const call = this.#calls[this.#head];
      this.#calls[this.#head++] = undefined;
      if (this.#head > 1024 && this.#head * 2 > this.#calls.length) {
        this.#calls = this.#calls.slice(this.#head);
        this.#head = 0;
      }
      if (!call?.queued) continue;
      call.queued = false;
      this.#size--;
      return call;
    }
    return undefined;
  }

  /** Takes a call out; its place is left until compaction. */
  remove(call: EntryCall): void {
    if (!call.queued) return;
    call.queued = false;
    this.#size--;
    if (this.#calls.length - this.#head <= 1024 + this.#size * 2) return;
    this.#calls = this.#calls.filter((other) => other?.queued);
    this.#head = 0;
  }
}
