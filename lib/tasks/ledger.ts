/**
 * What was accepted and has not been sent on, on disk. Entries that were accepted close together share a page, and a page
 * is one row: it is written at the next group commit if one of its entries is still open by then, changed when entries end,
 * and removed with the last. The ledger shares the store, and so the commits, of a hub in the same process.
 */
import type { ComputeService } from '../compute/service.js';
import type { Store, Write } from '../storage/index.js';
import { CallStage, type Desk, Entry, type EntryCall } from './entry.js';
import { type ParcelCodec, readPage, writePage } from './ledger-page.js';

/** Made by the ledger itself, as it lives in stores of different owners. */
const LEDGER_TABLE = `
  CREATE TABLE IF NOT EXISTS ledger (
    client TEXT NOT NULL,
    page INTEGER NOT NULL,
    entries BLOB NOT NULL,
    stages BLOB NOT NULL,
    PRIMARY KEY (client, page)
  ) WITHOUT ROWID`;

/**
 * Which clients have closed their ledger in good order; and up to which page a process that did not may have sent results
 * on that are still in it.
 */
const CLIENTS_TABLE = `
  CREATE TABLE IF NOT EXISTS ledger_clients (
    client TEXT PRIMARY KEY,
    closed INTEGER NOT NULL,
    doubtful INTEGER NOT NULL
  )`;

const OPEN_CLIENT = `
  INSERT INTO ledger_clients (client, closed, doubtful) VALUES (?, 0, 0)
  ON CONFLICT (client) DO UPDATE SET
    closed = 0,
    doubtful = CASE closed
      WHEN 0 THEN max(doubtful, (SELECT coalesce(max(page), 0) FROM ledger WHERE ledger.client = ledger_clients.client))
      ELSE doubtful
    END`;

/** Most calls of one page: what is rewritten when one of them changes is bounded. */
const PAGE_CALLS = 256;

/** A written page with fewer open calls than this share of all is written anew with the open ones alone. */
const COMPACT_BELOW = 0.25;

class Page {
  readonly entries: Entry[] = [];
  calls = 0;
  open = 0;
  /** Calls that are settled and of which the service has not been told; kept, so that the next process tells it. */
  unacknowledged = 0;
  written = false;
  /** Ids or arguments of its calls have changed since it was written. */
  rewrite = true;
  /** Resolves when the disk has what has changed since it was first written; undefined when it has. */
  saving: Promise<void> | undefined;
  /** What {@link saving} speaks of is handed over. */
  handedOver = false;

  constructor(readonly number: number) {}
}

/** Told of a page that cannot be read: it was written by a newer version, or is damaged. It is left where it is. */
export type OnUnreadable = (page: number, error: Error) => void;

export class Ledger {
  readonly #store: Store;
  readonly #client: string;
  readonly #codec: ParcelCodec;
  /** Those with open calls, and those whose end is not written yet. */
  readonly #pages = new Set<Page>();
  readonly #dirty = new Set<Page>();
  readonly #onUnreadable: OnUnreadable;
  readonly #leave: () => void;
  /** Of calls of pages up to this one it is not known whether a process that crashed has sent their results on. */
  readonly #doubtful: number;
  readonly #settledBefore: EntryCall[] = [];
  #closed = false;
  #filling: Page | undefined;
  #nextPage = 1;
  #size = 0;

  private constructor(store: Store, client: string, codec: ParcelCodec, onUnreadable: OnUnreadable, doubtful: number) {
    this.#doubtful = doubtful;
    this.#nextPage = doubtful + 1;
    this.#onUnreadable = onUnreadable;
    this.#store = store;
    this.#client = client;
    this.#codec = codec;
    const leave = store.writer((write) => this.#contribute(write));
    const anew = () => this.#anew();
    store.on('damaged', anew);
    this.#leave = () => {
      leave();
      store.off('damaged', anew);
    };
  }

  /**
   * Opens the ledger of a client.
   *
   * @param codec turns what the owner of an entry wants back into bytes
   */
  static async open(store: Store, client: string, codec: ParcelCodec, onUnreadable: OnUnreadable): Promise<Ledger> {
    open(store, client);
    const row = await store.get('SELECT doubtful FROM ledger_clients WHERE client = ?', [client]);
    return new Ledger(store, client, codec, onUnreadable, Number(row?.doubtful ?? 0));
  }

