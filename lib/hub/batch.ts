/** Tasks that were submitted together for one function and one endpoint: one record in memory and on disk, not one a task. */
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../compute/ids.js';
import type { PackedArguments } from '../compute/service.js';

/** Where a task of a batch is. */
export const Stage = { queued: 0, running: 1, ended: 2 } as const;

export class TaskBatch {
  /** One of {@link Stage} a task. */
  readonly stages: Uint8Array;
  /** Taken over from a process that has ended: its tasks may have run there. */
  inherited = false;
  /** Row in the store, once it was written there. */
  row: number | undefined;
  /** Tasks that have not ended. */
  open: number;

  constructor(
    readonly functionId: FunctionId,
    readonly endpointId: EndpointId,
    readonly groupId: TaskGroupId,
    /** Whether the results go to the task group's stream. */
    readonly streamed: boolean,
    readonly ids: readonly TaskId[],
    readonly args: readonly PackedArguments[],
    /** Unix milliseconds. */
    readonly createdAt: number,
    stages?: Uint8Array,
  ) {
    this.stages = stages ?? new Uint8Array(ids.length);
    this.open = this.stages.reduce((open, stage) => (stage === Stage.ended ? open : open + 1), 0);
  }
}

/** One task: its place in its batch. */
export interface TaskRef {
  readonly batch: TaskBatch;
  readonly index: number;
}

export function idOf(task: TaskRef): TaskId {
  return task.batch.ids[task.index] as TaskId;
}
