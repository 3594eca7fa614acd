/** The embedded hub of this process: one a file, shared by the clients, opened by the first and closed with the last. */
import { dirname } from 'node:path';
import type { BrokerOptions } from '../../lib/hub/broker/options.js';
import { Hub } from '../../lib/hub/hub.js';
import { HubService } from '../../lib/hub/hub-service.js';
import { Inbox } from '../../lib/tasks/inbox.js';
import { MESSAGE_PARCELS } from '../shared/parcels.js';

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

/** What a client wants. */
interface Wish {
  /** Of the client, for people. */
  readonly name: string;
  readonly sharing: Sharing;
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

  /** Messages for which a client of this hub is not open yet. Like the hub, it is for nodes and not for clients. */
  readonly inbox = new Inbox(MESSAGE_PARCELS);
  #users = 0;
  #opened: Promise<Opened> | undefined;
  /** It is open, and not shared as it should be; who waits for it gets to know before it is closed. */
  #unshared: Hub | undefined;
  /** What the clients want of it, by their ids. One is enough for all. */
  readonly #wishes = new Map<string, Wish>();
  /** What clients wanted before their nodes were stopped. */
  readonly #former = new Map<string, Wish>();
  /** The client that decides, as long as it wants something. */
  #deciding: string | undefined;
  /** How it is shared. */
  #sharing: Shared | undefined;
  /** A hub that is opened again waits until its file is free. */
  #closed: Promise<void> = Promise.resolve();

  private constructor(readonly file: string) {}

  /**
   * Says how a client wants the hub to be shared. It is opened so; an open one is shared so by {@link share}.
   *
   * @param name of the client, for people
   */
  want(client: string, name: string, sharing: Sharing | undefined): void {
    this.#former.delete(client);
    if (sharing === undefined) this.#wishes.delete(client);
    else this.#wishes.set(client, { name, sharing });
  }

  /** The node of a client was stopped: unless another takes its place, the client wants nothing. */
  wantNoMore(client: string): void {
    const wish = this.#wishes.get(client);
    if (wish !== undefined) this.#former.set(client, wish);
    this.#wishes.delete(client);
  }

  /** What the client says now cannot be used: it is taken to want what it wanted before. */
  wantAsBefore(client: string): void {
    const wish = this.#former.get(client);
    if (wish !== undefined) this.#wishes.set(client, wish);
  }

  /**
   * Has an open hub shared as the clients want it now, while its tasks go on: at another port, with another RabbitMQ, or with
   * none. Never rejects: what fails is told, and tried again the next time.
   *
   * @param client on whose behalf: it is told where another client decides
   */
  async share(client: string, warn: Warn, tell: Tell): Promise<void> {
    this.#former.clear(); // All nodes have started: who is not here now is gone.
    const decided = this.#decided();
    const own = this.#wishes.get(client);
    if (decided !== undefined && own !== undefined && !isSame(own.sharing, decided.sharing)) {
      warn(
        `RabbitMQ, Management and Port of the client ${decided.name} count, as it gave them first, and not those of this ` +
          'client: the hub is one for all. Give them in one client alone.',
      );
    }
    if (this.#opened === undefined) return;
    // As it is wanted now: by the time that it can be done, the next deploy may have stopped the nodes.
    this.#opened = this.#opened.then((open) => this.#shareAnew(open, decided?.sharing, warn, tell));
    await this.#opened.catch(() => {}); // Told by whoever opened it.
  }

  /**
   * The hub, open. Whoever asked gives it back with {@link release}, also when it could not be opened.
   *
   * @throws FuncXError `STORE_LOCKED` or `STORE_FAILED`; `LISTEN_FAILED` when the port cannot be had
   */
  async acquire(warn: Warn, tell: Tell): Promise<Hub> {
    this.#users++;
    const sharing = this.#decided()?.sharing;
    this.#opened ??= this.#closed.then(() => this.#open(sharing, warn, tell));
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
        await this.#closeHub(hub);
      },
      () => this.#closeHub(this.#unshared),
    );
    await this.#closed;
  }

  async #open(sharing: Sharing | undefined, warn: Warn, tell: Tell): Promise<Opened> {
    this.#sharing = sharing;
    const hub = await this.#openHub(warn, tell, brokerOf(sharing));
    this.#unshared = hub;
    const service = await this.#serve(hub, sharing, tell);
    this.#unshared = undefined;
    return { hub, service };
  }

  /** What is in the inbox is on the disk then. */
  async #closeHub(hub: Hub | undefined): Promise<void> {
    this.#unshared = undefined;
    try {
      await hub?.close();
    } finally {
      this.inbox.detach();
    }
  }

  /** What counts: the wish of the client that has decided so far, or else of the first that wants something. */
  #decided(): Wish | undefined {
    if (this.#deciding === undefined || !this.#wishes.has(this.#deciding)) [this.#deciding] = this.#wishes.keys();
    return this.#deciding === undefined ? undefined : this.#wishes.get(this.#deciding);
  }

  async #shareAnew({ hub, service }: Opened, sharing: Sharing | undefined, warn: Warn, tell: Tell): Promise<Opened> {
    const before = this.#sharing;
    if (isSame(sharing, before)) return { hub, service };
    const changed = await this.#changeBroker(hub, before, sharing, warn, tell);
    const kept = changed ? sharing : before;
    let served = service;
    if (before?.port !== sharing?.port) {
      await service?.close();
      served = await this.#serve(hub, sharing, tell).catch((error) => {
        warn(messageOf(error));
        return undefined;
      });
      if (sharing === undefined) tell('The hub is shared with nobody any more.');
    }
    // As it is now: the next deploy tries again what failed.
    this.#sharing = { port: served && sharing?.port, amqp: kept?.amqp, management: kept?.management };
    return { hub, service: served };
  }

  /** @returns false when it could not be */
  async #changeBroker(hub: Hub, from: Shared | undefined, to: Sharing | undefined, warn: Warn, tell: Tell) {
    if (from?.amqp === to?.amqp && from?.management === to?.management) return true;
    try {
      await hub.changeBroker(brokerOf(to));
    } catch (error) {
      warn(messageOf(error));
      return false;
    }
    if (to?.amqp === undefined) tell('The hub has no RabbitMQ any more. Agents are offline, and their tasks wait.');
    else if (from?.amqp !== undefined) {
      tell(
        'The hub has left its RabbitMQ for another. Agents are offline until they are started anew; their tasks wait.',
      );
    }
    return true;
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
      onStore: (store) =>
        this.inbox.attach(store, (error) =>
          warn(`A message that waited cannot be read, and stays where it is: ${error.message}`),
        ),
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
