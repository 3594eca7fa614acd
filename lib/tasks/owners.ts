/** Who gets results: nodes that come and go with deploys, and what waits for those that are away. */
import type { TaskStatus } from '../compute/service.js';
import type { TaskOutcome } from './call.js';
import { CallStage, type Delivery, type Entry, type EntryCall } from './entry.js';
import { tell } from './tell.js';
import type { Watcher } from './watcher.js';

export type Handler = (delivery: Delivery) => void;

/** Offered a result whose owner is gone for good. True: it is taken. */
export type Heir = (delivery: Delivery) => boolean;

/** The outcome of a call from its status. */
export type ReadOutcome = (call: EntryCall, status: TaskStatus) => TaskOutcome;

export class Owners {
  readonly #watcher: Watcher;
  readonly #handlers = new Map<string, Handler>();
  /** Entries that are not settled, by owner. */
  readonly #entries = new Map<string, Set<Entry>>();
  readonly #gone = new Set<string>();
  readonly #heirs = new Set<Heir>();
  #paused = false;
  readonly #read: ReadOutcome;
  readonly #redeliver: (call: EntryCall, outcome: TaskOutcome) => void;

  /**
   * @param read gives the outcome of a call from its status
   * @param redeliver delivers what was delivered before to somebody who did not settle it
   */
  constructor(watcher: Watcher, read: ReadOutcome, redeliver: (call: EntryCall, outcome: TaskOutcome) => void) {
    this.#watcher = watcher;
    this.#read = read;
    this.#redeliver = redeliver;
  }

  add(entry: Entry): void {
    if (entry.handler !== undefined) return;
    const entries = this.#entries.get(entry.owner);
    if (entries === undefined) this.#entries.set(entry.owner, new Set([entry]));
    else entries.add(entry);
  }

  remove(entry: Entry): void {
    const entries = this.#entries.get(entry.owner);
    if (entries?.delete(entry) && entries.size === 0) this.#entries.delete(entry.owner);
  }

  /** Entries of an owner that are not settled, in the order they came. */
  entriesOf(owner: string): Iterable<Entry> {
    return this.#entries.get(owner) ?? [];
  }

  /** Takes the results of an owner from now on, and those that came when nobody did. The function given back stops it. */
  serve(owner: string, handler: Handler): () => void {
    this.#handlers.set(owner, handler);
    this.#gone.delete(owner);
    if (!this.#paused) this.#again(owner);
    return () => {
      if (this.#handlers.get(owner) === handler) this.#handlers.delete(owner);
    };
  }

  /** Nobody is told of anything until {@link resume}. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    for (const owner of [...this.#handlers.keys(), ...this.#gone]) this.#again(owner);
  }

  /** What an owner was told of was not sent on after all: it is told again. */
  giveBack(call: EntryCall): void {
    call.told = undefined;
    if (!this.#paused && call.over && call.stage !== CallStage.settled) this.#askAgain(call);
  }

  /** Takes results of owners that are gone. */
  addHeir(heir: Heir): () => void {
    this.#heirs.add(heir);
    for (const owner of this.#gone) this.#again(owner);
    return () => this.#heirs.delete(heir);
  }

  /**
   * Says which owners exist, served or not: results of others go to the heirs. Gives the owners that are gone and for
   * which something waits that no heir will get, with the number of results, those to come included.
   */
  settleEstates(exists: (owner: string) => boolean): Map<string, number> {
    const waiting = new Map<string, number>();
    for (const [owner, entries] of [...this.#entries]) {
      if (exists(owner)) {
        this.#gone.delete(owner);
        continue;
      }
      this.#gone.add(owner);
      this.#again(owner);
      if (this.#heirs.size > 0) continue;
      let open = 0;
      for (const entry of entries) open += entry.open;
      if (open > 0) waiting.set(owner, open);
    }
    return waiting;
  }

  /** False when nobody is there: the result waits with the service until somebody is. */
  deliver(delivery: Delivery): boolean {
    const { entry, call, interim } = delivery;
    const handler = entry.handler ?? (this.#paused ? undefined : this.#handlers.get(entry.owner));
    if (handler !== undefined) {
      if (!interim) call.told = handler;
      tell(handler, delivery);
      return true;
    }
    if (this.#paused || !this.#gone.has(entry.owner)) return false;
    for (const heir of this.#heirs) {
      if (tell(heir, delivery) !== true) continue;
      if (!interim) call.told = heir;
      return true;
    }
    return false;
  }

  /**
   * Delivers what has ended and nobody has who is there now; results are asked for at the service, which has kept them.
   */
  #again(owner: string): void {
    const handler = this.#handlers.get(owner);
    for (const entry of [...this.entriesOf(owner)]) {
      for (const call of entry.calls) {
        if (!call.over || call.stage === CallStage.settled) continue;
        const { told } = call;
        if (told === undefined || (told !== handler && !this.#heirs.has(told as Heir))) this.#askAgain(call);
      }
    }
  }

  #askAgain(call: EntryCall): void {
    const { outcome, taskId } = call;
    if (call.due) return;
    call.due = true;
    const redeliver = (again: TaskOutcome) => {
      call.due = false;
      this.#redeliver(call, again);
    };
    if (outcome !== undefined) setImmediate(() => redeliver(outcome));
    else if (taskId !== undefined) {
      this.#watcher.wait(taskId, {
        ended: (status) => redeliver(this.#read(call, status)),
        failed: (error) => redeliver({ status: 'failed', taskId, error }),
      });
    }
  }
}
