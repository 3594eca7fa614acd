/** The embedded hub of this process: one a file, shared by the clients, opened by the first and closed with the last. */
import { dirname } from 'node:path';
import type { BrokerOptions } from '../../lib/hub/broker/options.js';
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
  /** `http(s)://` URL of its management API, with user name and password; undefined: one account for all. */
  readonly management: string | undefined;
}

/** What of it is so. */
type Shared = { readonly [Part in keyof Sharing]?: Sharing[Part] | undefined };

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
  /** How it is shared. */
  #sharing: Shared | undefined;
  /** A hub that is opened again waits until its file is free. */
  #closed: Promise<void> = Promise.resolve();

  private constructor(readonly file: string) {}

  /** Says how a client wants the hub to be shared. It is opened so; an open one is shared so by {@link share}. */
  want(client: string, sharing: Sharing | undefined): void {
    if (sharing === undefined) this.#wishes.delete(client);
    else this.#wishes.set(client, sharing);
  }

  /**
   * Has an open hub shared as the clients want it now, without disturbing it: at another port, or with a RabbitMQ where
   * it had none. Never rejects.
   *
   * @returns false when it has to be opened anew for it: it has another RabbitMQ
   */
  async share(warn: Warn, tell: Tell): Promise<boolean> {
    const opened = this.#opened;
    if (opened === undefined) return true;
    const next = opened.then((open) => this.#shareAnew(open, warn, tell));
    this.#opened = next.then(({ open }) => open);
    this.#opened.catch(() => {}); // Told by whoever opened it.
    return next.then(
      ({ isDone }) => isDone,
      () => true,
    );
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
    const sharing = this.#wished(warn);
    this.#sharing = sharing;
    const hub = await this.#openHub(warn, tell, brokerOf(sharing));
    try {
      return { hub, service: await this.#serve(hub, sharing, tell) };
    } catch (error) {
      await hub.close();
      throw error;
    }
  }

  /** What the first client wants that wants something. */
  #wished(warn: Warn): Sharing | undefined {
    const [sharing, ...others] = [...this.#wishes.values()];
    if (others.some((other) => !isSame(other, sharing))) {
      warn('Clients differ in how the hub is shared. The first of them decides.');
    }
    return sharing;
  }

  async #shareAnew(open: Opened, warn: Warn, tell: Tell): Promise<{ open: Opened; isDone: boolean }> {
    const before = this.#sharing;
    const sharing = this.#wished(warn);
    if (isSame(sharing, before)) return { open, isDone: true };
    const { hub } = open;
    let { service } = open;
    const broker = brokerOf(sharing);
    let hasBroker = before?.amqp === sharing?.amqp && before?.management === sharing?.management;
    const waits = !hasBroker && before?.amqp !== undefined;
    try {
      if (!hasBroker && !waits && broker !== undefined) hasBroker = await hub.attachBroker(broker);
      if (before?.port !== sharing?.port) {
        await service?.close();
        service = undefined;
        service = await this.#serve(hub, sharing, tell);
        if (service === undefined) tell('The hub is shared with nobody any more.');
      }
    } catch (error) {
      warn(error instanceof Error ? error.message : String(error));
    }
    // As it is now: the next deploy tries again what failed.
    const kept = hasBroker ? sharing : before;
    this.#sharing = { port: service && sharing?.port, amqp: kept?.amqp, management: kept?.management };
    return { open: { hub, service }, isDone: !waits };
  }

  async #serve(hub: Hub, sharing: Sharing | undefined, tell: Tell): Promise<HubService | undefined> {
    if (sharing === undefined) return undefined;
    const service = await HubService.open(hub, { host: '127.0.0.1', port: sharing.port, folder: dirname(this.file) });
    tell(`The hub is at ${service.url}. What the Python SDK and agents need is in ${service.client.environmentFile}`);
    return service;
  }

  async #openHub(warn: Warn, tell: Tell, broker: BrokerOptions | undefined): Promise<Hub> {
    const hub = await Hub.open({
      file: this.file,
      ...(broker !== undefined && { broker }),
      onDamaged: ({ movedTo }) =>
        warn(`${this.file} was damaged. An empty one takes its place; it is kept as ${movedTo}.`),
    });
    hub.on('agents', ({ kind, message }) => (kind === 'connected' ? tell : warn)(message));
    hub.on('failing', (error) => warn(`Tasks and results cannot be stored at the moment: ${error.message}`));
    hub.on('recovered', () => warn('Tasks and results can be stored again.'));
    return hub;
  }
}

function brokerOf(sharing: Sharing | undefined): BrokerOptions | undefined {
  if (sharing?.amqp === undefined) return undefined;
  return { url: sharing.amqp, ...(sharing.management !== undefined && { managementUrl: sharing.management }) };
}

function isSame(one: Shared | undefined, other: Shared | undefined): boolean {
  return one?.port === other?.port && one?.amqp === other?.amqp && one?.management === other?.management;
}
