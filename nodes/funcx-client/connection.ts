import type { NodeAPI } from 'node-red';
import { type FlowCounts, FuncXClient } from '../../lib/client.js';
import { FuncXError } from '../../lib/compute/errors.js';
import type { Hub } from '../../lib/hub/hub.js';
import { findPython } from '../../lib/hub/interpreter.js';
import { Ledger } from '../../lib/tasks/ledger.js';
import type { Eventually } from '../shared/eventually.js';
import { MESSAGE_PARCELS } from '../shared/parcels.js';
import type { WorkListener } from '../shared/types.js';
import { onDeploy } from './deploys.js';
import type { ClientSettings } from './settings.js';
import type { SharedHub, Warn } from './shared-hub.js';

/** A failed opening is tried again by the first message after this time. Unit: milliseconds. */
const RETRY_MS = 5000;

/**
 * How long a client without its node is kept open for the next one. A deploy may take as long as Node-RED waits for nodes
 * to close, 15 s, and a little more. Unit: milliseconds.
 */
const REST_MS = 20_000;

export interface ConnectionEvents {
  readonly warn: Warn;
  /** Told of what is as it should be, for the log. */
  readonly tell: (message: string) => void;
  failed(error: unknown): void;
}

interface Open {
  readonly hub: Hub;
  readonly client: FuncXClient;
  readonly ledger: Ledger;
}

/**
 * The life of one client. It opens for its first user and closes when it is no longer used; it outlives its node during a
 * deploy, with everything that is under way.
 */
export class Connection {
  static readonly #byClient = new Map<string, Connection>();

  /** The connection of a client, which an earlier node of the same id may have left. */
  static of(hub: SharedHub, id: string): Connection {
    const key = `${hub.file} ${id}`;
    let connection = Connection.#byClient.get(key);
    if (connection === undefined) {
      connection = new Connection(hub, id, () => Connection.#byClient.delete(key));
      Connection.#byClient.set(key, connection);
    }
    return connection;
  }

  readonly #openListeners = new Set<(client: FuncXClient) => void>();
  readonly #workListeners = new Set<WorkListener>();
  #settings: () => ClientSettings = () => {
    throw new FuncXError('CLOSED', 'The client is closed.');
  };
  #events: ConnectionEvents = { warn: () => {}, tell: () => {}, failed: () => {} };
  #users = 0;
  /** For users: not while it is opened or gets other settings. */
  #client: FuncXClient | undefined;
  /** From its opening until its end, also while other settings cannot be applied. */
  #live: Open | undefined;
  #paused = false;
  #opening: Promise<Open> | undefined;
  /** Why it could not be opened, and when. */
  #failure: { readonly error: unknown; readonly at: number } | undefined;
  #resting: NodeJS.Timeout | undefined;
  /** Gives up an opening that is no longer wanted. */
  #abort = new AbortController();
  /** What is opened again waits until the last is closed. */
  #closing: Promise<void> = Promise.resolve();

  private constructor(
    readonly hub: SharedHub,
    readonly id: string,
    readonly onClosed: () => void,
  ) {}

  get isOpen(): boolean {
    return this.#client !== undefined;
  }

  get counts(): FlowCounts | undefined {
    return this.#client?.counts;
  }

  get users(): number {
    return this.#users;
  }

