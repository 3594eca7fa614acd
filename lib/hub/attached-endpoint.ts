/** An endpoint whose agent is attached by the broker: for each user and configuration it runs a {@link UserEndpoint}. */
import { createHash, randomUUID } from 'node:crypto';
import type { EndpointId } from '../compute/ids.js';
import type { ConsoleUserEndpoint, EndpointInfo, EndpointListEntry, EndpointStatus } from '../compute/service.js';
import type { AgentRecord, UserEndpointRecord } from './agent-records.js';
import type { TaskBatch, TaskRef } from './batch.js';
import type { EndpointAccess, HubEndpoint } from './endpoint.js';
import type { Identity } from './identity.js';
import { tooManyUserEndpoints } from './refusals.js';
import type { TaskTerms } from './terms.js';
import { UserConfigSchema } from './user-config.js';
import type { UserEndpoint, UserEndpointLimits, UserEndpointSettings } from './user-endpoint.js';
import type { Load } from './user-endpoint-report.js';

export interface AttachedEndpointEvents {
  /** Makes a user endpoint; a new one is kept. */
  userEndpoint(record: UserEndpointRecord, isNew: boolean): UserEndpoint;
  /** One that has no tasks and does not run is given up. */
  givenUp(endpoint: UserEndpoint): void;
}

export interface AttachedEndpointLimits extends UserEndpointLimits {
  /** User endpoints at most. */
  readonly userEndpoints: number;
}

export class AttachedEndpoint implements HubEndpoint {
  readonly #operator: Identity;
  readonly #limits: AttachedEndpointLimits;
  readonly #events: AttachedEndpointEvents;
  #record: AgentRecord;
  #schema: UserConfigSchema;
  readonly #userEndpoints = new Map<string, UserEndpoint>();
  /** Unit: milliseconds of `performance.now()`. */
  #reportedAt = Number.NEGATIVE_INFINITY;
  #isLeaving = false;

  constructor(
    record: AgentRecord,
    userEndpoints: readonly UserEndpointRecord[],
    operator: Identity,
    limits: AttachedEndpointLimits,
    events: AttachedEndpointEvents,
  ) {
    this.#record = record;
    this.#operator = operator;
    this.#limits = limits;
    this.#events = events;
    this.#schema = new UserConfigSchema(record.registration.metadata?.user_config_schema);
    for (const kept of userEndpoints) {
      this.#userEndpoints.set(keyOf(kept.settings), events.userEndpoint(kept, false));
    }
  }

  get record(): AgentRecord {
    return this.#record;
  }

  /** It was registered anew. */
  renew(record: AgentRecord): void {
    this.#record = record;
    this.#schema = new UserConfigSchema(record.registration.metadata?.user_config_schema);
  }

  get id(): EndpointId {
    return this.record.id;
  }

  get access(): EndpointAccess {
    const { registration, owner } = this.record;
    return {
      ownerId: owner.id,
      // An agent that is not for many users refuses to start anything for another than its owner.
      public: this.#isForMany && registration.public === true,
      allowedFunctions: registration.allowed_functions,
    };
  }

  get entry(): EndpointListEntry {
    const { endpoint_name, display_name } = this.record.registration;
    return {
      uuid: this.id,
      name: endpoint_name,
      display_name: display_name ?? endpoint_name,
      owner: this.record.owner.id,
    };
  }

  get info(): EndpointInfo {
    const { registration } = this.record;
    const { metadata = {} } = registration;
    const { endpoint_config, user_config_template, user_config_schema, description } = metadata;
    const { hostname, local_user, ip_address, endpoint_version, sdk_version, python_version } = metadata;
    return {
      uuid: this.id,
      name: registration.endpoint_name,
      display_name: registration.display_name ?? registration.endpoint_name,
      multi_user: this.#isForMany,
      high_assurance: false,
      public: registration.public === true,
      ...(endpoint_config && { endpoint_config }),
      ...(user_config_template && { user_config_template }),
      ...(user_config_schema && { user_config_schema }),
      ...(description && { description }),
      ...(hostname && { hostname }),
      ...(local_user && { local_user }),
      ...(ip_address && { ip_address }),
      ...(endpoint_version && { endpoint_version }),
      ...(sdk_version && { sdk_version }),
      ...(python_version && { python_version }),
      subscription_admin_verified: false,
    };
  }

