/** A submission to several endpoints, where each task is accepted or refused by itself. */
import { ServiceError } from '../../compute/errors.js';
import type { EndpointId, TaskGroupId, TaskId } from '../../compute/ids.js';
import type { UserHub } from '../user-hub.js';

export interface ManySubmission {
  /** `[function, endpoint, packed arguments]` */
  readonly tasks: readonly (readonly [string, string, string])[];
  readonly taskGroupId: TaskGroupId | undefined;
  readonly createQueue: boolean;
}

export interface ManyReplies {
  /** Undefined where every task was refused and no group was given. */
  readonly taskGroupId: TaskGroupId | undefined;
  /** In the order of the tasks. */
  readonly results: readonly (TaskId | ServiceError)[];
}

/** Throws what is no refusal. */
export async function submitToMany(
  hub: UserHub,
  { tasks, taskGroupId, createQueue }: ManySubmission,
): Promise<ManyReplies> {
  const results = new Array<TaskId | ServiceError>(tasks.length);
  let group = taskGroupId;
  for (const { endpoint, functionId, places } of inParts(tasks)) {
    try {
      const reply = await hub.submit(endpoint as EndpointId, {
        tasks: { [functionId]: places.map((place) => (tasks[place] ?? ['', '', ''])[2]) },
        create_queue: createQueue,
        ...(group !== undefined && { task_group_id: group }),
      });
      group = reply.task_group_id as TaskGroupId;
      const ids = reply.tasks[functionId] ?? [];
      for (const [i, place] of places.entries()) results[place] = ids[i] as TaskId;
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      for (const place of places) results[place] = error;
    }
  }
  return { taskGroupId: group, results };
}

interface Part {
  readonly endpoint: string;
  readonly functionId: string;
  /** Where its tasks are in the submission. */
  readonly places: number[];
}

/** The tasks of one function on one endpoint are accepted or refused together. */
function inParts(tasks: ManySubmission['tasks']): Iterable<Part> {
  const parts = new Map<string, Part>();
  for (const [place, [functionId, endpoint]] of tasks.entries()) {
    const key = `${functionId} ${endpoint}`;
    const part = parts.get(key);
    if (part === undefined) parts.set(key, { endpoint, functionId, places: [place] });
    else part.places.push(place);
  }
  return parts.values();
}
