/**
 * Results in the hub's care until they are acknowledged. Those that ended between two commits share a page, which is one
 * row: most are acknowledged soon, and all together. What stays longer goes on the shelves with its page where all of it
 * stays, and otherwise gets a row of its own.
 */
import type { TaskGroupId, TaskId } from '../compute/ids.js';
import { TASK_RETENTION_MS } from '../compute/limits.js';
import type { TaskStatus } from '../compute/service.js';
import type { Store, Write } from '../storage/index.js';
import { idOf, type Task } from './batch.js';
import { readStatus, writeStatus } from './envelope.js';
import { ENTRIES, PagedResults, resultsOf } from './paged-results.js';
import { charsOf, RecentResults } from './recent-results.js';
import { endOf, ResultPage } from './result-page.js';
import { Shelves } from './shelves.js';

/** A page whose results are being passed on is waited for so long until all were. Unit: milliseconds. */
const PASSING_MS = 250;

/** A longer result has a row of its own from the beginning. Unit: characters. */
const LONG_RESULT = 64 * 1024;

/** How often results that nobody has fetched in time are removed. Unit: milliseconds. */
const TIDYING_MS = 3600 * 1000;

const REMOVE_OLD = 'DELETE FROM results WHERE ended_at < ?';

const KEEP_ONE =
  'INSERT OR REPLACE INTO results (task_id, group_id, streamed, ended_at, status) VALUES (?, ?, ?, ?, ?)';

const RELEASE = 'UPDATE results SET streamed = 0 WHERE task_id IN (SELECT value FROM json_each(?))';

const REMOVE_PAGE = 'DELETE FROM result_pages WHERE number = ?';

/** Pages of the last process that are not on the shelves. */
const LEFT = 'number NOT IN (SELECT page FROM shelves)';

/** Gives each result of pages a row of its own. */
const SPREAD = `
  INSERT OR REPLACE INTO results (task_id, group_id, streamed, ended_at, status)
  SELECT task_id, group_id, streamed, ended_at, status FROM (${resultsOf(ENTRIES)})`;

const SPREAD_ONE = `${SPREAD} WHERE number = ?`;
const SPREAD_LEFT = `${SPREAD} WHERE ${LEFT}`;

export class ResultBook {
  readonly #store: Store;
  readonly #shelves: Shelves;
  /** Of what has ended since the last commit. */
  #filling = new ResultPage();
  /** Pages in the store. */
  readonly #pages = new Set<ResultPage>();
  /** Pages in the store of which results were acknowledged since the last commit. */
  readonly #changed = new Set<ResultPage>();
  /** Pages in the store of which results were passed on that stay. */
  readonly #passing = new Set<ResultPage>();
  /** Pages in the store of which memory has lost a result. */
  readonly #toPutAway = new Set<ResultPage>();
  /** Acknowledged results with a row of their own. */
  readonly #toRemove: TaskId[] = [];
  /** Results in the store that were passed on, and stay. */
  readonly #toRelease: TaskId[] = [];
  readonly #recent: RecentResults;
  #nextRow = 1;
  #isEnding = false;
  /** Unix milliseconds. */
  #tidiedAt = Date.now();

