/**
 * Pages of results that are owed to nobody any more, and stay in the store for whoever asks. They are left as they were
 * written. Once memory begins to forget a page, it gets an entry for each task that says where its result is: less work
 * than a row for each result, and still so much that several pages at once are less than each by itself.
 */
import type { TaskGroupId, TaskId } from '../compute/ids.js';
import type { TaskStatus } from '../compute/service.js';
import type { Store, Write } from '../storage/index.js';
import { ENTRIES, resultsOf } from './paged-results.js';

const ADD = 'INSERT INTO shelves (page, ended_at, found) VALUES (?, ?, 0)';

const NOT_FOUND = 'number IN (SELECT page FROM shelves WHERE found = 0)';

const INDEX = [
  `INSERT OR REPLACE INTO shelved_results (task_id, page, place)
   SELECT task_id, number, place FROM (${resultsOf(ENTRIES)}) WHERE ${NOT_FOUND}`,
  `INSERT OR REPLACE INTO shelf_groups (group_id, page)
   SELECT DISTINCT group_id, number FROM (${resultsOf(ENTRIES)}) WHERE ${NOT_FOUND}`,
  'UPDATE shelves SET found = 1 WHERE found = 0',
];

const INDEX_RESULTS = `
  INSERT OR REPLACE INTO shelved_results (task_id, page, place) SELECT value, ?, key FROM json_each(?)`;
const INDEX_GROUPS = 'INSERT INTO shelf_groups (group_id, page) SELECT value, ? FROM json_each(?)';
const INDEXED = 'UPDATE shelves SET found = 1 WHERE page = ?';

const FIND = resultsOf(`
  SELECT number, place, results -> ('$[' || place || ']') AS entry, forms
  FROM shelved_results JOIN result_pages ON number = page
  WHERE task_id IN (SELECT value FROM json_each(?))`);

const OF_GROUP = `
  SELECT task_id, ended_at FROM (${resultsOf(ENTRIES)})
  WHERE group_id = ?1 AND number IN (SELECT page FROM shelf_groups WHERE group_id = ?1)`;

const REMOVE_OLD = [
  `DELETE FROM shelved_results WHERE task_id IN (
     SELECT task_id FROM (${resultsOf(ENTRIES)}) WHERE number IN (SELECT page FROM shelves WHERE ended_at < ?))`,
  'DELETE FROM shelf_groups WHERE page IN (SELECT page FROM shelves WHERE ended_at < ?)',
  'DELETE FROM result_pages WHERE number IN (SELECT page FROM shelves WHERE ended_at < ?)',
  'DELETE FROM shelves WHERE ended_at < ?',
];

export interface ShelvedResult {
  readonly group: TaskGroupId;
  readonly status: TaskStatus;
}

/** A result as its page has it. */
export interface PagedResult {
  readonly id: TaskId;
  readonly group: TaskGroupId;
}

export class Shelves {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Takes up the pages of the last process. @returns the number of the last page, 0 where there is none */
  async open(): Promise<number> {
    for (const sql of INDEX) this.#store.write(sql);
    const row = await this.#store.get('SELECT max(page) AS page FROM shelves');
    return Number(row?.page ?? 0);
  }

  /**
   * Takes over a page that is in the store.
   *
   * @param endedAt when the last of its results ended, in Unix milliseconds
   */
  add(page: number, endedAt: number, write: Write): void {
    write(ADD, [page, endedAt]);
  }

  /**
   * Lets the results of a page be found.
   *
   * @param results all that are in it, in its order
   */
  index(page: number, results: readonly PagedResult[], write: Write): void {
    write(INDEX_RESULTS, [page, JSON.stringify(results.map(({ id }) => id))]);
    write(INDEX_GROUPS, [page, JSON.stringify([...new Set(results.map(({ group }) => group))])]);
    write(INDEXED, [page]);
  }

  async find(ids: readonly TaskId[]): Promise<Map<TaskId, ShelvedResult>> {
    const rows = await this.#store.all(FIND, [JSON.stringify(ids)]);
    return new Map(
      rows.map(({ task_id, group_id, status }) => [
        task_id as TaskId,
        { group: group_id as TaskGroupId, status: JSON.parse(String(status)) as TaskStatus },
      ]),
    );
  }

  /** Ids of a group's results, and when they ended. Unit: Unix milliseconds. */
  async group(group: TaskGroupId): Promise<Map<TaskId, number>> {
    const rows = await this.#store.all(OF_GROUP, [group]);
    return new Map(rows.map(({ task_id, ended_at }) => [task_id as TaskId, Number(ended_at)]));
  }

  /** Removes pages that ended before a time, in Unix milliseconds. */
  removeOld(before: number, write: Write): void {
    for (const sql of REMOVE_OLD) write(sql, [before]);
  }
}
