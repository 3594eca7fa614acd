/** A task that has ended, as the service shows it. */
import type { TaskDetails, TaskStatus } from '../compute/service.js';
import { idOf, type TaskRef } from './batch.js';
import { failure, type TaskEnding } from './workers/ending.js';

export function statusOf(task: TaskRef, ending: TaskEnding): TaskStatus {
  const { start, end, worker, output } = ending;
  const details: { -readonly [Name in keyof TaskDetails]: TaskDetails[Name] } = {
    os: worker.os,
    python_version: worker.python_version,
    endpoint_id: task.batch.endpointId,
    task_transitions:
      ending.transitions ?? (start > 0 ? { 'execution-start': start, 'execution-end': end } : undefined),
  };
  if (worker.dill_version !== undefined) details.dill_version = worker.dill_version;
  if (worker.globus_compute_sdk_version !== undefined) {
    details.globus_compute_sdk_version = worker.globus_compute_sdk_version;
  }
  if (task.batch.inherited) details.rerun = true;
  if (output !== '') details.output = output;
  return {
    task_id: idOf(task),
    status: ending.status,
    result: ending.result,
    result_buffers: ending.resultBytes,
    exception: ending.exception,
    error_code: ending.errorCode,
    completion_t: secondsText(end),
    details,
  };
}

/** Unix seconds to the microsecond. Two whole numbers are written faster than one with a fraction. */
function secondsText(seconds: number): string {
  const micros = Math.round(seconds * 1e6);
  const whole = Math.floor(micros / 1e6);
  return `${whole}.${String(micros - whole * 1e6).padStart(6, '0')}`;
}

/** The ending of a task that was running when the hub's process ended. */
export function interruption(task: TaskRef): TaskEnding {
  const message = `Task ${idOf(task)} was running when the hub ended, and may have done part of its work. Run it again if that is safe.`;
  return failure('TASK_INTERRUPTED', message);
}

export function cancellation(task: TaskRef): TaskEnding {
  return failure('TASK_CANCELLED', `Task ${idOf(task)} was cancelled.`);
}
