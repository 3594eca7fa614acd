/** A service that does what a test tells it to: answers late, early, in part, or not at all. */
import { randomUUID } from 'node:crypto';
import {
  type ComputeService,
  type EndpointId,
  type FunctionId,
  type FunctionInfo,
  type FunctionRegistration,
  FuncXError,
  type ResultStream,
  type Submission,
  type SubmitReply,
  type TaskGroupId,
  type TaskGroupInfo,
  type TaskId,
  type TaskStatus,
} from '../../../dist/lib/index.js';

export const newId = <Id>(): Id => randomUUID() as unknown as Id;

/** One submission that the service was sent. */
export interface Sent {
  readonly endpoint: EndpointId;
  readonly body: Submission;
  /** Takes the tasks: with these ids, or new ones. */
  accept(): TaskId[];
  reject(error: Error): void;
  /** Ids that {@link accept} will give, of each function in turn. */
  readonly ids: readonly TaskId[];
}

interface Stream extends ResultStream {
  readonly group: TaskGroupId;
  readonly acknowledged: TaskId[];
  closed: boolean;
  readonly tell: (results: readonly TaskStatus[]) => void;
}

export class StandIn implements ComputeService {
  capabilities = { rawBytes: true, cancel: true, search: true };
  readonly sent: Sent[] = [];
  readonly streams: Stream[] = [];
  readonly registrations: FunctionRegistration[] = [];
  readonly asked: TaskId[][] = [];
  /** What it knows of tasks when it is asked. */
  readonly known = new Map<TaskId, TaskStatus>();
  /** Whether it takes submissions at once. */
  takes = true;
  /** Refuses these functions, as if they were unknown. */
  readonly refused = new Set<string>();
  refusal: Error = new FuncXError('INTERNAL_ERROR', 'refused');
  failure: Error | undefined;
  register: () => Promise<{ function_uuid: FunctionId }> = async () => ({ function_uuid: newId() });
  readonly group: TaskGroupId = newId();

  submit(endpoint: EndpointId, body: Submission): Promise<SubmitReply> {
    const tasks: Record<string, TaskId[]> = {};
    for (const [id, args] of Object.entries(body.tasks)) tasks[id] = args.map(() => newId<TaskId>());
    return new Promise((resolve, reject) => {
      const ids = Object.values(tasks).flat();
      const accept = () => {
        const task_group_id = body.task_group_id ?? this.group;
        resolve({ request_id: newId(), task_group_id, endpoint_id: endpoint, tasks });
        return ids;
      };
      this.sent.push({ endpoint, body, ids, accept, reject });
      if (Object.keys(body.tasks).some((id) => this.refused.has(id))) reject(this.refusal);
      else if (this.takes) accept();
    });
  }

  results(group: TaskGroupId, listener: (results: readonly TaskStatus[]) => void): ResultStream {
    const stream: Stream = {
      group,
      acknowledged: [],
      closed: false,
      tell: (results) => {
        if (!stream.closed) listener(results);
      },
      ack: (ids) => void stream.acknowledged.push(...ids),
      close: () => {
        stream.closed = true;
      },
    };
    this.streams.push(stream);
    return stream;
  }

  /** Tells results to everybody who listens. */
  tell(...results: readonly TaskStatus[]): void {
    for (const stream of this.streams) stream.tell(results);
  }

  /** What was acknowledged, on any stream. */
  get acknowledged(): TaskId[] {
    return this.streams.flatMap((stream) => stream.acknowledged);
  }

  async batchStatus(ids: readonly TaskId[]): Promise<Record<string, TaskStatus>> {
    this.asked.push([...ids]);
    if (this.failure !== undefined) throw this.failure;
    return Object.fromEntries(
      ids.flatMap((id) => (this.known.has(id) ? [[id, this.known.get(id) as TaskStatus]] : [])),
    );
  }

  async getTask(id: TaskId): Promise<TaskStatus> {
    return this.known.get(id) ?? { task_id: id, status: 'waiting-for-ep' };
  }

  async registerFunction(body: FunctionRegistration): Promise<{ function_uuid: FunctionId }> {
    this.registrations.push(body);
    return this.register();
  }

  async durable(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
  }

  async version() {
    return { api: '1.0.0' };
  }

  async getFunction(id: FunctionId): Promise<FunctionInfo> {
    return { function_uuid: id, function_name: '', function_code: '', metadata: {} };
  }

  async deleteFunction() {
    return { result: 302 };
  }

  async searchFunctions() {
    return { results: [], count: 0, total: 0, offset: 0, has_next_page: false };
  }

  async listEndpoints() {
    return [];
  }

  getEndpoint(): Promise<never> {
    throw new Error('not asked for');
  }

  async endpointStatus() {
    return { status: 'online' as const };
  }

  async taskGroup(id: TaskGroupId): Promise<TaskGroupInfo> {
    return { taskgroup_id: id, tasks: [] };
  }

  async cancel() {
    return true;
  }

  async close() {}
}

export function success(id: TaskId, value: unknown = 1): TaskStatus {
  return { task_id: id, status: 'success', result: `11\n${JSON.stringify(value)}`, completion_t: '1632876695.5' };
}

/** Lets everything happen that is due: microtasks and what was put off to the next turn. */
export async function turn(): Promise<void> {
  await new Promise(setImmediate);
  await new Promise(setImmediate);
}
