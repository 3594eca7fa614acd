/** The hub at one RabbitMQ: its connection there, what it sends to agents, and what it takes from them. */
import { setTimeout } from 'node:timers/promises';
import type { Store } from '../../storage/index.js';
import { AgentLine } from './agent-line.js';
import { BrokerConnection } from './connection.js';
import { Credentials } from './credentials.js';
import { type BrokerNames, senderOf } from './names.js';
import type { BrokerOptions } from './options.js';
import { type InboxEvents, ResultInbox } from './result-inbox.js';
import type { Session } from './session.js';

/** Longest time to bring what is under way to an end when the hub leaves a broker. Unit: milliseconds. */
const LEAVING_MS = 5000;

export interface BrokerEvents extends InboxEvents {
  /** A report of an agent or a user endpoint. */
  reported(content: Buffer, sender: string): void;
  /** @param isNew the broker was started since the hub was last there, or the hub has never been there */
  connected(session: Session, isNew: boolean): void;
  disconnected(reason: string): void;
}

export class Broker {
  readonly credentials: Credentials;
  readonly line: AgentLine;
  readonly #names: BrokerNames;
  readonly #events: BrokerEvents;
  readonly #connection: BrokerConnection;
  readonly #inbox: ResultInbox;

  /** Throws InputError where a URL cannot be used. */
  constructor(options: BrokerOptions, names: BrokerNames, store: Store, hubId: string, events: BrokerEvents) {
    this.#names = names;
    this.#events = events;
    this.credentials = new Credentials(names, options);
    this.#connection = new BrokerConnection(options.url, `funcX hub ${hubId}`, {
      prepare: (session) => this.#prepare(session),
      connected: (session) => {
        const { isBrokerNew } = this.line;
        this.line.isBrokerNew = false;
        events.connected(session, isBrokerNew);
      },
      disconnected: (reason) => events.disconnected(reason),
    });
    this.line = new AgentLine(names, this.#connection, this.credentials);
    this.#inbox = new ResultInbox(names, store, events);
  }

  /** Undefined while it is not reached. */
  get session(): Session | undefined {
    return this.#connection.session;
  }

  /** Begins to connect. */
  open(): void {
    this.#connection.open();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /**
   * Leaves the broker for good. Results that are there by now are taken, and what can't be brought to an end in time, as the
   * broker hangs, is given up. Never rejects.
   *
   * @param settle brings to an end what was sent there
   * @param until by then. Unit: milliseconds of `performance.now()`
   */
  async leave(settle: (until: number) => Promise<unknown>): Promise<void> {
    const { session } = this.#connection;
    if (session !== undefined) {
      const over = new AbortController();
      const settling = settle(performance.now() + LEAVING_MS)
        .then(() => this.#inbox.finish())
        .catch(() => {}); // The session was lost: what was not confirmed or acknowledged is as if not done.
      await Promise.race([settling, setTimeout(LEAVING_MS, undefined, { signal: over.signal }).catch(() => {})]);
      over.abort();
      await session.endSoon();
    }
    await this.#connection.close();
  }

  async #prepare(session: Session): Promise<void> {
    await this.line.prepare(session);
    await this.#inbox.open(session);
    await session.consume(this.#names.heartbeats, undefined, ({ content, fields }) =>
      this.#events.reported(content, senderOf(fields.routingKey)),
    );
  }
}
