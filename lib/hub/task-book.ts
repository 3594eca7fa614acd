/**
 * The tasks in the hub's care. Memory holds what has not ended and what ended in the last few milliseconds; the store
 * takes over, at each group commit, what is still there by then: a task that began, ended and was acknowledged between two
 * commits never reaches the disk.
 */
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../compute/ids.js';
import { TASK_RETENTION_MS } from '../compute/limits.js';
import type { TaskState, TaskStatus } from '../compute/service.js';
import type { Store, Write } from '../storage/index.js';
import { idOf, Stage, type Task, TaskBatch, type TaskRef } from './batch.js';
import { readArguments, writeArguments } from './envelope.js';
import { ResultBook } from './result-book.js';
import type { TaskTerms } from './terms.js';
import { NOTHING_LEFT } from './workers/recordings.js';

const STATES: Readonly<Record<number, TaskState>> = {
  [Stage.queued]: 'waiting-for-nodes',
  [Stage.running]: 'running',
  [Stage.sent]: 'waiting-for-ep',
};

export class TaskBook {
  readonly #store: Store;
  /** Tasks that have not ended, and recent ones that have. */
  readonly #tasks: Map<TaskId, Task>;
  readonly #results: ResultBook;
  /** Batches whose row is to be written, changed or removed. */
  readonly #dirty = new Set<TaskBatch>();
  #nextRow = 1;

  private constructor(store: Store, tasks: Map<TaskId, Task>, results: ResultBook) {
    this.#store = store;
    this.#tasks = tasks;
    this.#results = results;
    store.writer((write) => this.#contribute(write));
  }

  /**
   * Opens the book; `interrupted` are the tasks that were running when the last process ended.
   *
   * @param left what is known of tasks that were with workers: those that had not begun are put back in line, and those that
   * had begun are not, though the store may not have that yet
   */
  static async open(
    store: Store,
    left = NOTHING_LEFT,
  ): Promise<{ book: TaskBook; waiting: TaskBatch[]; interrupted: TaskRef[] }> {
    const tasks = new Map<TaskId, Task>();
    const book = new TaskBook(store, tasks, await ResultBook.open(store, (task) => tasks.delete(idOf(task))));
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
        row.terms === null ? undefined : (JSON.parse(String(row.terms)) as TaskTerms),
      );
      batch.row = Number(row.number);
      batch.inherited = true;
      book.#nextRow = batch.row + 1;
      for (const task of batch.tasks) {
        if (batch.stages[task.index] === Stage.ended) continue;
        const id = idOf(task);
        book.#tasks.set(id, task);
        if (batch.stages[task.index] === Stage.running && left.notBegun.has(id)) {
          batch.stages[task.index] = Stage.queued;
          book.touch(batch);
        }
        if (batch.stages[task.index] === Stage.running || left.begun.has(id)) interrupted.push(task);
      }
      waiting.push(batch);
    }
    return { book, waiting, interrupted };
  }

  /** Takes tasks into care. */
  add(batch: TaskBatch): void {
    const { ids, tasks } = batch;
    for (let index = 0; index < ids.length; index++) this.#tasks.set(ids[index] as TaskId, tasks[index] as Task);
    this.touch(batch);
  }

  /** A task that has not ended. */
  find(id: TaskId): Task | undefined {
    const task = this.#tasks.get(id);
    return task?.status === undefined ? task : undefined;
  }

  /** Tasks of a function that have not ended keep its code in memory. */
  uses(functionId: FunctionId): boolean {
    for (const { batch, status } of this.#tasks.values()) {
      if (status === undefined && batch.functionId === functionId) return true;
    }
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
  end({ batch, index }: TaskRef, status: TaskStatus): boolean {
    const task = this.#tasks.get(status.task_id);
    if (task === undefined || task.status !== undefined) return false;
    task.status = status;
    batch.stages[index] = Stage.ended;
    batch.args[index] = '';
    batch.open--;
    this.#results.add(task);
    this.touch(batch);
    return true;
  }

  /** A result was passed on: it need not be kept. */
  acknowledge(id: TaskId): void {
    const task = this.#tasks.get(id);
    if (task?.status === undefined) this.#results.remove(id);
    else this.#results.acknowledge(task);
  }

  /** A result was passed on, and is kept nevertheless, for whoever asks for it. */
  delivered(id: TaskId): void {
    const task = this.#tasks.get(id);
    if (task?.status === undefined) this.#results.release(id);
    else this.#results.deliver(task);
  }

  /** Has what was passed on written down, before the store is closed. */
  close(): void {
    this.#results.end();
  }

  /** A task as the service shows it; undefined when it is unknown. */
  async status(id: TaskId): Promise<TaskStatus | undefined> {
    return this.#known(id) ?? (await this.#results.read([id])).get(id);
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
    if (inStore.length > 0) for (const [id, status] of await this.#results.read(inStore)) found.set(id, status);
    return found;
  }

  /** The groups of tasks, by task; unknown tasks are left out. */
  async groupsOf(ids: readonly TaskId[]): Promise<Map<TaskId, TaskGroupId>> {
    const found = new Map<TaskId, TaskGroupId>();
    const inStore: TaskId[] = [];
    for (const id of ids) {
      const task = this.#tasks.get(id);
      if (task === undefined) inStore.push(id);
      else found.set(id, task.batch.groupId);
    }
    if (inStore.length > 0) for (const [id, group] of await this.#results.groupsOf(inStore)) found.set(id, group);
    return found;
  }

  /** Results of a group that were not acknowledged, oldest first. */
  async unacknowledged(groupId: TaskGroupId): Promise<TaskStatus[]> {
    const results = await this.#results.unacknowledged(groupId);
    return [...results.values()]
      .filter(({ task_id }) => {
        const task = this.#tasks.get(task_id);
        return task === undefined || !(task.acknowledged || task.delivered);
      })
      .sort((a, b) => Number(a.completion_t) - Number(b.completion_t));
  }

  /** Ids of the tasks of a group that are still known, with the time of their submission where it is (Unix milliseconds). */
  async group(groupId: TaskGroupId): Promise<Map<TaskId, number>> {
    const ids = await this.#results.group(groupId);
    for (const [id, { batch, status }] of this.#tasks) {
      if (batch.groupId !== groupId) continue;
      ids.set(id, status === undefined ? batch.createdAt : Number(status.completion_t) * 1000);
    }
    return ids;
  }

  #known(id: TaskId): TaskStatus | undefined {
    const task = this.#tasks.get(id);
    if (task === undefined || task.status !== undefined) return task?.status;
    const { batch, index } = task;
    const status = STATES[batch.stages[index] ?? Stage.queued] ?? 'received';
    return batch.inherited ? { task_id: id, status, details: { rerun: true } } : { task_id: id, status };
  }

  /** Called by the store right before a group commit. */
  #contribute(write: Write): void {
    for (const batch of this.#dirty) this.#writeBatch(batch, write);
    this.#dirty.clear();
    this.#results.contribute(write);
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
      `INSERT INTO batches (number, function_id, endpoint_id, group_id, streamed, created_at, ids, args, stages, terms)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
        batch.terms === undefined ? null : JSON.stringify(batch.terms),
      ],
    );
  }
}