  get status(): EndpointStatus {
    const endpoints = [...this.#userEndpoints.values()];
    const loads = endpoints.map((endpoint) => endpoint.load);
    const sum = (member: keyof Load) => loads.reduce((total, load) => total + load[member], 0);
    return {
      status: this.isOnline ? 'online' : 'offline',
      details: {
        total_workers: sum('workers'),
        idle_workers: sum('idleWorkers'),
        pending_tasks: sum('queued'),
        outstanding_tasks: sum('running') + sum('queued'),
        managers: endpoints.filter((endpoint) => endpoint.report !== undefined).length,
      },
    };
  }

  /** Those that were ever started and not given up; what a process says of itself is shown while that is there. */
  get console(): ConsoleUserEndpoint[] {
    const { python_version, endpoint_version } = this.record.registration.metadata ?? {};
    // A user endpoint does not tell its own versions: the agent starts it from the same installation, if nothing is changed.
    const versions = { ...(python_version && { python_version }), ...(endpoint_version && { endpoint_version }) };
    return [...this.#userEndpoints.values()].map((endpoint) => consoleOf(endpoint, versions));
  }

  get isOnline(): boolean {
    if (!this.startsOthers) return [...this.#userEndpoints.values()].some((endpoint) => endpoint.report !== undefined);
    return !this.#isLeaving && performance.now() - this.#reportedAt <= this.#limits.offlineAfterMs;
  }

  /** Why the agent's schema of configurations cannot be used here, if so. */
  get schemaProblem(): string | undefined {
    return this.#schema.problem;
  }

  /** Agents before version 4 that are for one user take the tasks themselves. Source: Globus Compute, changelog of 4.0. */
  get startsOthers(): boolean {
    const major = Number.parseInt(this.record.registration.metadata?.endpoint_version ?? '', 10);
    return this.#isForMany || !(major < 4);
  }

  get #isForMany(): boolean {
    return this.record.registration.multi_user === true;
  }

  get userEndpoints(): Iterable<UserEndpoint> {
    return this.#userEndpoints.values();
  }

  check(terms: TaskTerms | undefined): void {
    if (this.startsOthers) this.#schema.check(terms?.user_endpoint_config ?? {});
    if (this.#isFull && !this.#userEndpoints.has(keyOf(this.#settingsFor(terms))) && this.#idle === undefined) {
      throw tooManyUserEndpoints(this.id, this.#limits.userEndpoints);
    }
  }

  submit(batch: TaskBatch): void {
    const settings = this.#settingsFor(batch.terms);
    const key = keyOf(settings);
    let endpoint = this.#userEndpoints.get(key);
    if (endpoint === undefined) {
      if (this.#isFull) this.#giveUpIdle();
      const id = this.startsOthers ? randomUUID() : this.id;
      endpoint = this.#events.userEndpoint({ id, settings, incarnation: '' }, true);
      this.#userEndpoints.set(key, endpoint);
    }
    endpoint.submit(batch);
  }

  cancel(task: TaskRef): boolean {
    for (const endpoint of this.#userEndpoints.values()) if (endpoint.holds(task)) return endpoint.cancel(task);
    return false;
  }

  forget(): void {} // An agent gets the code of a function with each task.

  /** What the agent says of itself. */
  reported(state: Readonly<Record<string, unknown>>): void {
    this.#reportedAt = performance.now();
    this.#isLeaving = state.heartbeat_period === 0;
    if (this.isOnline) this.look();
  }

  /** The hub has left the broker where it is. */
  forgetReports(): void {
    this.#reportedAt = Number.NEGATIVE_INFINITY;
    for (const endpoint of this.#userEndpoints.values()) endpoint.forgetReports();
  }

  look(): void {
    for (const endpoint of this.#userEndpoints.values()) endpoint.look();
  }

  get #isFull(): boolean {
    return this.#userEndpoints.size >= this.#limits.userEndpoints;
  }

  get #idle(): string | undefined {
    for (const [key, { open, report }] of this.#userEndpoints) if (open === 0 && report === undefined) return key;
    return undefined;
  }

  #giveUpIdle(): void {
    const key = this.#idle;
    const idle = key === undefined ? undefined : this.#userEndpoints.get(key);
    if (key === undefined || idle === undefined) return;
    this.#userEndpoints.delete(key);
    this.#events.givenUp(idle);
  }

  #settingsFor(terms: TaskTerms | undefined): UserEndpointSettings {
    return {
      user: this.#isForMany ? (terms?.submitter ?? this.#operator) : this.record.owner,
      config: this.startsOthers ? (terms?.user_endpoint_config ?? {}) : {},
      python: this.startsOthers ? terms?.user_runtime?.python?.version : undefined,
    };
  }

  async close(): Promise<TaskBatch[]> {
    const batches = await Promise.all([...this.#userEndpoints.values()].map((endpoint) => endpoint.close()));
    return [...new Set(batches.flat())];
  }
}

/** A short name of the configuration for the agent's logs and folders. */
export function nameOf(endpointId: string, settings: UserEndpointSettings): string {
  return `uep.${endpointId}.${createHash('sha256').update(keyOf(settings)).digest('hex').slice(0, 32)}`;
}

function keyOf({ user, config, python }: UserEndpointSettings): string {
  return canonical([user.id, config, python ?? null]);
}

/** JSON with the members of objects in order, so that the same configuration has the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

function consoleOf(
  { id, report, load, executed, lastReport, clientVersions }: UserEndpoint,
  versions: Pick<ConsoleUserEndpoint, 'python_version' | 'endpoint_version'>,
): ConsoleUserEndpoint {
  return {
    user_endpoint_id: id,
    active: report !== undefined,
    ...(report !== undefined && { ...versions, ...report.shown }),
    client_sdk_versions: clientVersions.all,
    ...(lastReport !== undefined && { last_heartbeat_unix: lastReport / 1000 }),
    total_worker_count: load.workers,
    idle_worker_count: load.idleWorkers,
    running_task_count: load.running,
    queued_task_count: load.queued,
    executed_task_count: executed,
  };
}
