/** The embedded hub of this process: one a file, shared by the clients, opened by the first and closed with the last. */
import { dirname } from 'node:path';
import { Hub } from '../../lib/hub/hub.js';
import { HubService } from '../../lib/hub/hub-service.js';

/** Told of what a person should know of: the hub cannot write, or its file was damaged. */
export type Warn = (message: string) => void;

/** How the hub lets others in: the Python SDK, and endpoint agents by RabbitMQ. */
export interface Sharing {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** `amqp(s)://` URL with user name and password; undefined: the SDK's Client alone. */
  readonly amqp: string | undefined;
}

interface Opened {
  readonly hub: Hub;
  readonly service: HubService | undefined;
}

/** People read it in Node-RED's log. */
type Tell = (message: string) => void;

export class SharedHub {
  static readonly #byFile = new Map<string, SharedHub>();

  static of(file: string): SharedHub {
    let hub = SharedHub.#byFile.get(file);
    if (hub === undefined) {
      hub = new SharedHub(file);
      SharedHub.#byFile.set(file, hub);
    }
    return hub;
  }

  #users = 0;
  #opened: Promise<Opened> | undefined;
  /** What the clients want of it, by their ids. One is enough for all. */
  readonly #wishes = new Map<string, Sharing>();
  /** How it is shared since it was opened. */
  #sharing: Sharing | undefined;
  /** A hub that is opened again waits until its file is free. */
  #closed: Promise<void> = Promise.resolve();

  private constructor(readonly file: string) {}

  /**
   * Says how a client wants the hub to be shared. It is opened so; while it is open, what changes has to wait.
   *
   * @returns whether a wish has to wait
   */
  want(client: string, sharing: Sharing | undefined): boolean {
    if (sharing === undefined) this.#wishes.delete(client);
    else this.#wishes.set(client, sharing);
    return this.#opened !== undefined && sharing !== undefined && !isSame(sharing, this.#sharing);
  }

  /**
   * The hub, open. Whoever asked gives it back with {@link release}, also when it could not be opened.
   *
   * @throws FuncXError `STORE_LOCKED` or `STORE_FAILED`; `LISTEN_FAILED` when the port cannot be had
   */
  async acquire(warn: Warn, tell: Tell): Promise<Hub> {
    this.#users++;
    this.#opened ??= this.#closed.then(() => this.#open(warn, tell));
    return (await this.#opened).hub;
  }

  async release(): Promise<void> {
    this.#users--;
    if (this.#users > 0 || this.#opened === undefined) return;
    const opened = this.#opened;
    this.#opened = undefined;
    this.#closed = opened.then(
      async ({ hub, service }) => {
        await service?.close();
        await hub.close();
      },
      () => {},
    );
    await this.#closed;
  }

  async #open(warn: Warn, tell: Tell): Promise<Opened> {
    const [sharing, ...others] = [...this.#wishes.values()];
    if (others.some((other) => !isSame(other, sharing))) {
      warn('Clients differ in how the hub is shared. The first of them decides.');
    }
    this.#sharing = sharing;
    const hub = await this.#openHub(warn, sharing?.amqp);
    if (sharing === undefined) return { hub, service: undefined };
    hub.on('agents', ({ kind, message }) => (kind === 'connected' ? tell : warn)(message));
    try {
      const service = await HubService.open(hub, { host: '127.0.0.1', port: sharing.port, folder: dirname(this.file) });
      tell(`The hub is at ${service.url}. What the Python SDK and agents need is in ${service.client.environmentFile}`);
      return { hub, service };
    } catch (error) {
      await hub.close();
      throw error;
    }
  }

  async #openHub(warn: Warn, amqp: string | undefined): Promise<Hub> {
    const hub = await Hub.open({
      file: this.file,
      ...(amqp !== undefined && { broker: { url: amqp } }),
      onDamaged: ({ movedTo }) =>
        warn(`${this.file} was damaged. An empty one takes its place; it is kept as ${movedTo}.`),
    });
    hub.on('failing', (error) => warn(`Tasks and results cannot be stored at the moment: ${error.message}`));
    hub.on('recovered', () => warn('Tasks and results can be stored again.'));
    return hub;
  }
}

function isSame(one: Sharing | undefined, other: Sharing | undefined): boolean {
  return one?.port === other?.port && one?.amqp === other?.amqp;
}
