/** A local endpoint: a named pool of Python workers on this machine, as the service shows an endpoint. */
import os from 'node:os';
import { InputError } from '../compute/errors.js';
import type { EndpointId, FunctionId } from '../compute/ids.js';
import type { ConsoleUserEndpoint, EndpointInfo, EndpointListEntry, EndpointStatus } from '../compute/service.js';
import type { TaskBatch, TaskRef } from './batch.js';
import { ClientVersions } from './client-versions.js';
import type { EndpointAccess, HubEndpoint } from './endpoint.js';
import { localUser } from './local-user.js';
import { semanticallyInvalid } from './refusals.js';
import type { TaskTerms } from './terms.js';
import { type PoolEvents, WorkerPool } from './workers/pool.js';
import type { Recordings } from './workers/recordings.js';

/** Variables that user functions see of this process's environment, if nothing else is said. */
export const DEFAULT_ENVIRONMENT: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'VIRTUAL_ENV',
  'PYTHONPATH',
  'LD_LIBRARY_PATH',
  'SYSTEMROOT',
];

export interface LocalEndpointOptions {
  /** Names the endpoint for good: the same name has the same id after a restart. */
  readonly name: string;
  /** What people see. @default the name */
  readonly displayName?: string;
  /** Interpreter. @default `python3` on the PATH */
  readonly python?: string;
  /** Worker processes at most. @default one for each processor */
  readonly workers?: number;
  /** Working folder of functions. @default that of this process */
  readonly cwd?: string;
  /** Names of environment variables that functions see beside {@link DEFAULT_ENVIRONMENT}. */
  readonly envAllow?: readonly string[];
  /** Longest run of one task, in seconds. @default none */
  readonly timeLimit?: number;
  /** Address space of a worker, in MB (10^6 bytes). @default none */
  readonly memoryLimit?: number;
  /** A worker is replaced after this many tasks. @default never */
  readonly restartAfter?: number;
  /** Workers end after this many seconds without a task; 0: never. @default 300 */
  readonly idleShutdown?: number;
  /** Other users of the hub may use it. @default false */
  readonly public?: boolean;
  /** Ids of the only functions that other users may run on it. @default any that they may run */
  readonly allowedFunctions?: readonly FunctionId[];
}

const IDLE_SHUTDOWN_SECONDS = 300;

export class LocalEndpoint implements HubEndpoint {
  readonly #pool: WorkerPool;
  readonly access: EndpointAccess;
  readonly #name: string;
  readonly #displayName: string;
  readonly #options: string;
  readonly #openedAt = new Date();
  readonly #clientVersions = new ClientVersions();

  constructor(
    readonly id: EndpointId,
    options: LocalEndpointOptions,
    events: PoolEvents,
    recordings: Recordings,
  ) {
    this.#options = JSON.stringify(options);
    this.#name = options.name;
    this.#displayName = options.displayName ?? options.name;
    const timeLimit = positive('timeLimit', options.timeLimit, 'seconds');
    const memoryLimit = positive('memoryLimit', options.memoryLimit, 'MB');
    const idle = options.idleShutdown ?? IDLE_SHUTDOWN_SECONDS;
    if (!(idle >= 0)) throw new InputError(`idleShutdown is ${idle}; expected seconds, 0 for never.`);
    this.access = {
      ownerId: undefined,
      public: options.public ?? false,
      allowedFunctions: options.allowedFunctions?.map((id) => id.toLowerCase()),
    };
    this.#pool = new WorkerPool(
      {
        python: options.python ?? 'python3',
        workers: Math.ceil(positive('workers', options.workers, 'processes') ?? os.availableParallelism()),
        cwd: options.cwd ?? process.cwd(),
        env: environment(options.envAllow ?? []),
        timeLimitMs: timeLimit === undefined ? undefined : timeLimit * 1000,
        memoryBytes: memoryLimit === undefined ? undefined : Math.floor(memoryLimit * 1e6),
        restartAfter: positive('restartAfter', options.restartAfter, 'tasks'),
        idleMs: idle === 0 ? undefined : idle * 1000,
        recordings,
      },
      events,
    );
  }

  /** Whether it was opened with just these options. */
  hasOptions(options: LocalEndpointOptions): boolean {
    return this.#options === JSON.stringify(options);
  }

  get entry(): EndpointListEntry {
    return { uuid: this.id, name: this.#name, display_name: this.#displayName, owner: localUser() };
  }

  get info(): EndpointInfo {
    return {
      uuid: this.id,
      name: this.#name,
      display_name: this.#displayName,
      multi_user: false,
      high_assurance: false,
      public: this.access.public,
      hostname: os.hostname(),
      local_user: localUser(),
      subscription_admin_verified: false,
    };
  }

  get status(): EndpointStatus {
    return this.#pool.status;
  }

  /** Its process is the hub's, and it reports to nobody. */
  get console(): ConsoleUserEndpoint[] {
    const { status, details } = this.#pool.status;
    const { total_workers = 0, idle_workers = 0, outstanding_tasks = 0 } = details ?? {};
    const running = total_workers - idle_workers;
    const python = this.#pool.pythonVersion;
    return [
      {
        user_endpoint_id: this.id,
        active: status === 'online',
        ...(python !== undefined && { python_version: python }),
        client_sdk_versions: this.#clientVersions.all,
        posix_pid: process.pid,
        posix_username: localUser(),
        start_time_iso: this.#openedAt.toISOString(),
        start_time_unix: this.#openedAt.getTime() / 1000,
        total_worker_count: total_workers,
        idle_worker_count: idle_workers,
        running_task_count: running,
        queued_task_count: outstanding_tasks - running,
        executed_task_count: this.#pool.executed,
      },
    ];
  }

  check(terms: TaskTerms | undefined): void {
    if (terms?.resource_specification === undefined) return;
    throw semanticallyInvalid(
      `Endpoint ${this.id} runs functions in plain workers and takes no resource_specification. Leave it out, or choose an endpoint with an MPI engine.`,
    );
  }

  submit(batch: TaskBatch): void {
    this.#clientVersions.note(batch.terms);
    this.#pool.submit(batch);
  }

  cancel(task: TaskRef): boolean {
    return this.#pool.cancel(task);
  }

  forget(functionKey: number): void {
    this.#pool.forget(functionKey);
  }

  close(graceMs?: number): Promise<TaskBatch[]> {
    return this.#pool.close(graceMs);
  }
}

function positive(name: string, value: number | undefined, unit: string): number | undefined {
  if (value === undefined) return undefined;
  if (!(value > 0) || !Number.isFinite(value)) {
    throw new InputError(`${name} is ${value}; expected a positive number of ${unit}.`);
  }
  return value;
}

function environment(more: readonly string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of [...DEFAULT_ENVIRONMENT, ...more]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}