  /** A node takes the connection over, perhaps with other settings. */
  adopt(settings: () => ClientSettings, events: ConnectionEvents): void {
    clearTimeout(this.#resting);
    this.#resting = undefined;
    this.#settings = settings;
    this.#events = events;
    if (this.#failure !== undefined) this.#opening = undefined;
    else if (this.#opening !== undefined) this.#follow(this.#opening.then((open) => this.#apply(open)));
  }

  /** The node is closed; the next one comes soon, or never. Resolves when what is under way is on disk. */
  async rest(RED: NodeAPI): Promise<void> {
    this.#users = 0;
    this.#openListeners.clear();
    this.#workListeners.clear();
    const opening = this.#opening;
    if (opening === undefined) return this.#closing;
    this.#resting = setTimeout(() => void this.close(), REST_MS);
    this.#resting.unref();
    const forget = onDeploy(RED, {
      beforeStop: () => {},
      afterStart: () => {
        forget();
        if (this.#resting !== undefined) void this.close();
      },
    });
    try {
      await (await opening).ledger.rest(true);
    } catch (error) {
      this.#events.warn(`What is under way could not be stored: ${messageOf(error)}`);
    }
  }

  /**
   * The client, or the promise of it. Only for users.
   *
   * @throws what kept it from opening, until it is tried again
   */
  client(): Eventually<FuncXClient> {
    if (this.#client !== undefined) return this.#client;
    if (this.#failure !== undefined) {
      if (performance.now() - this.#failure.at <= RETRY_MS) throw this.#failure.error;
      this.#begin();
    }
    return this.#opened();
  }

  /** Follows the client through deploys. */
  async #opened(): Promise<FuncXClient> {
    for (let opening = this.#opening; opening !== undefined; opening = this.#opening) {
      const open = await opening.catch((error) => {
        if (opening === this.#opening) throw error;
      });
      if (open !== undefined && opening === this.#opening) return open.client;
    }
    throw new FuncXError('CLOSED', 'The client is closed.');
  }

  onOpen(listener: (client: FuncXClient) => void): () => void {
    this.#openListeners.add(listener);
    if (this.#client !== undefined) listener(this.#client);
    return () => this.#openListeners.delete(listener);
  }

  /** Tells whenever work may begin, at once when it may. The function given back stops that. */
  onWork(listener: WorkListener): () => void {
    this.#workListeners.add(listener);
    if (this.#client !== undefined && !this.#paused) listener.begin(this.#client);
    return () => this.#workListeners.delete(listener);
  }

  /** Adds a user, and opens the client for the first. */
  join(): void {
    this.#users++;
    if (this.#opening === undefined) this.#begin();
  }

  /** Takes a user away. The client stays open: a deploy may be about to bring the next one. */
  leave(): void {
    this.#users = Math.max(0, this.#users - 1);
  }

  /** See {@link FuncXClient.settleEstates}; none while the client cannot be opened. */
  async settleEstates(exists: (owner: string) => boolean): Promise<Map<string, number>> {
    const open = await this.#opening?.catch(() => undefined);
    return open?.client.settleEstates(exists) ?? new Map();
  }

  /** Keeps results back while nodes are stopped and started, so that none is sent to a node that is gone. */
  pause(): void {
    this.#paused = true;
    this.#live?.client.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#live?.client.resume();
    this.#startWork();
  }

  #startWork(): void {
    const client = this.#client;
    if (client !== undefined && !this.#paused) for (const listener of [...this.#workListeners]) listener.begin(client);
  }

  /** Never rejects: what goes wrong is told as a warning. */
  closeUnlessUsed(): Promise<void> {
    return this.#users === 0 ? this.#end() : this.#closing;
  }

  /** Closes for good, whoever uses it. */
  async close(): Promise<void> {
    clearTimeout(this.#resting);
    this.#resting = undefined;
    this.#users = 0;
    this.onClosed();
    await this.#end();
  }

  #begin(): void {
    this.#failure = undefined;
    this.#abort = new AbortController();
    this.#follow(this.#live === undefined ? this.#open(this.#abort.signal) : this.#apply(this.#live));
  }

  #follow(opening: Promise<Open>): void {
    this.#opening = opening;
    this.#client = undefined;
    opening.then(
      ({ client }) => {
        if (this.#opening !== opening) return;
        this.#client = client;
        for (const listener of this.#openListeners) listener(client);
        this.#startWork();
      },
      () => {}, // Told before what was opened is closed again.
    );
  }

  async #open(signal: AbortSignal): Promise<Open> {
    await this.#closing;
    const settings = this.#settingsOrFail();
    try {
      const [hub, python] = await Promise.all([
        this.hub.acquire(this.#events.warn, this.#events.tell),
        findPython(settings.python, signal),
      ]);
      const endpointId = await hub.localEndpoint({ ...settings.endpoint, python: python.executable });
      const ledger = await Ledger.open(hub.store, this.id, MESSAGE_PARCELS, (page, error) =>
        this.#events.warn(`Page ${page} of what was under way cannot be read, and stays where it is: ${error.message}`),
      );
      const client = await FuncXClient.open({ ...settings.client, service: hub, endpointId, ledger });
      if (this.#paused) client.pause();
      const open = { hub, client, ledger };
      if (!signal.aborted) this.#live = open;
      return open;
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
      await this.hub.release();
      throw error;
    }
  }

  #settingsOrFail(): ClientSettings {
    try {
      return this.#settings();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** The same client under other settings. */
  async #apply(open: Open): Promise<Open> {
    try {
      const settings = this.#settings();
      const python = await findPython(settings.python);
      await open.hub.localEndpoint({ ...settings.endpoint, python: python.executable });
      open.client.configure(settings.client);
      await open.ledger.rest(false);
      return open;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Tells whoever waits while the store still is there, so that it forgets what has ended. */
  #fail(error: unknown): void {
    this.#failure = { error, at: performance.now() };
    this.#events.failed(error);
    for (const listener of [...this.#workListeners]) listener.fail(error);
  }

  #end(): Promise<void> {
    if (this.#opening !== undefined || this.#live !== undefined) {
      this.#abort.abort();
      this.#closing = this.#close(this.#opening, this.#live);
      this.#opening = undefined;
      this.#live = undefined;
      this.#client = undefined;
      this.#failure = undefined;
    }
    return this.#closing;
  }

  /** @param live what stays open when other settings cannot be applied */
  async #close(opening: Promise<Open> | undefined, live: Open | undefined): Promise<void> {
    const open = (await opening?.catch(() => undefined)) ?? live;
    if (open === undefined) return;
    try {
      await open.client.close();
      await open.hub.closeEndpoint(open.client.endpointId);
      await this.hub.release();
    } catch (error) {
      this.#events.warn(`The client was not closed as it should be: ${messageOf(error)}`);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
