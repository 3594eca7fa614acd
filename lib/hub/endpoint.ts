/** What the hub needs of an endpoint, be it a pool of workers on this machine or an agent that is attached from elsewhere. */
import type { EndpointId } from '../compute/ids.js';
import type { ConsoleUserEndpoint, EndpointInfo, EndpointListEntry, EndpointStatus } from '../compute/service.js';
import type { TaskBatch, TaskRef } from './batch.js';
import type { TaskTerms } from './terms.js';

/** Who may use an endpoint, and for what. */
export interface EndpointAccess {
  /** Identity; undefined: the hub's operator. */
  readonly ownerId: string | undefined;
  /** Everybody may see it and submit to it. */
  readonly public: boolean;
  /** Ids of the only functions that it runs. @default any */
  readonly allowedFunctions?: readonly string[] | undefined;
}

export interface HubEndpoint {
  readonly id: EndpointId;
  readonly access: EndpointAccess;
  readonly entry: EndpointListEntry;
  readonly info: EndpointInfo;
  readonly status: EndpointStatus;
  /** Its user endpoints; a pool of this machine is its own only one. */
  readonly console: ConsoleUserEndpoint[];
  /** Throws SEMANTICALLY_INVALID where the endpoint takes no tasks on these terms. */
  check(terms: TaskTerms | undefined): void;
  /** Takes the tasks of a batch that have not ended, and from then on tells how each of them ends. */
  submit(batch: TaskBatch): void;
  /** Ends a task with the code TASK_CANCELLED. False: it has ended by itself. */
  cancel(task: TaskRef): boolean;
  /** A function that no task needs any more was dropped from memory. */
  forget(functionKey: number): void;
  /**
   * Takes no tasks from now on, and gives back the batches whose tasks have not ended.
   *
   * @param graceMs how long tasks that run here may take to end. Unit: milliseconds. @default 0
   */
  close(graceMs?: number): Promise<TaskBatch[]>;
}
