/**
 * What a user endpoint says of itself every half minute, as far as the hub uses it: of the right kind, and of a size that
 * an agent of somebody else cannot fill the hub's memory with. What is not is left out.
 * Source: globus-compute-endpoint 4.15, `get_status_report` of `engines/`, `endpoint.py` (`ep_info`), `interchange.py`.
 */
import type { ConsoleNode, ConsoleUserEndpoint } from '../compute/service.js';

/** Names and versions. Unit: characters. */
const MAX_NAME_CHARS = 256;

/** An agent gives a configuration to a user endpoint by a pipe, which takes no more. Unit: characters. */
const MAX_CONFIG_CHARS = 64 * 1024;

/** Nodes whose details are kept; all are counted. */
const MAX_NODES = 1000;

/** In the shapes of the console. */
type Shown = Pick<
  ConsoleUserEndpoint,
  | 'posix_pid'
  | 'posix_username'
  | 'start_time_iso'
  | 'start_time_unix'
  | 'total_node_count'
  | 'node_info'
  | 'engine_type'
  | 'provider_type'
  | 'account'
  | 'queue'
  | 'config'
>;

export interface UserEndpointReport {
  /** False: it is ending. */
  readonly active: boolean;
  /** What tells this process from the next; empty: it does not say. */
  readonly incarnation: string;
  readonly workers: number;
  /** Seconds between two reports; 0: it is ending. */
  readonly heartbeatSeconds: number | undefined;
  /** The engines that count their tasks say it, which are those that use Parsl; others report 0 tasks whatever they have. */
  readonly idleWorkers: number | undefined;
  /** Tasks that the engine has. */
  readonly outstanding: number;
  /** Those of them that are with no worker. */
  readonly pending: number;
  /** Tasks that the engine was ever given, where it counts them. */
  readonly total: number;
  readonly shown: Shown;
}

type Fields = Readonly<Record<string, unknown>>;

/** @param state the `global_state` of a report */
export function userEndpointReport(state: Fields): UserEndpointReport {
  return {
    active: state.active !== false && state.heartbeat_period !== 0,
    incarnation: incarnationOf(state),
    workers: count(state.total_workers) ?? 0,
    heartbeatSeconds: real(state.heartbeat_period),
    idleWorkers: count(state.idle_workers),
    outstanding: count(state.outstanding_tasks) ?? 0,
    pending: count(state.pending_tasks) ?? 0,
    total: count(state.total_tasks) ?? 0,
    shown: shownOf(state),
  };
}

/** Workers and tasks of a user endpoint. */
export interface Load {
  readonly workers: number;
  readonly idleWorkers: number;
  readonly running: number;
  /** In the hub, with the broker, or with the endpoint and with no worker. */
  readonly queued: number;
}

/**
 * @param report undefined: it is not there, and runs nothing
 * @param unsent tasks that the hub has
 * @param sent tasks that went out and have not ended
 */
export function loadOf(report: UserEndpointReport | undefined, unsent: number, sent: number): Load {
  if (report === undefined) return { workers: 0, idleWorkers: 0, running: 0, queued: unsent + sent };
  const { workers, idleWorkers, outstanding, pending } = report;
  // A report is half a minute old at most; tasks that have ended since run no more.
  const running = Math.min(sent, idleWorkers === undefined ? workers : Math.max(0, outstanding - pending));
  return { workers, idleWorkers: idleWorkers ?? workers - running, running, queued: unsent + sent - running };
}

function incarnationOf({ start_unix, posix_pid }: Fields): string {
  const [start, pid] = [real(start_unix), real(posix_pid)];
  return start === undefined && pid === undefined ? '' : `${start ?? ''}/${pid ?? ''}`;
}

function shownOf(state: Fields): Shown {
  const start = name(state.start_iso);
  return defined({
    posix_pid: count(state.posix_pid),
    posix_username: name(state.posix_username),
    start_time_iso: start === undefined || Number.isNaN(Date.parse(start)) ? undefined : start,
    start_time_unix: real(state.start_unix),
    total_node_count: count(state.managers),
    node_info: nodesOf(state.node_info),
    engine_type: name(state.engine_type),
    provider_type: name(state.provider_type),
    account: name(state.account),
    queue: name(state.queue),
    config: text(state.config_raw, MAX_CONFIG_CHARS),
  });
}

/** `{job: [{worker_count, idle_duration, python_version, …}]}` */
function nodesOf(value: unknown): Shown['node_info'] {
  if (!isRecord(value)) return undefined;
  const jobs: [string, ConsoleNode[]][] = [];
  let room = MAX_NODES;
  for (const [job, nodes] of Object.entries(value)) {
    if (room === 0) break;
    if (job.length > MAX_NAME_CHARS || !Array.isArray(nodes)) continue;
    const kept = nodes.slice(0, room).filter(isRecord).map(nodeOf);
    room -= Math.max(1, kept.length);
    jobs.push([job, kept]);
  }
  return Object.fromEntries(jobs);
}

function nodeOf(node: Fields): ConsoleNode {
  return defined({
    total_worker_count: count(node.worker_count),
    idle_duration_seconds: real(node.idle_duration),
    python_version: name(node.python_version),
    endpoint_version: name(node.endpoint_version),
    sdk_version: name(node.sdk_version),
  });
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function real(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function name(value: unknown): string | undefined {
  return text(value, MAX_NAME_CHARS);
}

function text(value: unknown, most: number): string | undefined {
  return typeof value === 'string' && value.length <= most ? value : undefined;
}

type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
