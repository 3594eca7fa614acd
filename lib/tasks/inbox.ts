/**
 * What came for owners while their client could not take it in, on disk: each is written at the next group commit if it is
 * still there by then. It leaves in the same commit in which it comes into a ledger, as both are in one store. The inbox
 * outlives the store: what comes before that is open is written when it is.
 */
import type { Store, Write } from '../storage/index.js';
import { readClone, writeClone } from './clone.js';
import type { ParcelCodec } from './ledger-page.js';

/** Made by the inbox itself, as the ledger makes its tables. */
const INBOX_TABLE = `
  CREATE TABLE IF NOT EXISTS inbox (
    number INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    parcel BLOB NOT NULL
  )`;

const REMOVE = 'DELETE FROM inbox WHERE number IN (SELECT value FROM json_each(?))';

/** What is stored may have this size together, as in the waiting room of a dispatcher. Unit: bytes. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Something that waits for its owner to take it in. */
export class Held {
  /** Its row, where it has one or has had one: the disk may have it until the next commit. */
  number: number | undefined;
  /** Of its row. */
  bytes = 0;

  constructor(
    readonly inbox: Inbox,
    readonly owner: string,
    /** What the owner gets: a message for instance. */
    public parcel: unknown,
    /** An earlier process has left it. */
    readonly recovered: boolean,
  ) {}

  /** It was taken in, or has ended. Doing it twice does nothing. */
  remove(): void {
    this.inbox.remove(this);
  }

  /** Whether the disk may have it until the next commit, wherever it went meanwhile. */
  get isOnDisk(): boolean {
    return this.number !== undefined;
  }
}

/** Told of a row that cannot be read: it is damaged, or of a newer version. It is left where it is. */
export type OnUnreadable = (error: Error) => void;

export class Inbox {
  readonly #codec: ParcelCodec;
  /** In the order they came. */
  readonly #byOwner = new Map<string, Set<Held>>();
  /** Without a row. */
  readonly #unwritten = new Set<Held>();
  /** Rows of what was removed. */
  readonly #leaving = new Set<number>();
  #store: Store | undefined;
  #leave: () => void = () => {};
  #next = 1;
  #bytes = 0;

  constructor(codec: ParcelCodec) {
    this.#codec = codec;
  }

  /** What is stored has the size that it may have. */
  get isFull(): boolean {
    return this.#bytes >= MOST_BYTES;
  }

  /** Keeps what an earlier process has left, and what comes, in a store. */
  async attach(store: Store, onUnreadable: OnUnreadable): Promise<void> {
    store.write(INBOX_TABLE);
    const rows = await store.all('SELECT number, owner, parcel FROM inbox ORDER BY number');
    const later = [...this.#byOwner.values()].flatMap((all) => [...all]);
    this.#byOwner.clear();
    for (const { number, owner, parcel } of rows) {
      this.#next = Math.max(this.#next, Number(number) + 1);
      try {
        const blob = parcel as Uint8Array;
        const held = new Held(this, String(owner), this.#codec.decode(readClone(blob)), true);
        held.number = Number(number);
        held.bytes = blob.byteLength;
        this.#bytes += held.bytes;
        this.#add(held);
      } catch (error) {
        onUnreadable(error as Error);
      }
    }
    for (const held of later) this.#add(held);
    const leave = store.writer((write) => this.#contribute(write));
    const anew = () => this.#anew();
    store.on('damaged', anew);
    this.#store = store;
    this.#leave = () => {
      leave();
      store.off('damaged', anew);
    };
    this.#touch();
  }

  /** The store was closed: what it has is read again when it is opened again. */
  detach(): void {
    this.#leave();
    this.#leave = () => {};
    this.#store = undefined;
    this.#leaving.clear();
    this.#bytes = 0;
    for (const [owner, all] of this.#byOwner) {
      for (const held of all) if (held.isOnDisk) all.delete(held);
      if (all.size === 0) this.#byOwner.delete(owner);
    }
  }

  /** @param stored false: it is only counted among those of its owner, and gone with the process */
  add(owner: string, parcel: unknown, stored: boolean): Held {
    const held = new Held(this, owner, parcel, false);
    this.#add(held);
    if (stored) this.#unwritten.add(held);
    this.#touch();
    return held;
  }

  remove(held: Held): void {
    const all = this.#byOwner.get(held.owner);
    if (!all?.delete(held)) return;
    if (all.size === 0) this.#byOwner.delete(held.owner);
    this.#unwritten.delete(held);
    this.#bytes -= held.bytes;
    if (held.number !== undefined) this.#leaving.add(held.number);
    this.#touch();
  }

  /** What an owner has not taken in, in the order it came. */
  of(owner: string): ReadonlySet<Held> {
    return this.#byOwner.get(owner) ?? NOTHING;
  }

  /** Owners for which something waits, and how much. */
  *counts(): Iterable<readonly [owner: string, count: number]> {
    for (const [owner, all] of this.#byOwner) yield [owner, all.size];
  }

  #add(held: Held): void {
    const all = this.#byOwner.get(held.owner);
    if (all === undefined) this.#byOwner.set(held.owner, new Set([held]));
    else all.add(held);
  }

  #touch(): void {
    if (this.#unwritten.size === 0 && this.#leaving.size === 0) return;
    try {
      this.#store?.touch();
    } catch {
      // It is being closed, and detached next: what is on the disk stays there.
    }
  }

  /** The file was set aside as damaged, and an empty one is in its place: it gets what is in memory. */
  #anew(): void {
    this.#store?.write(INBOX_TABLE);
    this.#leaving.clear();
    this.#bytes = 0;
    for (const all of this.#byOwner.values()) {
      for (const held of all) {
        if (!held.isOnDisk) continue;
        held.number = undefined;
        held.bytes = 0;
        this.#unwritten.add(held);
      }
    }
    this.#touch();
  }

  #contribute(write: Write): void {
    if (this.#leaving.size > 0) write(REMOVE, [JSON.stringify([...this.#leaving])]);
    this.#leaving.clear();
    for (const held of this.#unwritten) {
      const blob = this.#encode(held.parcel);
      if (blob === undefined) continue;
      held.number = this.#next++;
      held.bytes = blob.byteLength;
      this.#bytes += held.bytes;
      write('INSERT INTO inbox (number, owner, parcel) VALUES (?, ?, ?)', [held.number, held.owner, blob]);
    }
    this.#unwritten.clear();
  }

  /** Undefined where nothing of it can be stored: it is in memory, as long as the process lives. */
  #encode(parcel: unknown): Uint8Array | undefined {
    try {
      return writeClone(this.#codec.encode(parcel));
    } catch {
      try {
        return writeClone(this.#codec.reduce(parcel));
      } catch {
        return undefined;
      }
    }
  }
}

const NOTHING: ReadonlySet<Held> = new Set();
