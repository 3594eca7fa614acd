/** What the nodes store in a flow, and the config nodes as the other nodes see them. */
import type { Node, NodeDef, NodeMessage, NodeMessageInFlow } from 'node-red';
import type { FlowCounts, FunctionDefinition, FuncXClient, WhenFull } from '../../lib/client.js';
import type { FunctionId } from '../../lib/compute/ids.js';
import type { ParameterKind } from '../../lib/hub/interpreter.js';
import type { Inbox } from '../../lib/tasks/inbox.js';
import type { Eventually } from './eventually.js';

export type Message = NodeMessageInFlow;
export type Send = (message: NodeMessage | (NodeMessage | NodeMessage[] | null)[]) => void;
export type Done = (error?: Error) => void;

/** The funcx-client config node at run time. */
export interface ClientNode extends Node<ClientCredentials> {
  /**
   * The client, or the promise of it while it opens.
   *
   * @throws what kept it from opening; it is tried again after some seconds
   */
  client(): Eventually<FuncXClient>;
  /** In which order the nodes send results on. */
  readonly order: 'completed' | 'sent';
  /** Most messages that may wait for the client to open. */
  readonly queueLimit: number;
  /** What becomes of a message beyond that. */
  readonly whenFull: WhenFull;
  readonly statuses: StatusBoard;
  /** Keeps the client open, opening it for the first user, until the returned function is called. */
  use(): () => void;
  /** Tells of the client whenever it opens, at once when it is open. The function given back stops that. */
  onOpen(listener: (client: FuncXClient) => void): () => void;
  /** Tells whenever messages can be begun, at once when they can be, and when the client cannot be opened. */
  onWork(listener: WorkListener): () => void;
  /** Messages of nodes that wait for their client. */
  readonly inbox: Inbox;
  /** Tells before nodes are stopped which ones will be. The function given back stops that. */
  onStopping(listener: (isStopped: (id: string) => boolean) => void): () => void;
  /** Tasks of the client, or undefined while it is closed. */
  counts(): FlowCounts | undefined;
  /** Does some work with the client, which is open meanwhile even when no node uses it. */
  borrow<T>(work: (client: FuncXClient) => Promise<T>): Promise<T>;
  /** The interpreter as the dialog names it. */
  readonly python: string;
}

/** Whoever has work for a client. */
export interface WorkListener {
  /** The client is open, and nodes are neither stopped nor started just now. */
  begin(client: FuncXClient): void;
  /** The client cannot be opened. */
  fail(error: unknown): void;
}

/** Where the statuses of a client's nodes are kept and shown from; see status.ts. */
export interface StatusBoard {
  add(node: Node): StatusLine;
}

/** What one node is doing, told by the node and shown by the board. */
export interface StatusLine {
  /** So many tasks more are under way. */
  started(tasks: number): void;
  /** So many tasks less are under way. */
  ended(tasks: number): void;
  /** A message came to its end. @param ms how long its work took, where that is known */
  succeeded(ms: number | undefined): void;
  failed(error: unknown): void;
  /** The work asked for has not ended yet. @param state as the service names it */
  pending(state: string): void;
  /** The node is closed. */
  remove(): void;
}

/** The funcx-function config node at run time. */
export interface FunctionNode extends Node {
  /** What to register, or the id of what was registered elsewhere. @throws InputError when neither is usable */
  definition(): FunctionDefinition | FunctionId;
  /** Running it twice does no harm: a task that was interrupted is run again. */
  readonly repeatable: boolean;
}

