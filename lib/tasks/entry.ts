/** What one message asked for: one call, or the calls of a batch. The ledger keeps it until every result was sent on. */
import type { FuncXError } from '../compute/errors.js';
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../compute/ids.js';
import type { PackedArguments, TaskStatus } from '../compute/service.js';
import type { TaskOutcome } from './call.js';
import type { PendingCall } from './submitter.js';
import type { Waiter } from './waiter.js';

/** Where a call of an entry is. */
export const CallStage = {
  /** Not with the service, or not known to be; nobody was told how it ended. */
  waiting: 0,
  /** The service has it under its task id, or it has ended without one. */
  submitted: 1,
  /** Its deadline has passed and was told; its result is still welcome. */
  late: 2,
  /** Its result was sent on. */
  settled: 3,
} as const;

export type CallStage = (typeof CallStage)[keyof typeof CallStage];

/** When a failed call is tried again. */
export interface RetryPolicy {
  /** Tries beyond the first. */
  readonly retries: number;
  /** Error codes, or names of Python exceptions, that are worth another try; empty: every failure of a task. */
  readonly errors: readonly string[];
  /** Pause before the first retry; doubled each time, with jitter. Unit: milliseconds. */
  readonly backoffMs: number;
}

/** What is asked of an entry beside its calls. */
export interface EntryOptions {
  /** `accepted`: the result wanted is the task id, as soon as the service has the task for good. @default 'ended' */
  readonly until?: 'accepted' | 'ended' | undefined;
  /** A task that was running when its service died is run again. */
  readonly repeatable?: boolean | undefined;
  /** Several calls are expected: what comes of them is a list even of one. For the owner. */
  readonly list?: boolean | undefined;
  /** Unix milliseconds by which a result is wanted. */
  readonly deadline?: number | undefined;
  /** What happens to a result that comes after the deadline. @default 'drop' */
  readonly late?: 'drop' | 'send' | undefined;
  readonly retry?: RetryPolicy | undefined;
  /** A result of the same function, endpoint and arguments that is not older is used instead. Unit: milliseconds. */
  readonly memoMs?: number | undefined;
}

/** How a call of an entry ended, for the owner of the entry. */
export interface Delivery {
  readonly entry: Entry;
  readonly call: EntryCall;
  /** Place of the call in its entry. */
  readonly index: number;
  readonly outcome: TaskOutcome;
  /** Found again after a restart. */
  readonly recovered: boolean;
  /** May have been sent on before the process died. */
  readonly redelivered: boolean;
  /** Comes after the entry's deadline. */
  readonly late: boolean;
  /** Only tells that the deadline has passed: the result is still to come, late. There is nothing to settle. */
  readonly interim: boolean;
}

/** Who looks after the calls of an entry. */
export interface Desk {
  accepted(call: EntryCall, id: TaskId, group: TaskGroupId): void;
  refused(call: EntryCall, error: FuncXError): void;
  ended(call: EntryCall, status: TaskStatus): void;
  pending(call: EntryCall, status: TaskStatus): void;
  settle(call: EntryCall): void;
}

export class Entry {
  readonly calls: readonly EntryCall[];
  /** Calls that are not settled. */
  open: number;
  /** Its tasks were submitted by others: it only waits for them. */
  watching = false;
  /** Waits for room: its calls are not begun, and do not count as pending. */
  blocked = false;
  /** Found in the ledger or in the inbox, not handed in to this process. */
  recovered = false;
  /** The disk has its parcel in the inbox until the next commit: nothing may come of it before, or it would come twice. */
  inInbox = false;
  /** Where the ledger keeps it. */
  slot: object | undefined;
  /** Told of its results instead of its owner: of an entry that cannot outlive the process. */
  handler: ((delivery: Delivery) => void) | undefined;

  constructor(
    readonly desk: Desk,
    /** Who gets the results: the id of a node. */
    readonly owner: string,
    /** What the owner wants back with the results: the message. */
    readonly parcel: unknown,
    readonly functionId: FunctionId,
    readonly endpointId: EndpointId,
    readonly options: EntryOptions,
    packed: readonly PackedArguments[],
    /** Unix milliseconds. */
    readonly acceptedAt: number,
  ) {
    this.calls = packed.map((each, index) => new EntryCall(this, index, each));
    this.open = this.calls.length;
  }
}

export class EntryCall implements PendingCall, Waiter {
  stage: CallStage = CallStage.waiting;
  taskId: TaskId | undefined;
  groupId: TaskGroupId | undefined;
  /** How it ended is known, whether or not that was sent on. */
  over = false;
  /** How it ended, where the service cannot be asked again. */
  outcome: TaskOutcome | undefined;
  /** Waits in the queue. */
  queued = false;
  /** Who was told how it ended, and has not settled it. */
  told: object | undefined;
  /** Is about to be delivered. */
  due = false;
  /** An earlier process may have sent its result on, and did not live to note it. */
  maybeSent = false;
  /** Why it cannot be made. */
  problem: FuncXError | undefined;
  /** Tries so far, in this process and before. */
  tries = 0;
  /** How many of them were interrupted and made again because the function is repeatable. */
  interruptions = 0;
  /** Unix milliseconds of the last submission. */
  submittedAt = 0;

  constructor(
    readonly entry: Entry,
    readonly index: number,
    /** Empty once the service has them and no retry can need them. */
    public packed: PackedArguments,
  ) {}

  accepted(id: TaskId, group: TaskGroupId): void {
    this.entry.desk.accepted(this, id, group);
  }

  refused(error: FuncXError): void {
    this.entry.desk.refused(this, error);
  }

  ended(status: TaskStatus): void {
    this.entry.desk.ended(this, status);
  }

  failed(error: FuncXError): void {
    this.entry.desk.refused(this, error);
  }

  pending(status: TaskStatus): void {
    this.entry.desk.pending(this, status);
  }

  get functionId(): FunctionId {
    return this.entry.functionId;
  }

  get endpointId(): EndpointId {
    return this.entry.endpointId;
  }
}
