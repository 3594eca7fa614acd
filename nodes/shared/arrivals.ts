/**
 * Messages on their way into a node: those that come while its client opens, or whose function or arguments have to be
 * waited for, are held, on disk too. A later instance of the node begins with those that it finds there.
 */
import type { FuncXClient } from '../../lib/client.js';
import { FuncXError } from '../../lib/compute/errors.js';
import type { Held } from '../../lib/tasks/inbox.js';
import type { Eventually } from './eventually.js';
import { Job, type JobOwner } from './job.js';
import { messageOf } from './parcels.js';
import type { ClientNode } from './types.js';

/** Most messages that are held where they may wait for room: they are in memory. */
const MOST_HELD = 100_000;

/** What is done for every message. It ends the job, before or after it returns. */
export type Work = (client: FuncXClient, job: Job) => Eventually<void>;

export class Arrivals {
  readonly #owner: JobOwner;
  readonly #client: ClientNode;
  readonly #work: Work;
  readonly #keeps: boolean;
  readonly #forget: () => void;
  /** Held messages whose work has begun. */
  readonly #begun = new Set<Held>();

  /** @param keeps what has begun is stored too, until it is handed to the client: otherwise the work can be asked for again */
  constructor(owner: JobOwner, client: ClientNode, keeps: boolean, work: Work) {
    this.#owner = owner;
    this.#client = client;
    this.#keeps = keeps;
    this.#work = work;
    this.#forget = client.onWork({ begin: (open) => this.#takeUp(open), fail: (error) => this.#giveUp(error) });
  }

  /** Begins a message, or holds it until it can be begun. @throws why it can be neither */
  take(job: Job): void {
    this.#bound();
    const client = this.#client.client();
    if (client instanceof Promise) {
      client.catch(() => {}); // Told to giveUp().
      this.#hold(job, true);
    } else if (this.#held.size > this.#begun.size) this.#hold(job, true);
    else this.#begin(client, job);
  }

  /** What is held is for the next instance of the node. */
  close(): void {
    this.#forget();
    this.#begun.clear();
  }

  get #held(): ReadonlySet<Held> {
    return this.#client.inbox.of(this.#owner.node.id);
  }

  #hold(job: Job, stored: boolean): Held {
    const held = this.#client.inbox.add(this.#owner.node.id, job, stored);
    job.held = held;
    this.#owner.status.started(1);
    return held;
  }

  #takeUp(client: FuncXClient): void {
    for (const held of [...this.#held]) {
      if (this.#begun.has(held)) continue;
      const job = this.#jobOf(held);
      this.#begun.add(held);
      this.#begin(client, job);
    }
  }

  /** The client cannot be opened. What an earlier process has left waits until it can. */
  #giveUp(error: unknown): void {
    for (const held of [...this.#held]) {
      if (held.recovered || this.#begun.has(held)) continue;
      this.#jobOf(held).fail(error);
      this.#owner.status.ended(1);
    }
  }

  #begin(client: FuncXClient, job: Job): void {
    try {
      const begun = job.isOver ? undefined : this.#work(client, job);
      if (begun instanceof Promise) this.#await(begun, job);
      else this.#left(job);
    } catch (error) {
      this.#failed(job, error);
    }
  }

  #await(begun: Promise<void>, job: Job): void {
    this.#begun.add(job.held ?? this.#hold(job, this.#keeps));
    begun.then(
      () => this.#left(job),
      (error) => this.#failed(job, error),
    );
  }

  /** Where the client was closed meanwhile, a message that is held is for when it is open again. */
  #failed(job: Job, error: unknown): void {
    if (job.held !== undefined && error instanceof FuncXError && error.code === 'CLOSED') {
      this.#begun.delete(job.held);
      return;
    }
    job.fail(error);
    this.#left(job);
  }

  #left({ held }: Job): void {
    if (held !== undefined && this.#begun.delete(held)) this.#owner.status.ended(1);
  }

  /** The job of a message that is held: its own, or a new one where it came to an earlier instance of the node. */
  #jobOf(held: Held): Job {
    const { parcel } = held;
    if (parcel instanceof Job && parcel.owner === this.#owner) return parcel;
    const job = Job.adopted(this.#owner, messageOf(parcel));
    job.held = held;
    held.parcel = job;
    this.#owner.status.started(1);
    return job;
  }

  /** What becomes of a message for which there is no room. */
  #bound(): void {
    const { queueLimit, whenFull, inbox } = this.#client;
    const { size } = this.#held;
    if (size < queueLimit && !inbox.isFull) return;
    if (whenFull === 'block' && size < MOST_HELD && !inbox.isFull) return;
    const [oldest] = this.#held;
    if (whenFull === 'drop-oldest' && oldest !== undefined) {
      const job = this.#jobOf(oldest);
      job.fail(dropped(queueLimit));
      if (!this.#begun.has(oldest)) this.#owner.status.ended(1);
      return;
    }
    if (whenFull === 'drop-newest') throw dropped(queueLimit);
    throw new FuncXError(
      'QUEUE_FULL',
      `${size} messages wait already, which is the limit of the client. Send more slowly, or raise its queue limit.`,
    );
  }
}

function dropped(limit: number): FuncXError {
  return new FuncXError(
    'DROPPED',
    `The message was dropped: ${limit} messages wait for the client to open, which is the client's limit.`,
  );
}
