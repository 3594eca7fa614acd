/**
 * Results in the hub's care until they are acknowledged. Those that ended between two commits share a page, which is one
 * row: most are acknowledged soon, and all together. What stays longer gets a row of its own, found by its id.
 */
import type { TaskGroupId, TaskId } from '../compute/ids.js';
import { TASK_RETENTION_MS } from '../compute/limits.js';
import type { TaskStatus } from '../compute/service.js';
import type { Store, Write } from '../storage/index.js';
import { idOf, type Task } from './batch.js';
import { readStatus, writeStatus } from './envelope.js';

/** Results stay in memory, acknowledged or not, until newer ones push them out: this many, of this many characters. */
const RECENT_RESULTS = 4096;
const RECENT_CHARS = 16 * 1024 * 1024;

/** A longer result has a row of its own from the beginning. Unit: characters. */
const LONG_RESULT = 64 * 1024;

/** How often results that nobody has fetched in time are removed. Unit: milliseconds. */
const TIDYING_MS = 3600 * 1000;

const REMOVE_OLD = 'DELETE FROM results WHERE ended_at < ?';

const KEEP_ONE =
  'INSERT OR REPLACE INTO results (task_id, group_id, streamed, ended_at, status) VALUES (?, ?, ?, ?, ?)';

const RELEASE = 'UPDATE results SET streamed = 0 WHERE task_id IN (SELECT value FROM json_each(?))';

const KEEP_PAGE = 'INSERT INTO result_pages (number, results) VALUES (?, ?)';
const REMOVE_PAGE = 'DELETE FROM result_pages WHERE number = ?';

/** Gives each result of pages a row of its own. See {@link Kept}. */
const SPREAD = `
  INSERT OR REPLACE INTO results (task_id, group_id, streamed, ended_at, status)
  SELECT
    json_extract(value, '$[3].task_id'), json_extract(value, '$[0]'), json_extract(value, '$[1]'),
    json_extract(value, '$[2]'), json_extract(value, '$[3]')
  FROM result_pages, json_each(results)`;

const SPREAD_ONE = `${SPREAD} WHERE number = ?`;

/** A result in its page, as JSON. */
type Kept = readonly [group: TaskGroupId, streamed: 0 | 1, endedAtMs: number, status: TaskStatus];

class Page {
  readonly tasks: Task[] = [];
  /** Results that are not acknowledged. */
  open = 0;
  /** Row in the store, once it was written there. */
  row: number | undefined;
}

export class ResultBook {
  readonly #store: Store;
  readonly #forget: (task: Task) => void;
  /** Of what has ended since the last commit. */
  #filling = new Page();
  /** Pages in the store. */
  readonly #pages = new Set<Page>();
  /** Pages in the store of which results were acknowledged since the last commit. */
  readonly #changed = new Set<Page>();
  /** Pages in the store of which memory has lost a result. */
  readonly #toSpread = new Set<Page>();
  /** Acknowledged results with a row of their own. */
  readonly #toRemove: TaskId[] = [];
  /** Results in the store that were passed on, and stay. */
  readonly #toRelease: TaskId[] = [];
  /** Results that may be forgotten: a ring, filled from `#recentFrom` up to `#recentTo`. */
  readonly #recent: (Task | undefined)[] = [];
  #recentFrom = 0;
  #recentTo = 0;
  #recentChars = 0;
  #nextRow = 1;
  /** Unix milliseconds. */
  #tidiedAt = Date.now();

  /** @param forget told of each result that memory has no more */
  constructor(store: Store, forget: (task: Task) => void) {
    this.#store = store;
    this.#forget = forget;
    store.write(SPREAD);
    store.write('DELETE FROM result_pages');
    store.write(REMOVE_OLD, [Date.now() - TASK_RETENTION_MS]);
  }

  /** Takes in how a task ended. */
  add(task: Task): void {
    task.page = this.#filling;
    this.#filling.open++;
    this.#filling.tasks.push(task);
  }

  /** A result was passed on: it need not be kept. */
  acknowledge(task: Task): void {
    if (task.acknowledged) return;
    task.acknowledged = true;
    const page = task.page as Page | undefined;
    if (page === undefined) {
      this.remove(idOf(task));
      return;
    }
    page.open--;
    if (page.row !== undefined) {
      this.#changed.add(page);
      this.#store.touch();
    } else {
      task.page = undefined;
      this.#remember(task);
    }
  }

  /** A result was passed on, and stays. */
  deliver(task: Task): void {
    if (task.delivered) return;
    task.delivered = true;
    const page = task.page as Page | undefined;
    if (page !== undefined && page.row === undefined) return; // It is written so.
    if (page !== undefined) this.#toSpread.add(page);
    this.release(idOf(task));
  }

  /** As {@link deliver}, of a result that only the store has. */
  release(id: TaskId): void {
    this.#toRelease.push(id);
    this.#store.touch();
  }

  /** Removes a result that only the store has. */
  remove(id: TaskId): void {
    this.#toRemove.push(id);
    this.#store.touch();
  }

