/** How many tasks were ever submitted to the hub: what `GET /v2/stats` tells. */
import type { Store, Write } from '../storage/index.js';

/** It is written with what is written anyway, at most this often: counting costs no commit. Unit: milliseconds. */
const WRITING_MS = 10_000;

export class Invocations {
  readonly #store: Store;
  #total: number;
  #written: number;
  /** Unit: milliseconds of `performance.now()`. */
  #writtenAt = performance.now();

  private constructor(store: Store, total: number) {
    this.#store = store;
    this.#total = total;
    this.#written = total;
    store.writer((write) => this.#contribute(write));
  }

  static async open(store: Store): Promise<Invocations> {
    const row = await store.get('SELECT invocations FROM hub');
    return new Invocations(store, Number(row?.invocations));
  }

  /** After a crash, those of the last seconds are missing. */
  get total(): number {
    return this.#total;
  }

  add(tasks: number): void {
    this.#total += tasks;
  }

  /** The hub closes: the next commit is the last. */
  close(): void {
    this.#writtenAt = Number.NEGATIVE_INFINITY;
    this.#store.touch();
  }

  #contribute(write: Write): void {
    const now = performance.now();
    if (this.#total === this.#written || now - this.#writtenAt < WRITING_MS) return;
    write('UPDATE hub SET invocations = ?', [this.#total]);
    this.#written = this.#total;
    this.#writtenAt = now;
  }
}
