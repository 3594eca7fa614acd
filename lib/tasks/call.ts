/** Calls and how they end, as the client's users see them. */
import type { FuncXError } from '../compute/errors.js';
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../compute/ids.js';
import type { TaskDetails } from '../compute/service.js';

/** Positional and keyword arguments of one task. */
export interface CallArguments {
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
}

export interface Call extends CallArguments {
  readonly functionId: FunctionId;
  /** @default the client's endpoint */
  readonly endpointId?: EndpointId;
}

/** Many calls of one function; one task each. */
export interface BatchCall {
  readonly functionId: FunctionId;
  /** @default the client's endpoint */
  readonly endpointId?: EndpointId;
  readonly calls: readonly CallArguments[];
}

export interface TaskTimings {
  /** From the submission until the function began. Unit: milliseconds. */
  readonly queuedMs?: number | undefined;
  /** In the function. Unit: milliseconds. */
  readonly runMs?: number | undefined;
}

interface OutcomeBase {
  /** Absent when the task was refused before it was accepted. */
  readonly taskId?: TaskId | undefined;
  readonly functionId?: FunctionId | undefined;
  readonly endpointId?: EndpointId | undefined;
  readonly taskGroupId?: TaskGroupId | undefined;
  readonly completedAt?: Date | undefined;
  readonly timings?: TaskTimings | undefined;
  readonly worker?: TaskDetails | undefined;
  /** What the function printed. */
  readonly output?: string | undefined;
}

/** How a task ended. */
export type TaskOutcome =
  | (OutcomeBase & { readonly status: 'success'; readonly result: unknown })
  | (OutcomeBase & { readonly status: 'failed'; readonly error: FuncXError });
