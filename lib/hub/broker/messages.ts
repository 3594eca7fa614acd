/**
 * Messages between the hub, agents and streaming clients: the byte 1 and a JSON text `{message_type, data}`.
 * Source: globus-compute-common 1.0, `messagepack/protocol_versions/proto1.py` and `message_types/`.
 */
import { isUuid, type TaskId } from '../../compute/ids.js';
import { MAX_RESULT_CHARS } from '../../compute/limits.js';
import type { TaskStatus } from '../../compute/service.js';
import { failure, type TaskEnding } from '../workers/ending.js';

const PROTOCOL = 1;

/** A message that cannot be used; the text says why. */
export class MalformedMessage extends Error {}

export function writeMessage(messageType: string, data: unknown): Buffer {
  const text = JSON.stringify({ message_type: messageType, data });
  const message = Buffer.allocUnsafe(1 + Buffer.byteLength(text));
  message[0] = PROTOCOL;
  message.write(text, 1, 'utf8');
  return message;
}

/** Throws MalformedMessage. */
function readMessage(content: Buffer, messageType: string): Record<string, unknown> {
  if (content[0] !== PROTOCOL)
    throw new MalformedMessage(`it begins with the byte ${content[0]}, not with ${PROTOCOL}`);
  let message: unknown;
  try {
    message = JSON.parse(content.toString('utf8', 1));
  } catch {
    throw new MalformedMessage('it is not JSON');
  }
  if (!isRecord(message) || message.message_type !== messageType || !isRecord(message.data)) {
    throw new MalformedMessage(`it is not of the type ${messageType}`);
  }
  return message.data;
}

/** A task as an agent takes it. */
export function writeTask(taskId: TaskId, code: string, args: string): Buffer {
  return writeMessage('task', { task_id: taskId, container_id: null, container: null, task_buffer: code + args });
}

export interface AgentResult {
  readonly taskId: TaskId;
  readonly ending: TaskEnding;
}

/** Throws MalformedMessage. */
export function readResult(content: Buffer): AgentResult {
  const { task_id, data, error_details, details, task_statuses } = readMessage(content, 'result');
  if (!isUuid(task_id)) throw new MalformedMessage('its task_id is not a UUID');
  if (typeof data !== 'string') throw new MalformedMessage(`the result of task ${task_id} is not a text`);
  return { taskId: task_id as TaskId, ending: endingOf(data, error_details, details, task_statuses) };
}

/** Codes of agents that this project has names for. Source: globus-compute-endpoint 4.15, `exception_handling.py`. */
const CODES: Readonly<Record<string, string | undefined>> = {
  RemoteExecutionError: undefined, // The function's own exception.
  MaxResultSizeExceeded: 'MAX_RESULT_SIZE_EXCEEDED',
  FUNCTION_NOT_ALLOWED: 'FUNCTION_NOT_PERMITTED',
};

function endingOf(data: string, error: unknown, details: unknown, statuses: unknown): TaskEnding {
  const common = {
    output: '',
    start: 0,
    end: Date.now() / 1000, // The agent's clock may be wrong by years.
    worker: isRecord(details) ? workerOf(details) : {},
    transitions: transitionsOf(statuses),
  };
  if (isRecord(error)) {
    const code = typeof error.code === 'string' ? error.code : 'UNKNOWN_TASK_FAILURE';
    const errorCode = Object.hasOwn(CODES, code) ? CODES[code] : code;
    return { ...common, status: 'failed', exception: data, errorCode };
  }
  if (data.length > MAX_RESULT_CHARS) {
    const text = `The serialized result has ${data.length} characters; the service's limit is ${MAX_RESULT_CHARS}.`;
    return { ...failure('MAX_RESULT_SIZE_EXCEEDED', text), ...common };
  }
  return { ...common, status: 'success', result: data };
}

function workerOf(details: Record<string, unknown>) {
  const { os, python_version, dill_version, globus_compute_sdk_version } = details;
  const texts = Object.entries({ os, python_version, dill_version, globus_compute_sdk_version });
  return Object.fromEntries(texts.filter(([, value]) => typeof value === 'string'));
}

/** `[{timestamp: nanoseconds, state, actor}]` */
function transitionsOf(statuses: unknown): TaskEnding['transitions'] {
  if (!Array.isArray(statuses)) return undefined;
  const at = (state: string): number | undefined => {
    const found: unknown = statuses.find((status) => isRecord(status) && status.state === state);
    return isRecord(found) && typeof found.timestamp === 'number' ? found.timestamp / 1e9 : undefined;
  };
  const start = at('execution-start');
  const end = at('execution-end');
  if (start === undefined && end === undefined) return undefined;
  return {
    ...(start !== undefined && { 'execution-start': start }),
    ...(end !== undefined && { 'execution-end': end }),
  };
}

/** What an agent, or a user endpoint that it has started, says of itself. */
export interface AgentReport {
  readonly endpointId: string;
  readonly state: Readonly<Record<string, unknown>>;
}

/** Throws MalformedMessage. */
export function readReport(content: Buffer): AgentReport {
  const { endpoint_id, global_state } = readMessage(content, 'ep_status_report');
  if (!isUuid(endpoint_id)) throw new MalformedMessage('its endpoint_id is not a UUID');
  return { endpointId: endpoint_id.toLowerCase(), state: isRecord(global_state) ? global_state : {} };
}

/** An ended task as a streaming client takes it. */
export function writeResult(status: TaskStatus): Buffer {
  const { task_transitions, ...details } = status.details ?? {};
  const failed = status.status === 'failed';
  const text = failed ? (status.exception ?? '') : (status.result ?? '');
  return writeMessage('result', {
    task_id: status.task_id,
    data: text,
    details,
    error_details: failed ? { code: status.error_code ?? 'RemoteExecutionError', user_message: text } : null,
    task_statuses: Object.entries(task_transitions ?? {}).map(([state, seconds]) => ({
      timestamp: Math.round(seconds * 1e9),
      state,
      actor: 'worker',
    })),
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
