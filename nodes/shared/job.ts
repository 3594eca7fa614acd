import type { Node } from 'node-red';
import type { Delivery } from '../../lib/client.js';
import type { Held } from '../../lib/tasks/inbox.js';
import { NodeError } from './errors.js';
import { describeDelivery, durationOf, writeFuncx } from './results.js';
import type { Collecting } from './several-tasks.js';
import type { Done, Message, Send, StatusLine } from './types.js';

/** What a job needs of its node. */
export interface JobOwner {
  /** True once the node is closed: what comes to its end afterwards is not sent by it any more. */
  readonly closed: boolean;
  readonly status: StatusLine;
  readonly node: Node;
}

/** A message on its way through a node. It ends exactly once: with `done()`, or with an error that a Catch node sees. */
export class Job {
  /** Puts the results of several tasks together; made by the first of them. */
  collecting: Collecting | undefined;
  /** Where its message is until the client has it, or the job ends. */
  held: Held | undefined;
  #over = false;

  constructor(
    readonly owner: JobOwner,
    readonly msg: Message,
    readonly send: Send,
    readonly done: Done,
  ) {}

  /** It has ended, whatever comes of its work. */
  get isOver(): boolean {
    return this.#over;
  }

  /** The job of a message that an earlier instance of the node took in, in this process or before a restart. */
  static adopted(owner: JobOwner, msg: Message): Job {
    const { node } = owner;
    return new Job(
      owner,
      msg,
      (message) => node.send(message),
      (error) => complete(node, msg, error),
    );
  }

  /**
   * Sends on and ends.
   *
   * @param ms how long the work took, where that is known
   * @param message what is sent: the job's own message, or one for each output
   */
  succeed(ms?: number, message: Message | (Message | null)[] = this.msg): void {
    if (!this.#end()) return;
    this.owner.status.succeeded(ms);
    this.#leave(message);
  }

  /** Sends on and ends: what was asked for has not ended yet. */
  pending(state: string, message: (Message | null)[]): void {
    if (!this.#end()) return;
    this.owner.status.pending(state);
    this.#leave(message);
  }

  /** Ends with nothing to send: what came of it was sent, and shown, before. */
  finish(): void {
    if (this.#end()) this.#leave(null);
  }

  fail(error: unknown): void {
    if (!this.#end()) return;
    this.owner.status.failed(error);
    guarded(this.owner.node, () => this.done(new NodeError(error)));
  }

  /** Ends as one task ended, its result going to the target property. */
  settle(delivery: Delivery, write: (msg: Message, value: unknown) => void): void {
    const { outcome } = delivery;
    this.attempt(() => {
      writeFuncx(this.msg, describeDelivery(delivery));
      if (outcome.status === 'failed') throw outcome.error;
      write(this.msg, outcome.result);
      this.succeed(durationOf(outcome));
    });
  }

  /** Does the last part of the work; what it throws is how the job ends. */
  attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  /** @returns whether the job may end now */
  #end(): boolean {
    if (this.#over || this.owner.closed) return false;
    this.#over = true;
    this.held?.remove();
    return true;
  }

  #leave(message: Message | (Message | null)[] | null): void {
    guarded(this.owner.node, () => {
      if (message !== null) this.send(message);
      this.done();
    });
  }
}

/** What the `done` of an input handler does; a message that comes back after a restart has lost its own. */
function complete(node: Node, msg: Message, error: Error | undefined): void {
  const own = node as Node & { _complete?: (msg: Message, error?: Error) => void };
  if (own._complete !== undefined) own._complete(msg, error);
  else if (error !== undefined) node.error(error, msg);
}

/**
 * Hands something over to Node-RED. It clones messages on the way, which can fail, with one that is nested too deeply
 * for instance; outside of an input handler nobody else would catch that, and the process would end.
 */
export function guarded(node: Node, handOver: () => void): void {
  try {
    handOver();
  } catch (error) {
    node.error(new NodeError(error));
  }
}
