/** A task that has ended, as the service shows it. */
import type { TaskStatus } from '../compute/service.js';
import { idOf, type TaskRef } from './batch.js';
import { failure, type TaskEnding } from './workers/ending.js';

export function statusOf(task: TaskRef, ending: TaskEnding): TaskStatus {
  const { start, end, worker } = ending;
  return {
    task_id: idOf(task),
    status: ending.status,
    result: ending.result,
    result_buffers: ending.resultBytes,
    exception: ending.exception,
    error_code: ending.errorCode,
    completion_t: String(end),
    details: {
      os: worker.os,
      python_version: worker.python_version,
      endpoint_id: task.batch.endpointId,
      rerun: task.batch.inherited || undefined,
      task_transitions: start > 0 ? { 'execution-start': start, 'execution-end': end } : undefined,
      output: ending.output === '' ? undefined : ending.output,
    },
  };
}

/** The ending of a task that was running when the hub's process ended. */
export function interruption(task: TaskRef): TaskEnding {
  const message = `Task ${idOf(task)} was running when the hub ended, and may have done part of its work. Run it again if that is safe.`;
  return failure('TASK_INTERRUPTED', message);
}

export function cancellation(task: TaskRef): TaskEnding {
  return failure('TASK_CANCELLED', `Task ${idOf(task)} was cancelled.`);
}
