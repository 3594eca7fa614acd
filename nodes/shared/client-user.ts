import type { Node, NodeAPI } from 'node-red';
import type { BatchCall, Delivery, Entry, EntryOptions, FuncXClient, UnclaimedListener } from '../../lib/client.js';
import { InputError } from '../../lib/compute/errors.js';
import { isUuid, type TaskId } from '../../lib/compute/ids.js';
import { Arrivals, type Work } from './arrivals.js';
import { InOrder } from './in-order.js';
import { Job, type JobOwner } from './job.js';
import { messageOf } from './parcels.js';
import { showNoClient } from './status.js';
import type { ClientNode, StatusLine } from './types.js';

/**
 * Told how a task of one of the node's messages ended, in this process or since an earlier one. Gives the deliveries that
 * were sent on by now; the others are kept, and come again after a restart.
 */
export type OnDelivery = (job: Job, delivery: Delivery) => readonly Delivery[];

/** Calls a function when the turn of a delivery has come. */
type Turn = (act: () => void) => void;

/** What was handed to Node-RED for one message. */
interface Sent {
  readonly client: FuncXClient;
  readonly deliveries: readonly Delivery[];
  readonly job: Job;
}

/**
 * A node's side of its client: starts the work of messages, and gets the results, also those of messages that an earlier
 * instance of the node took in.
 */
export class ClientUser implements JobOwner {
  readonly status: StatusLine;
  readonly #client: ClientNode | undefined;
  readonly #release: () => void;
  /** Undoes what the node has asked its client for. */
  readonly #stops = new Set<() => void>();
  /** Jobs of entries that this instance of the node did not take in. */
  readonly #adopted = new Map<Entry, Job>();
  readonly #order = new InOrder();
  readonly #turns = new Map<Entry, readonly Turn[]>();
  /** Handed to Node-RED, by turns of the event loop, and not known to have reached the next node. */
  readonly #sent = new Set<Sent[]>();
  /** What is handed to Node-RED in this turn. */
  #sending: Sent[] | undefined;
  #onDelivery: OnDelivery = (_job, delivery) => [delivery];
  /** Whether the node has tasks that can be cancelled. */
  #serves = false;
  #ordered = false;
  #closed = false;

  constructor(
    readonly RED: NodeAPI,
    readonly node: Node,
    readonly clientId: string,
  ) {
    const client = RED.nodes.getNode(clientId) as ClientNode | null | undefined;
    if (client?.type === 'funcx-client') {
      this.#client = client;
      this.#release = client.use();
      this.status = client.statuses.add(node);
      this.#stops.add(client.onStopping((isStopped) => this.#beforeStop(isStopped)));
    } else {
      this.#release = () => {};
      this.status = NO_STATUS;
      showNoClient(RED, node);
    }
    node.on('close', () => this.#close());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Does some work for every message. Work that throws or rejects ends in the message's error. */
  onInput(work: Work): void {
    const arrivals = this.#client && new Arrivals(this, this.#client, this.#serves, this.#orCancel(work));
    if (arrivals !== undefined) this.#stops.add(() => arrivals.close());
    this.node.on('input', (msg, send, done) => {
      const job = new Job(this, msg, send, done);
      try {
        if (arrivals === undefined) throw noClient(this.clientId);
        arrivals.take(job);
      } catch (error) {
        job.fail(error);
      }
    });
  }

  /** Gets the results of what the node submits and waits for, from now on and from before. */
  serve(onDelivery: OnDelivery): void {
    this.#onDelivery = onDelivery;
    this.#serves = true;
    const stop = this.#client?.onOpen((client) => {
      for (const entry of client.entriesOf(this.node.id)) {
        this.#take(entry);
        this.status.started(entry.open);
      }
      this.#stops.add(client.serve(this.node.id, (delivery) => this.#deliver(client, delivery)));
    });
    if (stop !== undefined) this.#stops.add(stop);
  }

