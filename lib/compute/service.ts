/**
 * The port between the client and whatever runs functions: the operations of the Globus Compute web service that a
 * client needs, in the service's own shapes. The embedded hub is one adapter; the hosted service over HTTPS is another.
 *
 * Source of the shapes: the service's OpenAPI document, as typed by `@globus/sdk` (types only, nothing of it is loaded).
 */
import type { OpenAPI } from '@globus/sdk/services/compute';
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from './ids.js';

type Schemas = OpenAPI.components['schemas'];

export type VersionInfo = Schemas['ComputeVersionResponse'];
export type FunctionRegistration = Omit<
  Schemas['compute_web_service__schemas__v3__function__RegisterFunctionRequest'],
  'public'
> & { public?: boolean };
export type FunctionRegistrationReply = Schemas['compute_web_service__schemas__v3__function__RegisterFunctionResponse'];
export type FunctionInfo = Schemas['Function'];
export type EndpointListEntry = Schemas['EndpointListResponseEntry'];
export type EndpointInfo = Schemas['Endpoint'];
export type EndpointStatus = Schemas['EndpointStatusResponse'];
export type EndpointRegistration = Omit<
  Schemas['compute_web_service__schemas__v3__endpoints__EndpointRegisterRequest'],
  'multi_user' | 'high_assurance' | 'public' | 'metadata'
> & {
  multi_user?: boolean;
  high_assurance?: boolean;
  public?: boolean;
  metadata?: Schemas['EndpointRegisterMetadata'];
};
/** Of all agents: those of version 4 and later read the command queue, older ones the task queue. */
export type EndpointRegistrationReply = Schemas['EndpointRegisterResponse'] &
  Schemas['MultiUserEndpointRegisterResponse'];
/** One user endpoint of an endpoint, as `GET /v3/endpoints/{id}/console` shows it to the endpoint's owner. */
export type ConsoleUserEndpoint = Schemas['ConsoleUserEndpointInfo'];
export type ConsoleNode = Schemas['ConsoleNodeInfo'];
export type EndpointLock = Schemas['compute_web_service__schemas__v3__endpoints__EndpointLockResponse'];
export type ResultConnection = Schemas['ResultAmqpUrlResponse'];
export type SubmitReply = Schemas['compute_web_service__schemas__v3__tasks__BatchSubmitResponse'];
export type TaskGroupInfo = Schemas['TaskGroupResponse'];

/**
 * States of a task as the service names them. An unknown one is to be treated as pending.
 * Source: globus-compute-common 1.0.0, `TaskState`.
 */
export type TaskState =
  | 'received'
  | 'waiting-for-ep'
  | 'waiting-for-nodes'
  | 'waiting-for-launch'
  | 'execution-start'
  | 'execution-end'
  | 'running'
  | 'success'
  | 'failed';

/**
 * Bytes that travel beside the packed text instead of inside it, on services that can carry them
 * ({@link ServiceCapabilities.rawBytes}). In the text, buffer `i` is the JSON object `{[tag]: i}`.
 */
export interface OutOfBand {
  readonly tag: string;
  readonly buffers: readonly Uint8Array[];
}

/** Packed arguments: the contract's string, or that with bytes beside it. */
export type PackedArguments = string | ({ readonly text: string } & OutOfBand);

/** Body of a submission; the contract's fields. All tasks go to one endpoint. */
export interface Submission {
  readonly tasks: Readonly<Record<string, readonly PackedArguments[]>>;
  readonly task_group_id?: TaskGroupId;
  /** Asks for a result queue of the task group, so that {@link ComputeService.results} delivers its results. */
  readonly create_queue?: boolean;
  readonly user_endpoint_config?: Readonly<Record<string, unknown>>;
  readonly resource_specification?: Schemas['ResourceSpecification'];
  /** Of the submitter's Python, for templates of endpoints that choose an interpreter by it. */
  readonly user_runtime?: Schemas['UserRuntime'];
  /** Import paths of strategies, in order of preference: the first that can write the result is used. */
  readonly result_serializers?: readonly string[];
}

/** What a worker says of itself and of the task's run. Times are Unix seconds. */
export interface TaskDetails {
  readonly os?: string | undefined;
  readonly python_version?: string | undefined;
  readonly dill_version?: string | null | undefined;
  readonly globus_compute_sdk_version?: string | undefined;
  readonly endpoint_id?: string | undefined;
  readonly task_transitions?: { readonly 'execution-start'?: number; readonly 'execution-end'?: number } | undefined;
  /**
   * The service died after it had taken the task, and cannot tell whether it had run then; the embedded hub only.
   */
  readonly rerun?: boolean | undefined;
  /** What the function printed (stdout and stderr together); the embedded hub only. */
  readonly output?: string | undefined;
}

