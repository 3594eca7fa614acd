/**
 * The tasks in the hub's care. Memory holds what has not ended and what ended in the last few milliseconds; the store
 * takes over, at each group commit, what is still there by then: a task that began, ended and was acknowledged between two
 * commits never reaches the disk.
 */
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../compute/ids.js';
import { TASK_RETENTION_MS } from '../compute/limits.js';
import type { TaskState, TaskStatus } from '../compute/service.js';
import type { Store } from '../storage/index.js';
import { idOf, Stage, TaskBatch, type TaskRef } from './batch.js';
import { readArguments, readStatus, writeArguments, writeStatus } from './envelope.js';

/** Results stay in memory, acknowledged or not, until newer ones push them out: this many, of this many characters. */
const RECENT_RESULTS = 4096;
const RECENT_CHARS = 16 * 1024 * 1024;

/** How often results that nobody has fetched in time are removed. Unit: milliseconds. */
const TIDYING_MS = 3600 * 1000;

const REMOVE_OLD_RESULTS = 'DELETE FROM results WHERE ended_at < ?';

type Write = Store['write'];

const STATES: Readonly<Record<number, TaskState>> = {
  [Stage.queued]: 'waiting-for-nodes',
  [Stage.running]: 'running',
};

interface Ended {
  readonly status: TaskStatus;
  readonly groupId: TaskGroupId;
  readonly streamed: boolean;
  readonly chars: number;
  acknowledged: boolean;
}

export class TaskBook {
  readonly #store: Store;
  /** Tasks that have not ended. */
  readonly #open = new Map<TaskId, TaskRef>();
  /** Batches whose row is to be written, changed or removed. */
  readonly #dirty = new Set<TaskBatch>();
  /** Results in memory: those that ended since the last commit, and recent ones, in the store or not. */
  readonly #ended = new Map<TaskId, Ended>();
  /** Those of them that are to be stored. */
  readonly #unstored = new Set<TaskId>();
  readonly #toRemove: TaskId[] = [];
  /** Ids of the recent results in {@link #ended}: a ring, filled from `#recentFrom` up to `#recentTo`. */
  readonly #recent: TaskId[] = [];
  #recentFrom = 0;
  #recentTo = 0;
  #recentChars = 0;
  #nextRow = 1;
  /** Unix milliseconds. */
  #tidiedAt = Date.now();