  /** Runs the tasks of a message. How they end is told to {@link serve}. */
  submit(client: FuncXClient, job: Job, batch: BatchCall, options: EntryOptions): void {
    if (this.#isLeft(job)) return;
    this.status.started(batch.calls.length);
    this.#take(client.submitFor(this.node.id, job, batch, options, job.held));
  }

  /** Waits for tasks that were submitted by someone else. How they end is told to {@link serve}. */
  waitFor(client: FuncXClient, job: Job, ids: readonly TaskId[], options: EntryOptions): void {
    if (this.#isLeft(job)) return;
    this.status.started(ids.length);
    this.#take(client.waitForOwner(this.node.id, job, ids, options, job.held));
  }

  /** From now on results come in the order in which their tasks were handed in, whatever the client says. */
  keepOrder(): void {
    this.#ordered = true;
  }

  /** Listens to the results that nobody waits for. */
  onUnclaimed(listener: UnclaimedListener): void {
    const stop = this.#client?.onOpen((client) => this.#stops.add(client.onUnclaimed(listener)));
    if (stop !== undefined) this.#stops.add(stop);
  }

  /** Takes the results of nodes that are gone, with their messages. */
  inherit(onDelivery: OnDelivery): void {
    const stop = this.#client?.onOpen((client) => {
      const heir = (delivery: Delivery) => {
        if (this.#closed) return false;
        const job = this.#jobOf(delivery.entry);
        this.#settle(client, onDelivery(job, delivery), job);
        return true;
      };
      this.#stops.add(client.inherit(heir));
    });
    if (stop !== undefined) this.#stops.add(stop);
  }

  /** It has ended meanwhile, or is left to the next instance of the node, which finds it among those that are held. */
  #isLeft(job: Job): boolean {
    return job.isOver || (this.#closed && job.held !== undefined);
  }

  #orCancel(work: Work): Work {
    if (!this.#serves) return work;
    return (client, job) => {
      const { cancel } = job.msg;
      return cancel === undefined ? work(client, job) : this.#cancel(client, job, cancel);
    };
  }

  /** Ends tasks of the node: all, or one. Their messages end in an error that says so; the one that asks ends quietly. */
  async #cancel(client: FuncXClient, job: Job, what: unknown): Promise<void> {
    if (what !== true && !isUuid(what)) {
      throw new InputError(
        'msg.cancel: true cancels all tasks of the node, a task id that task. Delete the property to run a task.',
      );
    }
    const id = what === true ? undefined : (what as unknown as TaskId);
    const cancelled = client.cancelFor(this.node.id, id);
    // A task whose id was passed on is nobody's message any more; only the service can stop it.
    if (cancelled === 0 && id !== undefined && client.service.capabilities.cancel) await client.cancel(id);
    job.finish();
  }

  /** In the order `sent`, what comes of a task waits for the tasks that were handed in before. */
  #take(entry: Entry): void {
    if (this.#ordered || this.#client?.order === 'sent')
      this.#turns.set(
        entry,
        entry.calls.map(() => this.#order.place()),
      );
  }

  #deliver(client: FuncXClient, delivery: Delivery): void {
    const turn = this.#turns.get(delivery.entry)?.[delivery.index];
    if (turn === undefined || delivery.late) this.#handOver(client, delivery);
    else turn(() => this.#handOver(client, delivery));
  }

  #handOver(client: FuncXClient, delivery: Delivery): void {
    if (this.#closed) return;
    const { entry, late } = delivery;
    if (!late) this.status.ended(1);
    const job = late ? this.#adopt(entry) : this.#jobOf(entry);
    this.#settle(client, this.#onDelivery(job, delivery), job);
  }

  /**
   * Node-RED hands a message over in a later turn of the loop, right before the one that is asked for here: only then has
   * the next node what was sent on.
   */
  #settle(client: FuncXClient, deliveries: readonly Delivery[], job: Job): void {
    if (deliveries.length === 0) return;
    const sent = { client, deliveries, job };
    if (this.#sending !== undefined) {
      this.#sending.push(sent);
      return;
    }
    const turn = [sent];
    this.#sending = turn;
    this.#sent.add(turn);
    // Asked for when all of this turn has been handed over, so that it comes after the last of it.
    queueMicrotask(() => {
      this.#sending = undefined;
      setImmediate(() => this.#arrived(turn));
    });
  }

  #arrived(turn: Sent[]): void {
    if (!this.#sent.delete(turn)) return;
    for (const { client, deliveries, job } of turn) {
      for (const delivery of deliveries) {
        client.settle(delivery);
        if (delivery.entry.open === 0) this.#finish(delivery.entry, job);
      }
    }
  }

  #finish(entry: Entry, job: Job): void {
    job.finish();
    this.#adopted.delete(entry);
    this.#turns.delete(entry);
  }

  /** What was sent in this turn of the loop does not reach a node that stops before the next: it will be sent again. */
  #beforeStop(isStopped: (id: string) => boolean): void {
    const targets = (this.node as Node & { wires?: readonly (readonly string[])[] }).wires?.flat() ?? [];
    if (!targets.some(isStopped)) return;
    const turns = [...this.#sent];
    this.#sent.clear();
    for (const { client, deliveries } of turns.flat()) {
      for (const delivery of deliveries) {
        this.#adopted.set(delivery.entry, this.#adopt(delivery.entry));
        client.giveBack(delivery);
      }
    }
  }

  /** The job of an entry: the one that was handed in, or a new one for its message where that belongs to a closed node. */
  #jobOf(entry: Entry): Job {
    const { parcel } = entry;
    const adopted = this.#adopted.get(entry);
    if (adopted !== undefined) return adopted;
    if (parcel instanceof Job && parcel.owner === this) return parcel;
    const job = this.#adopt(entry);
    this.#adopted.set(entry, job);
    return job;
  }

  #adopt(entry: Entry): Job {
    return Job.adopted(this, messageOf(entry.parcel));
  }

  #close(): void {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    this.#stops.clear();
    this.status.remove();
    this.#release();
  }
}

/** Of a node without a client; what it shows instead does not change. */
const NO_STATUS: StatusLine = {
  started: () => {},
  ended: () => {},
  succeeded: () => {},
  failed: () => {},
  pending: () => {},
  remove: () => {},
};

function noClient(id: string): InputError {
  const problem = id === '' ? 'none is chosen' : `the one chosen (${id}) does not exist or is disabled`;
  return new InputError(`Client: ${problem}. Open the node, choose a client, and deploy.`);
}