  private constructor(store: Store, forget: (task: Task) => void) {
    this.#store = store;
    this.#shelves = new Shelves(store);
    this.#recent = new RecentResults((task) => {
      const page = task.page as ResultPage | undefined;
      if (page !== undefined) {
        this.#toPutAway.add(page);
        store.touch();
      }
      forget(task);
    });
  }

  /** @param forget told of each result that memory has no more */
  static async open(store: Store, forget: (task: Task) => void): Promise<ResultBook> {
    const book = new ResultBook(store, forget);
    store.write(SPREAD_LEFT);
    store.write(`DELETE FROM result_pages WHERE ${LEFT}`);
    book.#removeOld(Date.now(), (sql, params) => store.write(sql, params));
    book.#nextRow = (await book.#shelves.open()) + 1;
    return book;
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
    const page = task.page as ResultPage | undefined;
    if (page === undefined) {
      this.remove(idOf(task));
      return;
    }
    if (page.isShelved) return;
    page.open--;
    if (page.row !== undefined) {
      this.#changed.add(page);
      this.#store.touch();
    } else {
      task.page = undefined;
      this.#recent.add(task);
    }
  }

  /** A result was passed on, and stays. */
  deliver(task: Task): void {
    if (task.delivered) return;
    task.delivered = true;
    const page = task.page as ResultPage | undefined;
    if (page === undefined) this.release(idOf(task));
    else if (page.row !== undefined && task.batch.streamed) this.#passed(page); // Otherwise it is written so.
  }

  #passed(page: ResultPage): void {
    page.owed--;
    if (!this.#passing.has(page)) page.passingSince = Date.now();
    this.#passing.add(page);
    this.#store.touch();
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

  /** Has the next commit write down what was passed on of pages that more is owed of. */
  end(): void {
    this.#isEnding = true;
    if (this.#passing.size > 0) this.#store.touch();
  }

  /** Groups of results in the store of tasks that memory does not know. */
  async groupsOf(ids: readonly TaskId[]): Promise<Map<TaskId, TaskGroupId>> {
    const rows = await this.#store.all(
      'SELECT task_id, group_id FROM results WHERE task_id IN (SELECT value FROM json_each(?))',
      [JSON.stringify(ids)],
    );
    const groups = new Map(rows.map((row) => [row.task_id as TaskId, row.group_id as TaskGroupId]));
    if (groups.size < ids.length) for (const [id, { group }] of await this.#shelves.find(ids)) groups.set(id, group);
    return groups;
  }

  /** Results in the store of tasks that memory does not know. */
  async read(ids: readonly TaskId[]): Promise<Map<TaskId, TaskStatus>> {
    const rows = await this.#store.all(
      'SELECT task_id, status FROM results WHERE task_id IN (SELECT value FROM json_each(?))',
      [JSON.stringify(ids)],
    );
    const found = new Map(rows.map((row) => [row.task_id as TaskId, statusIn(row.status)]));
    if (found.size < ids.length) for (const [id, { status }] of await this.#shelves.find(ids)) found.set(id, status);
    return found;
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

  /** Ids of a group's results in the store that are on no fresh page, and when they ended. Unit: Unix milliseconds. */
  async group(group: TaskGroupId): Promise<Map<TaskId, number>> {
    const rows = await this.#store.all('SELECT task_id, ended_at FROM results WHERE group_id = ?', [group]);
    const ended = await this.#shelves.group(group);
    for (const row of rows) ended.set(row.task_id as TaskId, Number(row.ended_at));
    return ended;
  }

  /** Called by the store right before a group commit. */
  contribute(write: Write): void {
    this.#writePage(write);
    const now = Date.now();
    const tidy = now - this.#tidiedAt > TIDYING_MS;
    if (tidy) for (const page of this.#pages) this.#toPutAway.add(page);
    for (const page of this.#changed) {
      if (page.open > 0) this.#toPutAway.add(page);
      else this.#drop(page, write);
    }
    this.#changed.clear();
    for (const page of this.#passing) {
      if (page.owed === 0 && page.isWhole) this.#shelve(page, write);
      else if (this.#isEnding || now - page.passingSince > PASSING_MS) this.#toPutAway.add(page);
    }
    for (const page of this.#toPutAway) if (this.#pages.has(page)) this.#putAway(page, write);
    this.#toPutAway.clear();
    if (this.#passing.size > 0) this.#store.touch(); // They are looked at again.
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
    this.#removeOld(now, write);
  }

  #removeOld(now: number, write: Write): void {
    write(REMOVE_OLD, [now - TASK_RETENTION_MS]);
    this.#shelves.removeOld(now - TASK_RETENTION_MS, write);
  }

  #writePage(write: Write): void {
    const page = this.#filling;
    if (page.tasks.length === 0) return;
    this.#filling = new ResultPage();
    if (page.open === 0) return;
    const kept = new PagedResults();
    for (const task of page.tasks) {
      if (task.acknowledged) continue;
      const { status, batch } = task;
      if (status === undefined) continue;
      const streamed = batch.streamed && !task.delivered ? 1 : 0;
      if (status.result_buffers === undefined && charsOf(status) < LONG_RESULT) {
        kept.add(task, status, streamed);
        page.owed += streamed;
      } else {
        task.page = undefined;
        page.open--;
        write(KEEP_ONE, [status.task_id, batch.groupId, streamed, endOf(status), writeStatus(status)]);
      }
    }
    if (!kept.isEmpty) {
      page.row = this.#nextRow++;
      this.#pages.add(page);
      write(...kept.statement(page.row));
    }
    // From here on the store has them: reads come after the writes that were sent before them.
    for (const task of page.tasks) if (!task.acknowledged) this.#recent.add(task);
  }

  #shelve(page: ResultPage, write: Write): void {
    page.isShelved = true;
    this.#passing.delete(page);
    this.#shelves.add(page.row ?? 0, page.endedAt, write);
  }

  /** Memory keeps no account of the page from now on. */
  #putAway(page: ResultPage, write: Write): void {
    if (!page.isShelved && page.owed === 0 && page.isWhole) this.#shelve(page, write);
    if (!page.isShelved) {
      this.#spread(page, write);
      return;
    }
    const results = page.stored.map((task) => ({ id: idOf(task), group: task.batch.groupId }));
    this.#shelves.index(page.row ?? 0, results, write);
    this.#leave(page);
  }

  #spread(page: ResultPage, write: Write): void {
    write(SPREAD_ONE, [page.row ?? 0]);
    for (const task of page.stored) {
      if (task.acknowledged) this.#toRemove.push(idOf(task));
      else if (task.delivered) this.#toRelease.push(idOf(task));
    }
    this.#drop(page, write);
  }

  #drop(page: ResultPage, write: Write): void {
    write(REMOVE_PAGE, [page.row ?? 0]);
    this.#leave(page);
  }

  #leave(page: ResultPage): void {
    this.#pages.delete(page);
    this.#passing.delete(page);
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
}

/** Of a page it is JSON, in which no NUL can end it; otherwise an envelope. */
function statusIn(stored: unknown): TaskStatus {
  return typeof stored === 'string' ? (JSON.parse(stored) as TaskStatus) : readStatus(stored as Uint8Array);
}
