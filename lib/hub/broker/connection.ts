/** Keeps the hub connected to the broker: connects again and again, for as long as the hub is open. */
import { setTimeout } from 'node:timers/promises';
import { type ChannelModel, connect } from 'amqplib';
import { pRetry } from '../../vendor.js';
import { brokerUrl, connectOptions } from './address.js';
import { Session } from './session.js';

/** Pauses between two attempts, and longest attempt. Unit: milliseconds. */
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
const ATTEMPT_MS = 15_000;

export interface ConnectionEvents {
  /** Prepares a new session: nobody else sees it before this resolves. Rejecting, it is ended and made anew. */
  prepare(session: Session): Promise<void>;
  connected(session: Session): void;
  /** The session was lost, or could not be made. Told once until it is connected again. */
  disconnected(reason: string): void;
}

export class BrokerConnection {
  readonly #url: URL;
  readonly #name: string;
  readonly #events: ConnectionEvents;
  readonly #closing = new AbortController();
  #session: Session | undefined;
  #isOpen = false;
  #isToldLost = false;

  /** @param name for the broker's administrator */
  constructor(url: string, name: string, events: ConnectionEvents) {
    this.#url = brokerUrl(url, 'The URL of the broker');
    this.#name = name;
    this.#events = events;
  }

  /** Begins to connect. */
  open(): void {
    if (!this.#isOpen) void this.#keepConnected();
    this.#isOpen = true;
  }

  /** Undefined while there is none. */
  get session(): Session | undefined {
    return this.#session?.isOpen ? this.#session : undefined;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#session?.end();
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await pRetry(() => this.#connectOnce(), {
          retries: Number.POSITIVE_INFINITY,
          minTimeout: SHORTEST_PAUSE_MS,
          maxTimeout: LONGEST_PAUSE_MS,
          randomize: true,
          signal,
          onFailedAttempt: ({ error }) => this.#lost(error.message),
        });
      } catch (error) {
        if (!signal.aborted) this.#lost(error instanceof Error ? error.message : String(error));
      }
      await setTimeout(SHORTEST_PAUSE_MS, undefined, { signal }).catch(() => {}); // It is being closed.
    }
  }

  /** Resolves when a session that could be made has ended; rejects when none could be made. */
  async #connectOnce(): Promise<void> {
    const options = connectOptions(this.#url);
    const model: ChannelModel = await connect(options, {
      timeout: ATTEMPT_MS,
      // Otherwise the end of what is published may wait 40 ms for an acknowledgement by TCP (RFC 896, RFC 1122 4.2.3.2).
      noDelay: true,
      servername: options.hostname,
      clientProperties: { connection_name: this.#name },
    });
    const ended = new Promise<string>((resolve) => {
      model.once('close', (error) => resolve(error?.message ?? 'it was closed'));
    });
    const session = await Session.over(model);
    if (this.#closing.signal.aborted) {
      void session.end();
      return;
    }
    try {
      await this.#events.prepare(session);
    } catch (error) {
      await session.end();
      throw error;
    }
    if (this.#closing.signal.aborted) void session.end();
    else {
      this.#session = session;
      this.#isToldLost = false;
      this.#events.connected(session);
    }
    const reason = await ended;
    this.#session = undefined;
    if (!this.#closing.signal.aborted) this.#lost(reason);
  }

  #lost(reason: string): void {
    if (this.#isToldLost) return;
    this.#isToldLost = true;
    this.#events.disconnected(reason);
  }
}
