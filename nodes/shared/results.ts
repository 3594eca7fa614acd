/** What a task's end puts on a message: the result on the target property, everything else on `msg.funcx`. */
import type { Delivery, TaskOutcome, TaskTimings } from '../../lib/client.js';
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../../lib/compute/ids.js';
import type { TaskDetails } from '../../lib/compute/service.js';
import type { ErrorData } from './errors.js';
import type { Message } from './types.js';

/** `msg.funcx` as the nodes write it. Other properties of it are the flow's own, and stay. */
export interface FuncxProperty {
  functionId?: FunctionId;
  endpointId?: EndpointId;
  /** Of one task. */
  taskId?: TaskId;
  /** Of several, in the order of the arguments. */
  taskIds?: readonly (TaskId | null)[];
  taskGroupId?: TaskGroupId;
  /** `success`, `failed`, or the pending state as the service names it. */
  status?: string;
  pending?: boolean;
  /** ISO 8601. */
  completedAt?: string;
  timings?: TaskTimings;
  worker?: TaskDetails;
  /** What the function printed. */
  output?: string;
  /** Found again after a restart. */
  recovered?: true;
  /** May have been sent on before, when the process died. */
  redelivered?: true;
  /** Comes after its deadline, which was told before. */
  late?: true;
  /** Of a batch in which tasks failed: what there is, null in the places of the failed ones. */
  results?: readonly unknown[];
  errors?: readonly TaskFailure[];
}

/** A failed task of several. */
export interface TaskFailure extends ErrorData {
  readonly index: number;
  readonly taskId: TaskId | null;
}

/** What speaks of one task or group of tasks, and must not stay on a message that goes on to speak of another. */
const OF_TASKS: ReadonlySet<string> = new Set<keyof FuncxProperty>([
  'taskId',
  'taskIds',
  'taskGroupId',
  'status',
  'pending',
  'completedAt',
  'timings',
  'worker',
  'output',
  'recovered',
  'redelivered',
  'late',
  'results',
  'errors',
]);

/** Writes `msg.funcx`, keeping what the flow put there and what speaks of no task. */
export function writeFuncx(msg: Message, property: FuncxProperty): void {
  const before = msg.funcx;
  if (typeof before !== 'object' || before === null) {
    msg.funcx = property;
    return;
  }
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(before)) if (!OF_TASKS.has(name)) kept[name] = value;
  msg.funcx = { ...kept, ...property };
}

/** What a task's end says of itself. */
export function describeOutcome(outcome: TaskOutcome): FuncxProperty {
  const property: FuncxProperty = {};
  if (outcome.functionId !== undefined) property.functionId = outcome.functionId;
  if (outcome.endpointId !== undefined) property.endpointId = outcome.endpointId;
  if (outcome.taskId !== undefined) property.taskId = outcome.taskId;
  if (outcome.taskGroupId !== undefined) property.taskGroupId = outcome.taskGroupId;
  property.status = outcome.status;
  if (outcome.completedAt !== undefined) property.completedAt = isoText(outcome.completedAt);
  if (outcome.timings !== undefined) property.timings = outcome.timings;
  if (outcome.worker !== undefined) property.worker = withoutOutput(outcome.worker);
  if (outcome.output !== undefined && outcome.output !== '') property.output = outcome.output;
  return property;
}

/** Of many tasks that end in the same millisecond, the text is made once. */
function isoText(time: Date): string {
  const ms = time.getTime();
  if (ms !== lastIso.ms) lastIso = { ms, text: time.toISOString() };
  return lastIso.text;
}

let lastIso = { ms: Number.NaN, text: '' };

/** What a delivery says of its task, and of how it came. */
export function describeDelivery({ entry, outcome, recovered, redelivered, late }: Delivery): FuncxProperty {
  const property = describeOutcome(outcome);
  // Of a task that was only accepted nothing else is known yet.
  if (entry.options.until === 'accepted' && outcome.status === 'success') delete property.status;
  if (recovered) property.recovered = true;
  if (redelivered) property.redelivered = true;
  if (late) property.late = true;
  return property;
}

/** How long a task took from the moment it was accepted. Unit: milliseconds. */
export function durationOf({ timings }: TaskOutcome): number | undefined {
  if (timings?.queuedMs === undefined && timings?.runMs === undefined) return undefined;
  return (timings.queuedMs ?? 0) + (timings.runMs ?? 0);
}

/** What was printed is `msg.funcx.output`, and is not repeated. */
function withoutOutput(worker: TaskDetails): TaskDetails {
  if (!('output' in worker)) return worker;
  const { output: _, ...others } = worker;
  return others;
}
