/** Tasks that were submitted together for one function and one endpoint: one record in memory and on disk, not one a task. */
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../compute/ids.js';
import type { PackedArguments, TaskStatus } from '../compute/service.js';
import { serializersOf, type TaskTerms } from './terms.js';

/** Where a task of a batch is. */
export const Stage = {
  queued: 0,
  /** A worker of this machine has it. */
  running: 1,
  ended: 2,
  /** The broker has it, or an agent. */
  sent: 3,
} as const;

export class TaskBatch {
  /** One of {@link Stage} a task. */
  readonly stages: Uint8Array;
  readonly tasks: readonly Task[];
  /** Import paths of strategies for results as text alone, joined by spaces; undefined: whatever this project reads. */
  readonly serializers: string | undefined;
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
    /** Taken over by the batch; empty texts once their tasks have ended. */
    readonly args: PackedArguments[],
    /** Unix milliseconds. */
    readonly createdAt: number,
    stages?: Uint8Array,
    /** Undefined: the usual ones. */
    readonly terms?: TaskTerms | undefined,
  ) {
    this.serializers = serializersOf(terms)?.join(' ');
    this.stages = stages ?? new Uint8Array(ids.length);
    this.open = ids.length;
    if (stages !== undefined) for (const stage of stages) if (stage === Stage.ended) this.open--;
    const tasks = new Array<Task>(ids.length);
    for (let index = 0; index < tasks.length; index++) tasks[index] = new Task(this, index);
    this.tasks = tasks;
  }
}

/** One task: its place in its batch. */
export interface TaskRef {
  readonly batch: TaskBatch;
  readonly index: number;
}

/** What memory has of one task. */
export class Task implements TaskRef {
  /** How it ended. */
  status: TaskStatus | undefined = undefined;
  /** Its result was passed on: nobody will ask for it. */
  acknowledged = false;
  /** Its result was passed on, and is kept for whoever asks for it. */
  delivered = false;
  /** Where its result is kept with others, before it gets a row of its own. */
  page: object | undefined = undefined;

  constructor(
    readonly batch: TaskBatch,
    readonly index: number,
  ) {}
}

export function idOf(task: TaskRef): TaskId {
  return task.batch.ids[task.index] as TaskId;
}