/** A task as `GET /v2/tasks/{id}` and `POST /v2/batch_status` show it. */
export interface TaskStatus {
  readonly task_id: TaskId;
  readonly status?: TaskState | (string & {});
  /** Serialized result: strategy identifier, newline, body. */
  readonly result?: string | undefined;
  /** Bytes of {@link result} carried beside it; only from a service with `rawBytes`. */
  readonly result_buffers?: OutOfBand | undefined;
  /** Traceback text, or why the task could not be run. */
  readonly exception?: string | undefined;
  /** Code of a failure that is not the function's own exception, for example `WORKER_LOST`. */
  readonly error_code?: string | undefined;
  /** Why the service cannot tell, for example an unknown task id. */
  readonly reason?: string | undefined;
  /** Unix seconds as text; present exactly when the task has ended. */
  readonly completion_t?: string | undefined;
  readonly details?: TaskDetails | undefined;
}

/** One function found by a search; the fields of the funcX search index. */
export interface FunctionHit {
  readonly function_uuid: FunctionId;
  readonly function_name: string;
  readonly function_source: string;
  readonly description: string;
  readonly author: string;
  readonly public: boolean;
  readonly group: string;
  /** The hub's: ISO 8601. */
  readonly created_at?: string;
}

/** A page of a function search, as `search_function` of the funcX SDK answered. */
export interface FunctionSearchPage {
  readonly results: readonly FunctionHit[];
  readonly count: number;
  readonly total: number;
  readonly offset: number;
  readonly has_next_page: boolean;
}

export interface ServiceCapabilities {
  /** Buffers travel beside the text ({@link OutOfBand}). */
  readonly rawBytes: boolean;
  /** {@link ComputeService.cancel} stops a task; the hosted service has no such operation. */
  readonly cancel: boolean;
  /** {@link ComputeService.searchFunctions} is answered by the service itself. */
  readonly search: boolean;
}

/**
 * Results of a task group as they complete, of tasks submitted with `create_queue`. A result is delivered again to the
 * next consumer until it was acknowledged. Results come in groups, in order of completion.
 */
export interface ResultStream {
  /** Says that these results were stored or sent on, so that the service need not deliver them again. */
  ack(taskIds: readonly TaskId[]): void;
  close(): void;
}

/**
 * Errors of every operation are `FuncXError`s: `ServiceError` with the service's own code where it refused.
 */
export interface ComputeService {
  readonly capabilities: ServiceCapabilities;
  /** Where it keeps tasks, of a service in this process: a ledger in the same store is committed together with them. */
  readonly store?: object;
  version(): Promise<VersionInfo>;
  registerFunction(body: FunctionRegistration): Promise<FunctionRegistrationReply>;
  getFunction(id: FunctionId): Promise<FunctionInfo>;
  deleteFunction(id: FunctionId): Promise<{ result: number }>;
  /** Free-text search over names, descriptions, authors and sources of the functions that the caller may see. */
  searchFunctions(q: string, offset: number, limit: number): Promise<FunctionSearchPage>;
  listEndpoints(role?: 'owner' | 'any'): Promise<EndpointListEntry[]>;
  getEndpoint(id: EndpointId): Promise<EndpointInfo>;
  endpointStatus(id: EndpointId): Promise<EndpointStatus>;
  /** Accepts tasks. When it resolves they are in the service's care; ids are in the order of the arguments. */
  submit(endpoint: EndpointId, body: Submission): Promise<SubmitReply>;
  getTask(id: TaskId): Promise<TaskStatus>;
  /** Ids unknown to the service come back as `failed` with a `reason`, or are missing. */
  batchStatus(ids: readonly TaskId[]): Promise<Readonly<Record<string, TaskStatus>>>;
  taskGroup(id: TaskGroupId): Promise<TaskGroupInfo>;
  /** Only with {@link ServiceCapabilities.cancel}. False: it had ended already. */
  cancel(id: TaskId): Promise<boolean>;
  results(group: TaskGroupId, listener: (results: readonly TaskStatus[]) => void): ResultStream;
  /** Resolves when what was accepted so far would survive the end of this process; rejects when it cannot be kept. */
  durable(): Promise<void>;
  close(): Promise<void>;
}