  private constructor(store: Store) {
    this.#store = store;
    store.writer((write) => this.#contribute(write));
  }

  /** Opens the book; `interrupted` are the tasks that were running when the last process ended. */
  static async open(store: Store): Promise<{ book: TaskBook; waiting: TaskBatch[]; interrupted: TaskRef[] }> {
    const book = new TaskBook(store);
    store.write(REMOVE_OLD_RESULTS, [Date.now() - TASK_RETENTION_MS]);
    store.write('DELETE FROM batches WHERE created_at < ?', [Date.now() - TASK_RETENTION_MS]);
    const waiting: TaskBatch[] = [];
    const interrupted: TaskRef[] = [];
    for (const row of await store.all('SELECT * FROM batches ORDER BY number', [])) {
      const batch = new TaskBatch(
        row.function_id as FunctionId,
        row.endpoint_id as EndpointId,
        row.group_id as TaskGroupId,
        row.streamed === 1,
        String(row.ids).split(' ') as TaskId[],
        readArguments(row.args as Uint8Array),
        Number(row.created_at),
        Uint8Array.from(row.stages as Uint8Array),
      );
      batch.row = Number(row.number);
      batch.inherited = true;
      book.#nextRow = batch.row + 1;
      for (const [index, stage] of batch.stages.entries()) {
        if (stage >= Stage.ended) continue;
        book.#open.set(batch.ids[index] as TaskId, { batch, index });
        if (stage === Stage.running) interrupted.push({ batch, index });
      }
      waiting.push(batch);
    }
    return { book, waiting, interrupted };
  }

  /** Takes tasks into care. */
  add(batch: TaskBatch): void {
    for (let index = 0; index < batch.ids.length; index++) {
      this.#open.set(batch.ids[index] as TaskId, { batch, index });
    }
    this.touch(batch);
  }

  find(id: TaskId): TaskRef | undefined {
    return this.#open.get(id);
  }

  /** Tasks of a function that have not ended keep its code in memory. */
  uses(functionId: FunctionId): boolean {
    for (const { batch } of this.#open.values()) if (batch.functionId === functionId) return true;
    return false;
  }

  /** Notes that stages of a batch have changed. */
  touch(batch: TaskBatch): void {
    this.#dirty.add(batch);
    this.#store.touch();
  }

  /** Notes that stages of the batches of these tasks have changed. */
  touchEach(tasks: readonly TaskRef[]): void {
    let last: TaskBatch | undefined;
    for (const { batch } of tasks) {
      if (batch !== last) this.touch(batch);
      last = batch;
    }
  }

  /** Notes how a task ended. False when it had ended before. */
  end(task: TaskRef, status: TaskStatus): boolean {
    const { batch, index } = task;
    const id = idOf(task);
    if (!this.#open.delete(id)) return false;
    batch.stages[index] = Stage.ended;
    batch.open--;
    this.#ended.set(id, {
      status,
      groupId: batch.groupId,
      streamed: batch.streamed,
      chars: (status.result?.length ?? 0) + (status.exception?.length ?? 0) + bytesOf(status) + 200,
      acknowledged: false,
    });
    this.#unstored.add(id);
    this.touch(batch);
    return true;
  }

  /** A result was passed on: it need not be kept. */
  acknowledge(id: TaskId): void {
    const ended = this.#ended.get(id);
    if (ended?.acknowledged) return;
    if (ended !== undefined) ended.acknowledged = true;
    if (ended !== undefined && this.#unstored.delete(id)) this.#remember(id, ended);
    else {
      this.#toRemove.push(id); // The store has it.
      this.#store.touch();
    }
  }

  /** A task as the service shows it; undefined when it is unknown. */
  async status(id: TaskId): Promise<TaskStatus | undefined> {
    const known = this.#known(id);
    if (known !== undefined) return known;
    const row = await this.#store.get('SELECT status FROM results WHERE task_id = ?', [id]);
    return row === undefined ? undefined : readStatus(row.status as Uint8Array);
  }

  /** Statuses of many tasks; unknown ones are left out. */
  async statuses(ids: readonly TaskId[]): Promise<Map<TaskId, TaskStatus>> {
    const found = new Map<TaskId, TaskStatus>();
    const inStore: TaskId[] = [];
    for (const id of ids) {
      const known = this.#known(id);
      if (known === undefined) inStore.push(id);
      else found.set(id, known);
    }
    if (inStore.length > 0) {
      const rows = await this.#store.all(
        'SELECT task_id, status FROM results WHERE task_id IN (SELECT value FROM json_each(?))',
        [JSON.stringify(inStore)],
      );
      for (const row of rows) found.set(row.task_id as TaskId, readStatus(row.status as Uint8Array));
    }
    return found;
  }

  /** Results of a group that were not acknowledged, oldest first. */
  async unacknowledged(groupId: TaskGroupId): Promise<TaskStatus[]> {
    const rows = await this.#store.all('SELECT task_id, status FROM results WHERE group_id = ? AND streamed = 1', [
      groupId,
    ]);
    const results = rows
      .filter((row) => this.#ended.get(row.task_id as TaskId)?.acknowledged !== true)
      .map((row) => readStatus(row.status as Uint8Array));
    for (const id of this.#unstored) {
      const ended = this.#ended.get(id);
      if (ended?.groupId === groupId && ended.streamed) results.push(ended.status);
    }
    return results.sort((a, b) => Number(a.completion_t) - Number(b.completion_t));
  }