  /** Groups of results in the store of tasks that memory does not know. */
  async groupsOf(ids: readonly TaskId[]): Promise<Map<TaskId, TaskGroupId>> {
    const rows = await this.#store.all(
      'SELECT task_id, group_id FROM results WHERE task_id IN (SELECT value FROM json_each(?))',
      [JSON.stringify(ids)],
    );
    return new Map(rows.map((row) => [row.task_id as TaskId, row.group_id as TaskGroupId]));
  }

  /** Results in the store of tasks that memory does not know. */
  async read(ids: readonly TaskId[]): Promise<Map<TaskId, TaskStatus>> {
    const rows = await this.#store.all(
      'SELECT task_id, status FROM results WHERE task_id IN (SELECT value FROM json_each(?))',
      [JSON.stringify(ids)],
    );
    return new Map(rows.map((row) => [row.task_id as TaskId, statusIn(row.status)]));
  }

  /** Results of a group that were not acknowledged, as far as only the store has them, and the others in memory. */
  async unacknowledged(group: TaskGroupId): Promise<Map<TaskId, TaskStatus>> {
    const results = new Map<TaskId, TaskStatus>();
    // Before and after: what memory has now may have a row by then, and what ends meanwhile has none yet.
    this.#collect(group, results);
    const rows = await this.#store.all('SELECT task_id, status FROM results WHERE group_id = ? AND streamed = 1', [
      group,
    ]);
    for (const row of rows) results.set(row.task_id as TaskId, statusIn(row.status));
    this.#collect(group, results);
    return results;
  }

  /** Ids of a group's results that have a row of their own, and when they ended. Unit: Unix milliseconds. */
  async group(group: TaskGroupId): Promise<Map<TaskId, number>> {
    const rows = await this.#store.all('SELECT task_id, ended_at FROM results WHERE group_id = ?', [group]);
    return new Map(rows.map((row) => [row.task_id as TaskId, Number(row.ended_at)]));
  }

  /** Called by the store right before a group commit. */
  contribute(write: Write): void {
    this.#writePage(write);
    const now = Date.now();
    const tidy = now - this.#tidiedAt > TIDYING_MS;
    if (tidy) for (const page of this.#pages) this.#toSpread.add(page);
    for (const page of this.#changed) {
      if (page.open > 0) this.#toSpread.add(page);
      else this.#drop(page, write);
    }
    this.#changed.clear();
    for (const page of this.#toSpread) if (this.#pages.has(page)) this.#spread(page, write);
    this.#toSpread.clear();
    if (this.#toRelease.length > 0) {
      write(RELEASE, [JSON.stringify(this.#toRelease)]);
      this.#toRelease.length = 0;
    }
    if (this.#toRemove.length > 0) {
      write('DELETE FROM results WHERE task_id IN (SELECT value FROM json_each(?))', [JSON.stringify(this.#toRemove)]);
      this.#toRemove.length = 0;
    }
    if (!tidy) return;
    this.#tidiedAt = now;
    write(REMOVE_OLD, [now - TASK_RETENTION_MS]);
  }

  #writePage(write: Write): void {
    const page = this.#filling;
    if (page.tasks.length === 0) return;
    this.#filling = new Page();
    if (page.open === 0) return;
    const kept: Kept[] = [];
    for (const task of page.tasks) {
      if (task.acknowledged) continue;
      const { status, batch } = task;
      if (status === undefined) continue;
      const endedAt = Math.round(Number(status.completion_t) * 1000);
      const streamed = batch.streamed && !task.delivered ? 1 : 0;
      if (status.result_buffers === undefined && charsOf(status) < LONG_RESULT) {
        kept.push([batch.groupId, streamed, endedAt, status]);
      } else {
        task.page = undefined;
        page.open--;
        write(KEEP_ONE, [status.task_id, batch.groupId, streamed, endedAt, writeStatus(status)]);
      }
    }
    if (kept.length > 0) {
      page.row = this.#nextRow++;
      this.#pages.add(page);
      write(KEEP_PAGE, [page.row, JSON.stringify(kept)]);
    }
    // From here on the store has them: reads come after the writes that were sent before them.
    for (const task of page.tasks) if (!task.acknowledged) this.#remember(task);
  }

  #spread(page: Page, write: Write): void {
    write(SPREAD_ONE, [page.row ?? 0]);
    for (const task of page.tasks) if (task.acknowledged && task.page === page) this.#toRemove.push(idOf(task));
    this.#drop(page, write);
  }

  #drop(page: Page, write: Write): void {
    write(REMOVE_PAGE, [page.row ?? 0]);
    this.#pages.delete(page);
    for (const task of page.tasks) task.page = undefined;
  }

  #collect(group: TaskGroupId, into: Map<TaskId, TaskStatus>): void {
    for (const page of [...this.#pages, this.#filling]) {
      for (const { batch, status, acknowledged, delivered } of page.tasks) {
        if (batch.groupId !== group || !batch.streamed || acknowledged || delivered || status === undefined) continue;
        into.set(status.task_id, status);
      }
    }
  }

  #remember(task: Task): void {
    this.#recent[this.#recentTo++ % RECENT_RESULTS] = task;
    this.#recentChars += charsOf(task.status);
    while (this.#recentTo - this.#recentFrom >= RECENT_RESULTS || this.#recentChars > RECENT_CHARS)
      this.#forgetOldest();
  }

  #forgetOldest(): void {
    const place = this.#recentFrom++ % RECENT_RESULTS;
    const oldest = this.#recent[place];
    if (oldest === undefined) return;
    this.#recent[place] = undefined;
    this.#recentChars -= charsOf(oldest.status);
    const page = oldest.page as Page | undefined;
    if (page !== undefined) {
      this.#toSpread.add(page);
      this.#store.touch();
    }
    this.#forget(oldest);
  }
}

function charsOf(status: TaskStatus | undefined): number {
  let chars = 200 + (status?.result?.length ?? 0) + (status?.exception?.length ?? 0);
  for (const buffer of status?.result_buffers?.buffers ?? []) chars += buffer.byteLength;
  return chars;
}

/** Of a page it is JSON, in which no NUL can end it; otherwise an envelope. */
function statusIn(stored: unknown): TaskStatus {
  return typeof stored === 'string' ? (JSON.parse(stored) as TaskStatus) : readStatus(stored as Uint8Array);
}
