/**
 * Entries on their way from the inbox into the ledger: nothing comes of them before the disk has them in the one and no
 * more in the other, so that none is run twice, whenever the process ends. What is handed in after them waits with them.
 */
import type { Entry } from './entry.js';
import type { Ledger } from './ledger.js';

interface Moved {
  readonly entry: Entry;
  readonly next: () => void;
}

export class Moving {
  readonly #ledger: Ledger | undefined;
  /** In the order they came. */
  readonly #waiting: Moved[] = [];
  #closed = false;

  constructor(ledger: Ledger | undefined) {
    this.#ledger = ledger;
  }

  /** Lets an entry go on, now where nothing moves. */
  pass(entry: Entry, next: () => void): void {
    const ledger = this.#ledger;
    if (ledger === undefined) entry.inInbox = false;
    if (!entry.inInbox && this.#waiting.length === 0) {
      next();
      return;
    }
    // As one that waits for room: its calls are not begun.
    entry.blocked = true;
    this.#waiting.push({ entry, next });
    if (!entry.inInbox) return;
    const goOn = () => {
      entry.inInbox = false;
      this.#release();
    };
    // While the disk fails nothing new survives the process, and nothing waits for it.
    ledger?.durable().then(goOn, goOn);
  }

  /** What waits is for the next process. */
  close(): void {
    this.#closed = true;
  }

  #release(): void {
    let ready = this.#waiting.findIndex(({ entry }) => entry.inInbox);
    if (ready < 0) ready = this.#waiting.length;
    for (const { entry, next } of this.#waiting.splice(0, ready)) {
      entry.blocked = false;
      if (!this.#closed) next();
    }
  }
}