export interface ClientConfig extends NodeDef {
  readonly service: 'hub';
  /** Interpreter or virtual environment; empty: `python3`. */
  readonly python: string;
  /** Empty: one a CPU core. */
  readonly workers: string;
  /** Working directory of the workers; empty: the hub's default. */
  readonly cwd: string;
  /** Names of environment variables that workers see beside the default ones, separated by commas. */
  readonly envAllow: string;
  /** Seconds a task; empty: none. */
  readonly timeLimit: string;
  /** MB a worker; empty: none. */
  readonly memoryLimit: string;
  /** Tasks after which a worker is replaced; empty: never. */
  readonly restartAfter: string;
  /** Seconds without work after which workers are ended; 0: never. */
  readonly idleShutdown: string;
  /** How integers beyond 2**53 come out. */
  readonly integers: 'bigint' | 'text';
  readonly queueLimit: string;
  /** Most tasks with the service at once; empty: no limit but the queue's. */
  readonly inFlight?: string;
  readonly whenFull?: 'error' | 'block' | 'drop-oldest' | 'drop-newest';
  readonly order?: 'completed' | 'sent';
  /** Port of 127.0.0.1 where the hub lets others in; empty: only with RabbitMQ, at 5000. */
  readonly port?: string;
}

export interface ClientCredentials {
  /** `amqp(s)://` URL of the RabbitMQ by which agents are attached; empty: none. */
  readonly amqp?: string;
  /** `http(s)://` URL of its management API; empty: agents and users get the account of {@link amqp}. */
  readonly management?: string;
}

export interface FunctionConfig extends NodeDef {
  readonly mode: 'code' | 'id';
  readonly code: string;
  /** Empty: the last top-level function. */
  readonly entryPoint: string;
  readonly functionId: string;
  readonly description: string;
  readonly public: boolean;
  readonly group: string;
  readonly repeatable?: boolean;
}

interface ClientUserConfig extends NodeDef {
  readonly client: string;
  /** Message property that the result is written to. */
  readonly target: string;
}

/** Which function a node runs, and where. */
export interface FunctionChoiceConfig extends ClientUserConfig {
  readonly functionFrom: 'node' | 'id';
  readonly function: string;
  readonly functionId: string;
  readonly functionIdType: string;
  /** Empty: the client's own. */
  readonly endpoint: string;
  readonly endpointType: string;
}

/** What is asked of tasks beside their arguments. Empty: nothing of it. */
export interface TaskOptionsConfig {
  /** Seconds. */
  readonly deadline?: string;
  readonly deadlineType?: string;
  readonly late?: 'drop' | 'send';
  /** Tries beyond the first. */
  readonly retries?: string;
  /** Error codes and names of Python exceptions, separated by commas; empty: all. */
  readonly retryErrors?: string;
  /** Seconds before the first retry. */
  readonly backoff?: string;
  /** Seconds that a result of the same call is used again. */
  readonly memoize?: string;
}

/** How one value gives a call its arguments. */
export type ValueAs = 'single' | 'list' | 'keywords';

export interface ArgumentRow {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly value: string;
  /** Empty: left to the default of the function. */
  readonly type: string;
}

export interface RegisterConfig extends ClientUserConfig {
  /** Empty: source text from the message. */
  readonly function: string;
  readonly source: string;
  readonly sourceType: string;
  readonly entryPoint: string;
  readonly entryPointType: string;
  readonly description: string;
  readonly descriptionType: string;
  readonly public: boolean;
  readonly group: string;
}

export interface RunConfig extends FunctionChoiceConfig, TaskOptionsConfig {
  readonly argsMode: 'rows' | 'message';
  readonly args: readonly ArgumentRow[];
  readonly messageAs: ValueAs;
  readonly message: string;
  readonly messageType: string;
  readonly then: 'result' | 'id';
}

export interface BatchRunConfig extends FunctionChoiceConfig, TaskOptionsConfig {
  readonly items: string;
  readonly itemsType: string;
  readonly itemIs: ValueAs;
  readonly then: 'array' | 'each' | 'ids';
  readonly failures: 'error' | 'include';
}

export interface GetResultConfig extends ClientUserConfig {
  /** Empty: `msg.funcx.taskId` or `msg.funcx.taskIds`. */
  readonly tasks: string;
  readonly tasksType: string;
}

export interface ResultsConfig extends GetResultConfig {
  readonly from: 'message' | 'client';
  readonly order: 'completed' | 'sent' | 'together';
}

export interface SearchConfig extends ClientUserConfig {
  readonly query: string;
  readonly queryType: string;
  readonly offset: string;
  readonly offsetType: string;
  readonly limit: string;
  readonly limitType: string;
}
