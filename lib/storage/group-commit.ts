/** When writes are gathered, when they are sent to the thread, and who is told that they are durable. */
import { InputError } from '../compute/errors.js';
import { Group } from './group.js';
import type { SqlValue } from './values.js';

/** Adds one statement to the group being gathered. */
export type Write = (sql: string, params?: readonly SqlValue[]) => void;

/**
 * Hands over, with `write`, the rows that are dirty at this moment. Called right before a group is sent; `write` cannot
 * be kept for later.
 */
export type Contributor = (write: Write) => void;

/** How many groups may be with the thread. While that many are, writes and contributors keep gathering. */
const IN_FLIGHT_MAX = 2;

interface Waiter {
  readonly group: number;
  resolve(): void;
  reject(error: Error): void;
}

/** What the group commit needs from its store. */
export interface GroupCommitPorts {
  /** Hands a group to the thread. Called again for the same group after a failure, with a higher epoch. */
  send(group: Group, epoch: number): void;
  /** A contributor threw. Gives the error for those who wait for its group. */
  contributorFailed(error: unknown): Error;
}

export class GroupCommit {
  readonly #ports: GroupCommitPorts;
  readonly #windowMs: number;
  readonly #contributors = new Set<Contributor>();
  readonly #waiters: Waiter[] = [];
  readonly #sendWaiters: Waiter[] = [];
  #open = new Group(1);
  #inFlight: Group[] = [];
  /** Something is in the open group or a contributor has dirty rows. */
  #dirty = false;
  /** The window is over: the open group goes as soon as the thread has room. */
  #due = false;
  /** The group that contributors are being asked for. */
  #gathering: Group | undefined;
  #timer: NodeJS.Timeout | undefined;
  #epoch = 0;
  #failure: Error | undefined;

  constructor(ports: GroupCommitPorts, windowMs: number) {
    this.#ports = ports;
    this.#windowMs = windowMs;
  }

  /** The thread has not yet confirmed everything it was sent. */
  get isInFlight(): boolean {
    return this.#inFlight.length > 0;
  }

  /** Nothing is gathered, dirty or in flight. */
  get isClean(): boolean {
    return !this.#dirty && !this.isInFlight;
  }

  /** Bytes of the group being gathered. */
  get openBytes(): number {
    return this.#open.bytes;
  }

  /** Statements gathered or in flight. What contributors still hold is not among them. */
  get pending(): number {
    return this.#inFlight.reduce((sum, group) => sum + group.size, this.#open.size);
  }

  add(sql: string, params: readonly SqlValue[]): void {
    this.#open.add(sql, params);
    this.touch();
  }

  touch(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    this.#timer = setTimeout(() => {
      this.#due = true;
      this.#pump();
    }, this.#windowMs);
  }

  /** Returns the function that takes the contributor off again. */
  contribute(contributor: Contributor): () => void {
    this.#contributors.add(contributor);
    return () => void this.#contributors.delete(contributor);
  }

  /** Resolves when everything added or touched before is durable; rejects with the failure otherwise. */
  committed(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    const last = this.#dirty ? this.#open.number : this.#inFlight.at(-1)?.number;
    return last === undefined ? Promise.resolve() : waitIn(this.#waiters, last);
  }

  /** As {@link committed}, without waiting for the window to end. */
  flush(): Promise<void> {
    const committed = this.committed();
    this.#sendNow();
    return committed;
  }

  /**
   * Sends everything added or touched before. Gives a promise to wait for when the thread has no room for it yet;
   * throws, or rejects, while commits fail.
   */
  sent(): Promise<void> | undefined {
    if (this.#failure) throw this.#failure;
    this.#sendNow();
    return this.#dirty ? waitIn(this.#sendWaiters, this.#open.number) : undefined;
  }

  /** The disk has all groups up to `number`. `refused` is given to that one's waiters when a statement of it failed. */
  acknowledged(number: number, refused: Error | undefined): void {
    this.#inFlight = this.#inFlight.filter((group) => group.number > number);
    if (refused) {
      for (const waiter of take(this.#waiters, (each) => each.group === number)) waiter.reject(refused);
    }
    this.#settle();
    this.#pump();
  }

  /** Stops sending. All groups in flight are kept; everybody who waits is told. */
  fail(error: Error): void {
    this.#failure = error;
    const everybody = [...this.#waiters.splice(0), ...this.#sendWaiters.splice(0)];
    for (const waiter of everybody) waiter.reject(error);
  }

  /** Sends what was in flight once more, in the same order, and goes on. */
  resume(): void {
    this.#failure = undefined;
    this.#epoch += 1;
    for (const group of this.#inFlight) this.#ports.send(group, this.#epoch);
    this.#pump();
  }

  /** No timer runs and nothing is sent after this. */
  stop(error: Error): void {
    clearTimeout(this.#timer);
    this.fail(error);
  }

  #sendNow(): void {
    if (!this.#dirty) return;
    this.#due = true;
    this.#pump();
  }

  #pump(): void {
    // A contributor may call back into the store; what it adds there belongs to the next group.
    if (this.#gathering) return;
    while (this.#due && !this.#failure && this.#inFlight.length < IN_FLIGHT_MAX) this.#sendOpenGroup();
  }

  #sendOpenGroup(): void {
    clearTimeout(this.#timer);
    const group = this.#open;
    this.#open = new Group(group.number + 1);
    this.#dirty = false;
    this.#due = false;
    const write: Write = (sql, params = []) => {
      if (this.#gathering !== group) throw new InputError('A contributor called write after its group was sent.');
      group.add(sql, params);
    };
    this.#gathering = group;
    for (const contributor of this.#contributors) {
      try {
        contributor(write);
      } catch (error) {
        const fault = this.#ports.contributorFailed(error);
        for (const waiter of take(this.#waiters, (each) => each.group === group.number)) waiter.reject(fault);
      }
    }
    this.#gathering = undefined;
    if (!group.isEmpty) {
      this.#inFlight.push(group);
      this.#ports.send(group, this.#epoch);
    }
    for (const waiter of take(this.#sendWaiters, (each) => each.group <= group.number)) waiter.resolve();
    this.#settle();
  }

  #settle(): void {
    const oldest = this.#inFlight[0]?.number ?? this.#open.number;
    for (const waiter of take(this.#waiters, (each) => each.group < oldest)) waiter.resolve();
  }
}

function waitIn(waiters: Waiter[], group: number): Promise<void> {
  return new Promise((resolve, reject) => {
    waiters.push({ group, resolve, reject });
  });
}

/** Removes and returns those that fit. */
function take(waiters: Waiter[], fits: (waiter: Waiter) => boolean): Waiter[] {
  const taken: Waiter[] = [];
  let kept = 0;
  for (const waiter of waiters) {
    if (fits(waiter)) taken.push(waiter);
    else waiters[kept++] = waiter;
  }
  waiters.length = kept;
  return taken;
}
