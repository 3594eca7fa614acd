/** Whose a task group is, and with it its tasks. The operator's are not noted: what has no owner here is his. */
import type { TaskGroupId } from '../compute/ids.js';
import { TASK_RETENTION_MS } from '../compute/limits.js';
import type { Store } from '../storage/index.js';

/** Groups whose owner is held in memory. */
const HELD = 10_000;

/** The use of a group is noted this often. Unit: milliseconds. */
const NOTING_MS = 24 * 3600 * 1000;

interface Owned {
  readonly owner: string;
  /** Unix milliseconds. */
  usedAt: number;
}

export class TaskGroupBook {
  readonly #store: Store;
  /** Those used last are at the end. */
  readonly #held = new Map<TaskGroupId, Owned>();

  constructor(store: Store) {
    this.#store = store;
    // A group goes when it was not used for as long as a task is kept, and no result of it is left.
    store.write(
      `DELETE FROM task_groups WHERE used_at < ?
       AND NOT EXISTS (SELECT 1 FROM results WHERE results.group_id = task_groups.group_id)
       AND NOT EXISTS (SELECT 1 FROM shelf_groups WHERE shelf_groups.group_id = task_groups.group_id)
       AND NOT EXISTS (SELECT 1 FROM batches WHERE batches.group_id = task_groups.group_id)`,
      [Date.now() - TASK_RETENTION_MS],
    );
  }

  /** Notes that a group is a user's, or that the user uses it again. */
  use(group: TaskGroupId, owner: string): void {
    const now = Date.now();
    const held = this.#held.get(group);
    if (held !== undefined && now - held.usedAt < NOTING_MS) return;
    this.#store.write(
      `INSERT INTO task_groups (group_id, owner, used_at) VALUES (?, ?, ?)
       ON CONFLICT (group_id) DO UPDATE SET used_at = excluded.used_at`,
      [group, owner, now],
    );
    this.#hold(group, { owner, usedAt: now }); // Not where the store takes no more: then it is not the user's.
  }

  /** Owners of groups, by group. */
  async owners(groups: Iterable<TaskGroupId>): Promise<Map<TaskGroupId, string>> {
    const owners = new Map<TaskGroupId, string>();
    const asked: TaskGroupId[] = [];
    for (const group of groups) {
      const held = this.#held.get(group);
      if (held === undefined) asked.push(group);
      else owners.set(group, held.owner);
    }
    if (asked.length === 0) return owners;
    const rows = await this.#store.all('SELECT * FROM task_groups WHERE group_id IN (SELECT value FROM json_each(?))', [
      JSON.stringify(asked),
    ]);
    for (const row of rows) {
      const group = row.group_id as TaskGroupId;
      const owned = { owner: String(row.owner), usedAt: Number(row.used_at) };
      owners.set(group, owned.owner);
      this.#hold(group, owned);
    }
    return owners;
  }

  #hold(group: TaskGroupId, owned: Owned): void {
    this.#held.delete(group);
    this.#held.set(group, owned);
    if (this.#held.size <= HELD) return;
    const [oldest] = this.#held.keys();
    if (oldest !== undefined) this.#held.delete(oldest);
  }
}
