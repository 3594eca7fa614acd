/** Deadlines of many entries with one timer: they are kept by tenths of a second. */
import type { Entry } from './entry.js';

/** How late a deadline may be told. Unit: milliseconds. */
const GRAIN_MS = 100;

/** The longest pause a timer of Node takes. Unit: milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

export class Deadlines {
  readonly #byTick = new Map<number, Set<Entry>>();
  readonly #onDue: (entry: Entry) => void;
  #timer: NodeJS.Timeout | undefined;
  /** Tick that the timer is set for. */
  #next = Number.POSITIVE_INFINITY;

  constructor(onDue: (entry: Entry) => void) {
    this.#onDue = onDue;
  }

  add(entry: Entry): void {
    const tick = tickOf(entry);
    if (tick === undefined) return;
    const entries = this.#byTick.get(tick);
    if (entries === undefined) this.#byTick.set(tick, new Set([entry]));
    else entries.add(entry);
    if (tick < this.#next) this.#schedule(tick);
  }

  remove(entry: Entry): void {
    const tick = tickOf(entry);
    if (tick === undefined) return;
    const entries = this.#byTick.get(tick);
    if (entries?.delete(entry) && entries.size === 0) this.#byTick.delete(tick);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#byTick.clear();
  }

  #schedule(tick: number): void {
    this.#next = tick;
    clearTimeout(this.#timer);
    const pause = Math.min(LONGEST_MS, Math.max(0, tick * GRAIN_MS - Date.now()));
    this.#timer = setTimeout(() => this.#onTimer(), pause);
  }

  #onTimer(): void {
    const now = Date.now() / GRAIN_MS;
    let next = Number.POSITIVE_INFINITY;
    for (const [tick, entries] of [...this.#byTick]) {
      if (tick <= now) {
        this.#byTick.delete(tick);
        for (const entry of entries) this.#onDue(entry);
      } else next = Math.min(next, tick);
    }
    this.#next = Number.POSITIVE_INFINITY;
    if (next !== Number.POSITIVE_INFINITY) this.#schedule(next);
  }
}

/** The first tick at which the deadline has passed. */
function tickOf({ options }: Entry): number | undefined {
  return options.deadline === undefined ? undefined : Math.ceil(options.deadline / GRAIN_MS);
}
