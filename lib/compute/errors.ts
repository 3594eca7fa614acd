/**
 * Errors of the client and of the hub. Each has a stable `code`, the ids it speaks of as fields, and a message that says
 * what happened, to which id, and what to do.
 */
import type { FunctionId, TaskId } from './ids.js';

/** Codes of the client's own errors. A {@link ServiceError} carries the service's code instead. */
export type ErrorCode =
  | 'BAD_INPUT'
  | 'NOT_SERIALIZABLE'
  | 'NOT_DESERIALIZABLE'
  | 'TASK_PENDING'
  | 'REMOTE_EXCEPTION'
  | 'TASK_TIMEOUT'
  | 'TASK_CANCELLED'
  | 'TASK_INTERRUPTED'
  | 'WORKER_LOST'
  | 'MAX_RESULT_SIZE_EXCEEDED'
  | 'RESULT_NOT_SERIALIZABLE'
  | 'FUNCTION_NOT_LOADABLE'
  | 'PYTHON_NOT_FOUND'
  | 'QUEUE_FULL'
  | 'DROPPED'
  | 'DEADLINE_EXCEEDED'
  | 'SERVICE_UNREACHABLE'
  | 'STORE_LOCKED'
  | 'STORE_FAILED'
  | 'CLOSED';

export class FuncXError extends Error {
  readonly code: string;

  constructor(code: ErrorCode | (string & {}), message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Something handed in cannot be used: a wrong type, a missing id, an unknown option. */
export class InputError extends FuncXError {
  constructor(message: string, options?: ErrorOptions) {
    super('BAD_INPUT', message, options);
  }
}

/** A value cannot be written for Python, or a serialized one cannot be read. */
export class SerializationError extends FuncXError {
  constructor(code: 'NOT_SERIALIZABLE' | 'NOT_DESERIALIZABLE', message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/**
 * The service refused. `code` is the service's own (`FUNCTION_NOT_FOUND`, `TASK_PAYLOAD_TOO_LARGE`, …) and
 * `httpStatus` what it answers over HTTP. Source: globus-compute-common, `ResponseErrorCode`.
 */
export class ServiceError extends FuncXError {
  readonly httpStatus: number;
  readonly errorArgs: readonly unknown[];

  constructor(code: string, httpStatus: number, message: string, errorArgs: readonly unknown[] = []) {
    super(code, message);
    this.httpStatus = httpStatus;
    this.errorArgs = errorArgs;
  }
}

/**
 * Whether a failure may pass by itself: the service was not reached or did not answer, asked to slow down (429), or is out
 * of order for the moment (5xx). Whether it has taken the request is then not known.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof ServiceError) return error.httpStatus === 429 || error.httpStatus >= 500;
  return error instanceof FuncXError && error.code === 'SERVICE_UNREACHABLE';
}

/** The result was asked for and is not there yet. */
export class TaskPending extends FuncXError {
  constructor(
    readonly taskId: TaskId,
    readonly status: string,
  ) {
    super(
      'TASK_PENDING',
      `Task ${taskId} has not ended yet (${status}). Ask again later, or wait for it with a results node.`,
    );
  }
}

/** A task ended without a result. `code` says how; see the subclasses. */
export class TaskError extends FuncXError {
  constructor(
    code: ErrorCode | (string & {}),
    message: string,
    readonly taskId: TaskId,
    readonly functionId?: FunctionId,
  ) {
    super(code, message);
  }
}

/** The function raised. `traceback` is as Python printed it; `pythonType` and `pythonMessage` are of its last line. */
export class RemoteException extends TaskError {
  readonly pythonType: string;
  readonly pythonMessage: string;

  constructor(
    readonly traceback: string,
    taskId: TaskId,
    functionId?: FunctionId,
  ) {
    const { type, message } = lastLine(traceback);
    super('REMOTE_EXCEPTION', message === '' ? type : `${type}: ${message}`, taskId, functionId);
    this.pythonType = type;
    this.pythonMessage = message;
  }
}

/** Stands between the tracebacks of an exception's causes and its own. */
const AFTER_CAUSE =
  /^(?:The above exception was the direct cause of the following exception|During handling of the above exception, another exception occurred):$/;

/** What follows the frames: `ValueError: boom`; of an exception group, with a bar before it. */
const EXCEPTION_LINE = /^(?: {2}\| )?([\p{L}_][\p{L}\p{N}_.]*)(?:: ([\s\S]*))?$/u;

/** Name and message of the exception that a traceback ends with. The message may go on over several lines. */
function lastLine(traceback: string): { type: string; message: string } {
  const lines = traceback.trimEnd().split('\n');
  // The first line that is not indented as frames are; what comes after it may look like a traceback as well.
  for (let i = lines.findLastIndex((line) => AFTER_CAUSE.test(line)) + 1; i < lines.length; i++) {
    const found = EXCEPTION_LINE.exec(lines[i] ?? '');
    if (found === null) continue;
    const [, type = 'Exception', first = ''] = found;
    return { type, message: [first, ...lines.slice(i + 1)].join('\n') };
  }
  return { type: 'Exception', message: traceback.trim() };
}
