import { randomUUID } from 'node:crypto';
import { TaskBatch } from '../../../dist/lib/hub/batch.js';
import type { EndpointId, FunctionId, PackedArguments, TaskGroupId, TaskId } from '../../../dist/lib/index.js';

export const newId = <Id>() => randomUUID() as unknown as Id;

/** Tasks of a function, an endpoint and a group of their own. */
export function batchOf(args: readonly PackedArguments[]): TaskBatch {
  const ids = args.map(() => newId<TaskId>());
  return new TaskBatch(newId<FunctionId>(), newId<EndpointId>(), newId<TaskGroupId>(), true, ids, [...args], 1);
}
