/** The end of a message that stands for several tasks: one message with all results, or one message a result. */
import type { NodeAPI } from 'node-red';
import type { Delivery, Entry } from '../../lib/client.js';
import { FuncXError } from '../../lib/compute/errors.js';
import type { TaskId } from '../../lib/compute/ids.js';
import { errorData, NodeError } from './errors.js';
import { guarded, type Job } from './job.js';
import { Parting } from './parts.js';
import { describeDelivery, durationOf, type FuncxProperty, type TaskFailure, writeFuncx } from './results.js';
import type { Message } from './types.js';

type Write = (msg: Message, value: unknown) => void;

/** Takes in how the tasks of one entry end, in any order. Gives the deliveries that were sent on by now. */
export interface Collecting {
  add(delivery: Delivery): readonly Delivery[];
}

export interface Together {
  /** Number of tasks; one at least. */
  readonly count: number;
  readonly write: Write;
  /** What becomes of the message when tasks failed: it goes to a Catch node, or on with null in their places. */
  readonly failures: 'error' | 'include';
}

interface Failed {
  readonly index: number;
  readonly taskId: TaskId | null;
  readonly error: FuncXError;
}

/** One message with the list of results, in the order of the tasks. */
export class ResultList implements Collecting {
  readonly #started = performance.now();
  readonly #results: unknown[];
  readonly #taskIds: (TaskId | null)[];
  readonly #failed: Failed[] = [];
  /** Kept by the service until the list was sent on. */
  readonly #deliveries: Delivery[] = [];
  #missing: number;

  constructor(
    readonly job: Job,
    readonly options: Together,
  ) {
    this.#missing = options.count;
    this.#results = new Array(options.count).fill(null);
    this.#taskIds = new Array(options.count).fill(null);
  }

  add(delivery: Delivery): readonly Delivery[] {
    const { index, outcome } = delivery;
    const taskId = outcome.taskId ?? null;
    this.#taskIds[index] = taskId;
    this.#deliveries.push(delivery);
    if (outcome.status === 'success') this.#results[index] = outcome.result;
    else this.#failed.push({ index, taskId, error: outcome.error });
    if (--this.#missing > 0) return [];
    this.#end(delivery);
    return this.#deliveries;
  }

  #end(last: Delivery): void {
    const { job } = this;
    const failed = this.#failed.sort((a, b) => a.index - b.index);
    job.attempt(() => {
      const property = this.#describe(last, failed);
      const [first] = failed;
      if (first !== undefined && this.options.failures === 'error') {
        writeFuncx(job.msg, { ...property, results: this.#results });
        throw this.#wasRefused(failed) ? first.error : batchFailed(first, failed.length, this.options.count);
      }
      writeFuncx(job.msg, property);
      this.options.write(job.msg, this.#results);
      job.succeed(performance.now() - this.#started);
    });
  }

  #describe(last: Delivery, failed: readonly Failed[]): FuncxProperty {
    const { taskId: _one, timings: _its, worker: _own, output: _printed, ...common } = describeDelivery(last);
    const property = { ...common, taskIds: this.#taskIds, status: failed.length > 0 ? 'failed' : 'success' };
    if (failed.length === 0) return property;
    const errors = failed.map(({ index, taskId, error }): TaskFailure => ({ index, taskId, ...errorData(error) }));
    return { ...property, errors };
  }

  /** Nothing was accepted, and all for the same reason: that reason is the error of the message. */
  #wasRefused(failed: readonly Failed[]): boolean {
    const code = failed[0]?.error.code;
    return (
      failed.length === this.options.count &&
      failed.every(({ taskId, error }) => taskId === null && error.code === code)
    );
  }
}

/** One message a result, as they complete, with parts. A failed one goes to a Catch node with its own message. */
export class ResultMessages implements Collecting {
  readonly #parting: Parting;

  constructor(
    RED: NodeAPI,
    readonly job: Job,
    { calls, acceptedAt }: Entry,
    target: string,
    readonly write: Write,
  ) {
    // The same after a restart, so that Join still puts together what belongs together.
    const id = `${job.msg._msgid}-${acceptedAt.toString(36)}`;
    this.#parting = new Parting(RED, job.msg, id, target, calls.length);
  }

  add(delivery: Delivery): readonly Delivery[] {
    const { index, outcome } = delivery;
    const { owner, send } = this.job;
    guarded(owner.node, () => {
      const message = this.#parting.message(index);
      try {
        writeFuncx(message, describeDelivery(delivery));
        if (outcome.status === 'failed') throw outcome.error;
        this.write(message, outcome.result);
      } catch (error) {
        owner.status.failed(error);
        owner.node.error(new NodeError(error), message);
        return;
      }
      owner.status.succeeded(durationOf(outcome));
      send(message);
    });
    return [delivery];
  }
}

function batchFailed(first: Failed, failures: number, count: number): FuncXError {
  const task = first.taskId === null ? '' : ` (task ${first.taskId})`;
  return new FuncXError(
    'BATCH_FAILED',
    `${failures} of ${count} tasks failed. The first, index ${first.index}${task}: ${first.error.message}. ` +
      'All are in msg.funcx.errors.',
  );
}
