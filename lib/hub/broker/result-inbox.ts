/**
 * Results that come from agents. Those that came together are handed on together, and acknowledged to the broker when the
 * store has them: a hub that ends before gets them again.
 */
import type { ConsumeMessage } from 'amqplib';
import type { Store } from '../../storage/index.js';
import { type AgentResult, MalformedMessage, readResult } from './messages.js';
import { type BrokerNames, senderOf } from './names.js';
import type { Session } from './session.js';

/** Messages that may be out at once: the store takes about so many in one commit. */
const PREFETCH = 200;

export interface SentResult extends AgentResult {
  /** Id of the endpoint that has sent it. */
  readonly sender: string;
}

export interface InboxEvents {
  arrived(results: readonly SentResult[]): void;
  /** A message cannot be used and was dropped. */
  stray(sender: string, why: string): void;
}

export class ResultInbox {
  readonly #names: BrokerNames;
  readonly #store: Store;
  readonly #events: InboxEvents;
  #finish: () => Promise<void> = async () => {};

  constructor(names: BrokerNames, store: Store, events: InboxEvents) {
    this.#names = names;
    this.#store = store;
    this.#events = events;
  }

  /** Takes results as long as the session lasts. */
  async open(session: Session): Promise<void> {
    const { results } = this.#names;
    let gathered: ConsumeMessage[] = [];
    /** Taken, and not acknowledged. */
    let out = 0;
    let settled = () => {};
    const consumption = await session.consume(results, PREFETCH, (message) => {
      out++;
      if (gathered.push(message) > 1) return;
      setImmediate(() => {
        const messages = gathered;
        gathered = [];
        const last = messages.at(-1);
        session.attempt(() => {
          this.#take(messages);
          if (last === undefined) return;
          void this.#stored().then(
            () => {
              consumption.acknowledge(last);
              out -= messages.length;
              settled();
            },
            () => {},
          );
        });
      });
    });
    const allSettled = async () => {
      while (out > 0) {
        await new Promise<void>((resolve) => {
          settled = resolve;
        });
      }
    };
    this.#finish = async () => {
      do await allSettled();
      while ((await session.administer((channel) => channel.checkQueue(results))).messageCount > 0);
      await consumption.cancel();
      await allSettled();
      await consumption.end();
    };
  }

  /** Takes what has come by now, and no more: the session ends with it. Rejects where it was lost before. */
  finish(): Promise<void> {
    return this.#finish();
  }

  #take(messages: readonly ConsumeMessage[]): void {
    const results: SentResult[] = [];
    for (const { content, fields } of messages) {
      const sender = senderOf(fields.routingKey);
      try {
        results.push({ ...readResult(content), sender });
      } catch (error) {
        if (!(error instanceof MalformedMessage)) throw error;
        this.#events.stray(sender, error.message);
      }
    }
    if (results.length > 0) this.#events.arrived(results);
  }

  /** Resolves when what was handed on so far is in the store, however long that fails; rejects when the store is closed. */
  async #stored(): Promise<void> {
    for (;;) {
      try {
        await this.#store.committed();
        return;
      } catch (error) {
        if (this.#store.failure === undefined) throw error;
        await new Promise<void>((resolve) => this.#store.once('recovered', resolve));
      }
    }
  }
}
