/** One connection to the broker while it lasts, with a channel for each kind of work. */
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import { FuncXError } from '../../compute/errors.js';

/** How long the broker may take to answer whoever ends a connection. Unit: milliseconds. */
const GOODBYE_MS = 1000;

/** The connection was lost before the broker had confirmed: whether it has the message is not known. */
export class SessionLost extends FuncXError {
  constructor() {
    super('SERVICE_UNREACHABLE', 'The connection to the broker was lost.');
  }
}

/** The broker has no queue for the message. */
export class Unroutable extends FuncXError {
  constructor(key: string) {
    super('SERVICE_UNREACHABLE', `The broker has no queue for ${key}.`);
  }
}

/** Messages that are taken from a queue. */
export interface Consumption {
  /** Acknowledges a message and all before it. */
  acknowledge(last: ConsumeMessage): void;
  /** Takes no more. What was given until then can still be acknowledged. */
  cancel(): Promise<void>;
  /** Ends it, and the session with it. Resolves when the broker has heard all that was acknowledged. */
  end(): Promise<void>;
}

export class Session {
  readonly #model: ChannelModel;
  readonly #publishing: ConfirmChannel;
  /** Ids of messages that came back as there is no queue for them; their confirmation comes right after. */
  readonly #returned = new Set<string>();
  #nextId = 1;
  #isOpen = true;
  /** Resolves when the connection is gone. amqplib leaves whoever closes it or a channel just then without an answer. */
  readonly #gone: Promise<void>;

  private constructor(model: ChannelModel, publishing: ConfirmChannel) {
    this.#model = model;
    this.#publishing = publishing;
    this.#guard(publishing);
    publishing.on('return', (message) => this.#returned.add(String(message.properties.messageId)));
    model.on('error', () => {}); // Told by its close.
    this.#gone = new Promise((resolve) => {
      model.once('close', () => {
        this.#isOpen = false;
        resolve();
      });
    });
  }

  static async over(model: ChannelModel): Promise<Session> {
    return new Session(model, await model.createConfirmChannel());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends a message that outlives a restart of the broker, and waits for its confirmation. Rejects with SessionLost or Unroutable. */
  publish(exchange: string, key: string, content: Buffer, options: Options.Publish = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        reject(new SessionLost());
        return;
      }
      const messageId = String(this.#nextId++);
      try {
        this.#publishing.publish(
          exchange,
          key,
          content,
          { persistent: true, mandatory: true, ...options, messageId },
          (error) => {
            if (error) reject(new SessionLost());
            else if (this.#returned.delete(messageId)) reject(new Unroutable(key));
            else resolve();
          },
        );
      } catch {
        reject(new SessionLost()); // The channel is closing.
      }
    });
  }

  /**
   * Takes messages from a queue, on a channel of its own.
   *
   * @param prefetch how many may be out before they are acknowledged; undefined: they need not be
   * @param take may throw: the session then ends, and what was not acknowledged is given again
   */
  async consume(
    queue: string,
    prefetch: number | undefined,
    take: (message: ConsumeMessage) => void,
  ): Promise<Consumption> {
    const channel = await this.#model.createChannel();
    this.#guard(channel);
    if (prefetch !== undefined) await channel.prefetch(prefetch);
    const options = { noAck: prefetch === undefined };
    const deliver = (message: ConsumeMessage | null) => {
      if (!this.#isOpen) return; // It could not be acknowledged: it stays with the broker.
      if (message === null) void this.end();
      else this.attempt(() => take(message));
    };
    const { consumerTag } = await channel.consume(queue, deliver, options);
    return {
      acknowledge: (last) => {
        if (!this.#isOpen) return; // The broker gives them again.
        try {
          channel.ack(last, true);
        } catch {
          void this.end();
        }
      },
      cancel: async () => {
        await Promise.race([channel.cancel(consumerTag), this.#gone]);
      },
      end: () => Promise.race([channel.close(), this.#gone]),
    };
  }

  /** Does something with messages. Where it throws, they were not dealt with: the session ends, and they come again. */
  attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
      void this.end();
    }
  }

  /** Does something whose refusal by the broker may end the channel, such as declaring. */
  async administer<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    if (!this.#isOpen) throw new SessionLost();
    const channel = await this.#model.createChannel();
    channel.on('error', () => {}); // The work rejects with it.
    try {
      return await work(channel);
    } finally {
      await Promise.race([channel.close().catch(() => {}), this.#gone]);
    }
  }

  /** Ends the connection. */
  async end(): Promise<void> {
    this.#isOpen = false;
    await Promise.race([this.#model.close().catch(() => {}), this.#gone]);
  }

  /** As {@link end}, also where the broker does not answer any more. What was not confirmed by then rejects. */
  async endSoon(): Promise<void> {
    const over = new AbortController();
    const late = setTimeout(GOODBYE_MS, undefined, { signal: over.signal }).catch(() => {});
    await Promise.race([this.end(), late]);
    over.abort();
    // Not in amqplib's types: https://github.com/amqp-node/amqplib/blob/main/lib/connection.js
    const { stream } = this.#model.connection as unknown as { readonly stream: Duplex };
    stream.destroy(new SessionLost());
  }

  /** A channel that ends by itself is no way to go on with the others: all is made anew. */
  #guard(channel: Channel): void {
    channel.on('error', () => {});
    channel.once('close', () => {
      if (this.#isOpen) void this.end();
    });
  }
}
