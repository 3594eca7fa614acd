/** How calls end that the client itself ends. */
import { type FuncXError, SerializationError, TaskError } from '../compute/errors.js';
import type { TaskId } from '../compute/ids.js';
import type { TaskOutcome } from './call.js';
import type { EntryCall } from './entry.js';

export function refusal(call: EntryCall, error: FuncXError): TaskOutcome {
  const { entry, taskId, functionId, endpointId, groupId } = call;
  if (entry.watching) return { status: 'failed', taskId, error };
  return { status: 'failed', taskId, functionId, endpointId, taskGroupId: groupId, error };
}

export function cancelled(call: EntryCall): TaskOutcome {
  return refusal(call, taskError(call, 'TASK_CANCELLED', `${nameOf(call)} was cancelled.`));
}

export function deadlineExceeded(call: EntryCall): TaskOutcome {
  const { options, acceptedAt } = call.entry;
  const after = (((options.deadline ?? acceptedAt) - acceptedAt) / 1000).toFixed(1);
  const message = `${nameOf(call)} had not ended by its deadline, ${after} s after it was accepted.`;
  return refusal(call, taskError(call, 'DEADLINE_EXCEEDED', message));
}

/** Of arguments that could not be serialized, nothing is in the ledger. */
export function notKept(): SerializationError {
  return new SerializationError('NOT_SERIALIZABLE', 'The arguments could not be serialized when the message came.');
}

/** It may have no id yet. */
function taskError({ taskId, functionId }: EntryCall, code: string, message: string): TaskError {
  return new TaskError(code, message, taskId ?? ('' as TaskId), functionId);
}

function nameOf({ taskId, functionId }: EntryCall): string {
  return taskId === undefined ? `A task of function ${functionId}` : `Task ${taskId}`;
}
