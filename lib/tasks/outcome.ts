/** From a task as the service shows it to a task as the client's users see it. */
import { FuncXError, RemoteException, ServiceError, TaskError } from '../compute/errors.js';
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../compute/ids.js';
import type { TaskDetails, TaskStatus } from '../compute/service.js';
import { type BigIntegers, deserializeResult } from '../serialization/index.js';
import type { TaskOutcome, TaskTimings } from './call.js';

/** What the client knows of a task beside what the service tells. */
export interface KnownOfTask {
  readonly functionId?: FunctionId | undefined;
  readonly endpointId?: EndpointId | undefined;
  readonly taskGroupId?: TaskGroupId | undefined;
  /** Unix milliseconds; 0 when it is not known. */
  readonly submittedAt?: number | undefined;
}

/**
 * Whether a task has ended. The SDK's Client looks at the status, its Executor at the completion time; a service may fill
 * either. Source: Globus Compute SDK 4.15, `client.py`, `executor.py`.
 */
export function hasEnded(status: TaskStatus): boolean {
  if (status.completion_t !== undefined) return true;
  const state = status.status?.toLowerCase();
  return state === 'success' || state === 'failed';
}

/** The outcome of a task that {@link hasEnded}. Never throws. */
export function outcomeOf(status: TaskStatus, known: KnownOfTask, integers: BigIntegers): TaskOutcome {
  const { details, completion_t } = status;
  let error = errorOf(status, known.functionId);
  let result: unknown;
  if (error === undefined) {
    try {
      result = deserializeResult(status.result ?? '', status.result_buffers, { integers });
    } catch (unreadable) {
      error = readingError(unreadable, status.task_id);
    }
  }
  const taskId = status.task_id;
  const { functionId, endpointId, taskGroupId } = known;
  const completedAt = completion_t === undefined ? undefined : new Date(Number(completion_t) * 1000);
  const timings = timingsOf(details, known.submittedAt);
  const output = details?.output;
  if (error !== undefined) {
    const worker = details;
    return {
      taskId,
      functionId,
      endpointId,
      taskGroupId,
      completedAt,
      timings,
      worker,
      output,
      status: 'failed',
      error,
    };
  }
  // Written out: one is made for each task, and a spread costs more than all the rest.
  return {
    taskId,
    functionId,
    endpointId,
    taskGroupId,
    completedAt,
    timings,
    worker: details,
    output,
    status: 'success',
    result,
  };
}

/** Why a task has no result; undefined when it has one. */
export function errorOf(status: TaskStatus, functionId?: FunctionId): FuncXError | undefined {
  if (status.error_code !== undefined) {
    return new TaskError(status.error_code, status.exception ?? status.error_code, status.task_id, functionId);
  }
  if (status.exception !== undefined) return new RemoteException(status.exception, status.task_id, functionId);
  if (status.result !== undefined) return undefined;
  const reason = status.reason ?? 'it ended without a result';
  if (/unknown task/i.test(reason)) {
    const advice = 'It never was submitted there, or its result was delivered or dropped long ago.';
    return new ServiceError('TASK_NOT_FOUND', 404, `Task ${status.task_id} is not known to the service. ${advice}`, [
      status.task_id,
    ]);
  }
  return new TaskError('UNKNOWN_TASK_FAILURE', `Task ${status.task_id} failed: ${reason}`, status.task_id, functionId);
}

function timingsOf(details: TaskDetails | undefined, submittedAt: number | undefined): TaskTimings {
  const start = details?.task_transitions?.['execution-start'];
  const end = details?.task_transitions?.['execution-end'];
  return {
    queuedMs: start === undefined || !submittedAt ? undefined : milliseconds(start * 1000 - submittedAt),
    runMs: start === undefined || end === undefined ? undefined : milliseconds((end - start) * 1000),
  };
}

/** To the microsecond, clocks tell no more; two clocks may even tell less than nothing. */
function milliseconds(value: number): number {
  return Math.max(0, Math.round(value * 1000) / 1000);
}

function readingError(unreadable: unknown, id: TaskId): FuncXError {
  if (unreadable instanceof FuncXError) return unreadable;
  return new FuncXError('NOT_DESERIALIZABLE', `The result of task ${id} cannot be read: ${String(unreadable)}`, {
    cause: unreadable,
  });
}
