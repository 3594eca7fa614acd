/**
 * The endpoints of a hub, local pools and attached agents, and the way of tasks to them: those of the last process wait
 * until their endpoint is there, and none is given out twice or left behind while an endpoint is opened or closed.
 */
import { randomUUID } from 'node:crypto';
import type { EndpointId, FunctionId } from '../compute/ids.js';
import type { Store } from '../storage/index.js';
import { idOf, type Task, type TaskBatch } from './batch.js';
import type { HubEndpoint } from './endpoint.js';
import type { FunctionBook } from './functions.js';
import { LocalEndpoint, type LocalEndpointOptions } from './local-endpoint.js';
import { endpointNotFound, functionNotFound } from './refusals.js';
import type { TaskBook } from './task-book.js';
import { failure } from './workers/ending.js';
import type { PoolEvents } from './workers/pool.js';
import type { Recordings } from './workers/recordings.js';

export interface EndpointParts {
  readonly store: Store;
  readonly functions: FunctionBook;
  readonly tasks: TaskBook;
  /** Of the workers of this machine. */
  readonly recordings: Recordings;
  /** Told how tasks end. */
  readonly ended: PoolEvents['ended'];
}

export class Endpoints {
  readonly #parts: EndpointParts;
  readonly #open = new Map<EndpointId, HubEndpoint>();
  /** Batches that wait for their endpoint. */
  readonly #inherited: TaskBatch[];
  /** Tasks that are written down before their endpoint gets them. */
  readonly #accepting = new Set<Promise<void>>();
  /** Batches whose endpoint was being closed by the time they were written down. */
  readonly #late: TaskBatch[] = [];
  /** Settles when no endpoint is being opened or closed: one at a time, as two may have the same name. */
  #changing: Promise<unknown> = Promise.resolve();
  /** What an endpoint asks for and tells. */
  readonly events: PoolEvents;

  /** @param inherited batches of the last process */
  constructor(parts: EndpointParts, inherited: readonly TaskBatch[]) {
    this.#parts = parts;
    this.#inherited = [...inherited];
    const { functions, tasks, ended } = parts;
    this.events = {
      moved: (moved) => tasks.touchEach(moved),
      ended,
      functionOf: ({ functionId, serializers }) => {
        const held = functions.held(functionId, serializers);
        if (held === undefined) throw functionNotFound(functionId);
        return held;
      },
    };
    functions.onDropped = (key) => {
      for (const endpoint of this.#open.values()) endpoint.forget(key);
    };
  }

  get all(): Iterable<HubEndpoint> {
    return this.#open.values();
  }

  /** An endpoint that is open at this moment. */
  get(id: EndpointId): HubEndpoint | undefined {
    return this.#open.get(id);
  }

  /** An open endpoint; one that is just being opened, or replaced, is waited for. Throws ENDPOINT_NOT_FOUND. */
  async find(id: EndpointId): Promise<HubEndpoint> {
    if (!this.#open.has(id)) await this.#changing;
    const endpoint = this.#open.get(id);
    if (endpoint === undefined) throw endpointNotFound(id);
    return endpoint;
  }

  /** Changes which endpoints there are, after the changes that were asked for before. */
  change<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(change);
    this.#changing = changed.catch(() => {});
    return changed;
  }

  /** Within {@link change}: opens a pool, or replaces its workers where the options are others. */
  async openLocal(options: LocalEndpointOptions): Promise<EndpointId> {
    const id = await this.#idOf(options.name);
    const open = this.#open.get(id);
    if (open instanceof LocalEndpoint && open.hasOptions(options)) return id;
    const endpoint = new LocalEndpoint(id, options, this.events, this.#parts.recordings);
    await this.keepBack(id);
    await this.attach(endpoint);
    return id;
  }

  /** Within {@link change}: closes an endpoint. Its tasks wait until it is opened again. */
  async keepBack(id: EndpointId): Promise<void> {
    this.#inherited.push(...(await this.detach(id)));
  }

  /** Within {@link change}: opens an endpoint, and gives it the tasks that waited for it. */
  async attach(endpoint: HubEndpoint): Promise<void> {
    this.#open.set(endpoint.id, endpoint);
    const own = this.#inherited.filter((batch) => batch.endpointId === endpoint.id);
    for (const batch of own) this.#inherited.splice(this.#inherited.indexOf(batch), 1);
    for (const batch of own) await this.#takeUp(batch, endpoint);
  }

  /** Within {@link change}: closes an endpoint, and gives its batches whose tasks have not ended. */
  async detach(id: EndpointId): Promise<TaskBatch[]> {
    const endpoint = this.#open.get(id);
    this.#open.delete(id);
    await Promise.all(this.#accepting);
    const late = this.#late.filter((batch) => batch.endpointId === id);
    for (const batch of late) this.#late.splice(this.#late.indexOf(batch), 1);
    return endpoint === undefined ? late : [...(await endpoint.close()), ...late];
  }

  /** Gives an endpoint tasks that it has been found for. */
  give(endpoint: HubEndpoint, batches: readonly TaskBatch[]): void {
    if (this.#open.get(endpoint.id) !== endpoint) this.#late.push(...batches);
    else for (const batch of batches) endpoint.submit(batch);
  }

  /**
   * As {@link give}, when the tasks are on the disk, or cannot be written for now. Before that, what runs them would compete
   * with the commit, and so hold up the reply that a client waits for before it sends more.
   */
  async giveOnceDurable(endpoint: HubEndpoint, batches: readonly TaskBatch[]): Promise<void> {
    const given = this.#parts.store.flush().finally(() => this.give(endpoint, batches));
    const settled = given.catch(() => {}); // Who submits is told.
    this.#accepting.add(settled);
    try {
      await given;
    } finally {
      this.#accepting.delete(settled);
    }
  }

  /** @param graceMs how long tasks that run on this machine may take to end. Unit: milliseconds */
  async close(graceMs: number): Promise<void> {
    await this.#changing;
    await Promise.all(this.#accepting);
    await Promise.all([...this.#open.values()].map((endpoint) => endpoint.close(graceMs)));
    this.#open.clear();
  }

  async #idOf(name: string): Promise<EndpointId> {
    const { store } = this.#parts;
    store.write('INSERT OR IGNORE INTO endpoints (name, endpoint_uuid) VALUES (?, ?)', [name, randomUUID()]);
    const row = await store.get('SELECT endpoint_uuid FROM endpoints WHERE name = ?', [name]);
    return String(row?.endpoint_uuid) as EndpointId;
  }

  async #takeUp(batch: TaskBatch, endpoint: HubEndpoint): Promise<void> {
    try {
      await this.#load(batch.functionId);
      endpoint.submit(batch);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const waiting = batch.tasks.filter((task: Task) => this.#parts.tasks.find(idOf(task)));
      this.#parts.ended(waiting.map((task) => [task, failure('FUNCTION_NOT_FOUND', message)] as const));
    }
  }

  async #load(id: FunctionId): Promise<void> {
    const { functions } = this.#parts;
    while (functions.held(id) === undefined) await functions.load([id]);
  }
}