  /** The entries that an earlier process left, oldest first. To be asked for once, before anything is added. */
  async recover(desk: Desk): Promise<Entry[]> {
    const entries: Entry[] = [];
    const rows = await this.#store.all('SELECT page, entries, stages FROM ledger WHERE client = ? ORDER BY page', [
      this.#client,
    ]);
    for (const row of rows) {
      const number = Number(row.page);
      this.#nextPage = Math.max(this.#nextPage, number + 1);
      try {
        entries.push(...this.#restore(desk, number, row.entries as Uint8Array, row.stages as Uint8Array));
      } catch (error) {
        this.#onUnreadable(number, error as Error);
      }
    }
    return entries;
  }

  /** Calls that {@link recover} found settled by an earlier process, which may not have told the service. To be asked for once. */
  settledBefore(): readonly EntryCall[] {
    return this.#settledBefore.splice(0);
  }

  /** Calls that are not settled. */
  get size(): number {
    return this.#size;
  }

  add(entry: Entry): void {
    let page = this.#filling;
    if (page === undefined || page.written || page.calls + entry.calls.length > PAGE_CALLS) {
      page = new Page(this.#nextPage++);
      this.#filling = page;
    }
    this.#place(entry, page);
    this.#size += entry.open;
    this.#touch(page);
  }

  /** The stage of a call has changed; `rewritten`: its id or its arguments too. */
  changed(call: EntryCall, rewritten: boolean): void {
    const page = call.entry.slot as Page | undefined;
    if (page === undefined) return;
    if (rewritten) page.rewrite = true;
    // A page that was not written yet will be written as it is then.
    if (!page.written || this.#closed) return;
    this.#touch(page);
    if (page.saving === undefined || page.handedOver) this.#save(page);
  }

  /** Resolves when the disk has the stage of a call, or cannot have it now; undefined when there is nothing to wait for. */
  saving(call: EntryCall): Promise<void> | undefined {
    return (call.entry.slot as Page | undefined)?.saving;
  }

  /** Whether a commit has both what this ledger and what the service keeps, or neither. */
  commitsWith({ store }: ComputeService): boolean {
    return store === this.#store;
  }

  /** A call was settled. */
  settled(call: EntryCall): void {
    const page = call.entry.slot as Page | undefined;
    if (page === undefined) return;
    this.#size--;
    page.open--;
    if (page.written) this.#touch(page);
  }

  /**
   * A call was settled whose result a service keeps that does not commit with the ledger: resolves when the service may be
   * told, and is to be followed by {@link acknowledged}; undefined when it may be told now. Rejects while the disk fails.
   */
  settledElsewhere(call: EntryCall): Promise<void> | undefined {
    this.settled(call);
    const page = call.entry.slot as Page | undefined;
    if (!page?.written || this.#closed) return undefined;
    page.unacknowledged++;
    return this.#store.committed();
  }

  /** The service was told that the result of a settled call need not be kept. */
  acknowledged(call: EntryCall): void {
    const page = call.entry.slot as Page | undefined;
    if (page !== undefined && --page.unacknowledged === 0 && isMostlySettled(page)) this.#touch(page);
  }

  /** Resolves when everything so far is on disk. */
  durable(): Promise<void> {
    return this.#store.committed();
  }

  /**
   * Nobody gets results for a while, or again: resolves when that and everything before is on disk. Should the process end
   * meanwhile, it is known that nothing was sent on that the ledger does not know of.
   */
  async rest(resting: boolean): Promise<void> {
    this.#store.write('UPDATE ledger_clients SET closed = ? WHERE client = ?', [resting ? 1 : 0, this.#client]);
    await this.#store.flush();
  }

  /** Writes what is open, for the next process, and no more after that. */
  async close(): Promise<void> {
    try {
      await this.rest(true);
      // What has changed since is in the next commit.
      if (this.#dirty.size > 0) await this.#store.flush();
    } finally {
      this.#closed = true;
      this.#leave();
    }
  }

  #place(entry: Entry, page: Page): void {
    entry.slot = page;
    this.#pages.add(page);
    page.entries.push(entry);
    page.calls += entry.calls.length;
    page.open += entry.open;
  }

  #touch(page: Page): void {
    if (this.#closed) return;
    this.#dirty.add(page);
    this.#store.touch();
  }

  #save(page: Page): void {
    const done = () => {
      if (page.saving === saving) page.saving = undefined;
    };
    const saving = this.#store.committed().then(done, done);
    page.saving = saving;
    page.handedOver = false;
  }

  /** The file was set aside as damaged, and an empty one is in its place: it gets what is in memory. */
  #anew(): void {
    open(this.#store, this.#client);
    for (const page of this.#pages) {
      page.written = false;
      this.#touch(page);
    }
  }

  #contribute(write: Write): void {
    let fault: unknown;
    for (const page of this.#dirty) {
      try {
        this.#write(page, write);
      } catch (error) {
        fault = error;
      }
    }
    this.#dirty.clear();
    this.#filling = undefined;
    if (fault !== undefined) throw fault;
  }

  #write(page: Page, write: Write): void {
    page.handedOver = true;
    if (page.open === 0 && page.unacknowledged === 0) {
      if (page.written) write('DELETE FROM ledger WHERE client = ? AND page = ?', [this.#client, page.number]);
      page.written = false;
      page.entries.length = 0;
      this.#pages.delete(page);
      return;
    }
    if (page.unacknowledged === 0 && (!page.written || isMostlySettled(page))) compact(page);
    if (page.written && !page.rewrite) {
      write('UPDATE ledger SET stages = ? WHERE client = ? AND page = ?', [stagesOf(page), this.#client, page.number]);
      return;
    }
    const blob = writePage(page.entries, this.#codec);
    write('INSERT OR REPLACE INTO ledger (client, page, entries, stages) VALUES (?, ?, ?, ?)', [
      this.#client,
      page.number,
      blob,
      stagesOf(page),
    ]);
    page.written = true;
    page.rewrite = false;
  }

  #restore(desk: Desk, number: number, blob: Uint8Array, stages: Uint8Array): Entry[] {
    const { records, parcels } = readPage(blob, this.#codec);
    const page = new Page(number);
    page.written = true;
    page.rewrite = false;
    let at = 0;
    for (const [i, record] of records.entries()) {
      const entry = new Entry(
        desk,
        record.owner,
        parcels[i],
        record.functionId,
        record.endpointId,
        record.options,
        record.packed,
        record.acceptedAt,
      );
      entry.watching = record.watching;
      entry.recovered = true;
      for (const call of entry.calls) {
        call.taskId = record.taskIds[call.index];
        call.groupId = record.groupIds[call.index];
        const [tries, interruptions] = record.tries?.[call.index] ?? [call.taskId === undefined ? 0 : 1, 0];
        call.tries = tries;
        call.interruptions = interruptions;
        call.stage = (stages[at++] ?? CallStage.waiting) as CallStage;
        call.maybeSent = number <= this.#doubtful && call.stage !== CallStage.waiting;
        if (call.stage === CallStage.settled) {
          entry.open--;
          this.#settledBefore.push(call);
        }
      }
      this.#place(entry, page);
    }
    this.#size += page.open;
    if (page.open === 0) this.#touch(page);
    return page.entries.filter((entry) => entry.open > 0);
  }
}

function open(store: Store, client: string): void {
  store.write(LEDGER_TABLE);
  store.write(CLIENTS_TABLE);
  store.write(OPEN_CLIENT, [client]);
}

function isMostlySettled({ open, calls }: Page): boolean {
  return open < calls * COMPACT_BELOW;
}

/** Leaves out the entries that have ended. */
function compact(page: Page): void {
  const open = page.entries.filter((entry) => entry.open > 0);
  if (open.length === page.entries.length) return;
  page.entries.length = 0;
  page.entries.push(...open);
  page.calls = open.reduce((sum, entry) => sum + entry.calls.length, 0);
  page.rewrite = true;
}

function stagesOf(page: Page): Uint8Array {
  const stages = new Uint8Array(page.calls);
  let at = 0;
  for (const entry of page.entries) for (const call of entry.calls) stages[at++] = call.stage;
  return stages;
}
