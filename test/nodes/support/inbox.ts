import { EventEmitter, once } from 'node:events';
import type { Msg } from './runtime';

/** Things that arrive, and waiting for them. A test that waits in vain fails with mocha's time-out. */
export class Inbox<T = Msg> {
  readonly items: T[] = [];
  /** When each of them arrived. Unit: milliseconds. */
  readonly times: number[] = [];
  readonly #arrivals = new EventEmitter().setMaxListeners(0);

  put(item: T): void {
    this.items.push(item);
    this.times.push(performance.now());
    this.#arrivals.emit('item');
  }

  /** So many, when they are all there. */
  async take(count: number): Promise<T[]> {
    while (this.items.length < count) await once(this.#arrivals, 'item');
    return this.items.slice(0, count);
  }

  /** The first there is. */
  async first(): Promise<T> {
    const [item] = await this.take(1);
    return item as T;
  }

  /** The first that is as asked for. */
  async find(asked: (item: T) => boolean): Promise<T> {
    for (;;) {
      const found = this.items.find(asked);
      if (found !== undefined) return found;
      await once(this.#arrivals, 'item');
    }
  }
}