  /** Ids of the tasks of a group that are still known, with the time of their submission where it is (Unix milliseconds). */
  async group(groupId: TaskGroupId): Promise<Map<TaskId, number>> {
    const ids = new Map<TaskId, number>();
    for (const row of await this.#store.all('SELECT task_id, ended_at FROM results WHERE group_id = ?', [groupId])) {
      ids.set(row.task_id as TaskId, Number(row.ended_at));
    }
    for (const [id, ended] of this.#ended)
      if (ended.groupId === groupId) ids.set(id, Number(ended.status.completion_t) * 1000);
    for (const [id, { batch }] of this.#open) if (batch.groupId === groupId) ids.set(id, batch.createdAt);
    return ids;
  }

  #known(id: TaskId): TaskStatus | undefined {
    const task = this.#open.get(id);
    if (task === undefined) return this.#ended.get(id)?.status;
    const { batch, index } = task;
    const status = STATES[batch.stages[index] ?? Stage.queued] ?? 'received';
    return batch.inherited ? { task_id: id, status, details: { rerun: true } } : { task_id: id, status };
  }

  #remember(id: TaskId, ended: Ended): void {
    this.#recent[this.#recentTo++ % RECENT_RESULTS] = id;
    this.#recentChars += ended.chars;
    while (this.#recentTo - this.#recentFrom >= RECENT_RESULTS || this.#recentChars > RECENT_CHARS)
      this.#forgetOldest();
  }

  #forgetOldest(): void {
    const id = this.#recent[this.#recentFrom++ % RECENT_RESULTS];
    const oldest = id === undefined ? undefined : this.#ended.get(id);
    if (id === undefined || oldest === undefined) return;
    this.#ended.delete(id);
    this.#recentChars -= oldest.chars;
  }

  /** Called by the store right before a group commit. */
  #contribute(write: Write): void {
    for (const batch of this.#dirty) this.#writeBatch(batch, write);
    this.#dirty.clear();
    for (const id of this.#unstored) {
      const ended = this.#ended.get(id);
      if (ended === undefined) continue;
      write('INSERT OR REPLACE INTO results (task_id, group_id, streamed, ended_at, status) VALUES (?, ?, ?, ?, ?)', [
        id,
        ended.groupId,
        ended.streamed ? 1 : 0,
        Math.round(Number(ended.status.completion_t) * 1000),
        writeStatus(ended.status),
      ]);
      // From here on the store has it: reads come after the writes that were sent before them.
      this.#remember(id, ended);
    }
    this.#unstored.clear();
    if (this.#toRemove.length > 0) {
      write('DELETE FROM results WHERE task_id IN (SELECT value FROM json_each(?))', [JSON.stringify(this.#toRemove)]);
      this.#toRemove.length = 0;
    }
    const now = Date.now();
    if (now - this.#tidiedAt > TIDYING_MS) {
      this.#tidiedAt = now;
      write(REMOVE_OLD_RESULTS, [now - TASK_RETENTION_MS]);
    }
  }

  #writeBatch(batch: TaskBatch, write: Write): void {
    if (batch.open === 0) {
      if (batch.row !== undefined) write('DELETE FROM batches WHERE number = ?', [batch.row]);
      batch.row = undefined;
      return;
    }
    if (batch.row !== undefined) {
      write('UPDATE batches SET stages = ? WHERE number = ?', [Uint8Array.from(batch.stages), batch.row]);
      return;
    }
    batch.row = this.#nextRow++;
    write(
      `INSERT INTO batches (number, function_id, endpoint_id, group_id, streamed, created_at, ids, args, stages)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        batch.row,
        batch.functionId,
        batch.endpointId,
        batch.groupId,
        batch.streamed ? 1 : 0,
        batch.createdAt,
        batch.ids.join(' '),
        writeArguments(batch.args),
        Uint8Array.from(batch.stages),
      ],
    );
  }
}

function bytesOf(status: TaskStatus): number {
  return status.result_buffers?.buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0) ?? 0;
}
