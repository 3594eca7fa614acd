/**
 * Where tasks have been that were taken back and wait for another worker. The record of a worker says that they have not
 * begun; that holds until the record of the next one does.
 */
import type { TaskId } from '../../compute/ids.js';
import { idOf, type TaskRef } from '../batch.js';
import type { SentTasks, WorkerProcess } from './process.js';

export class Traces {
  readonly #traces = new Map<TaskId, { readonly worker: WorkerProcess; readonly seq: number }>();

  add(worker: WorkerProcess, sent: SentTasks): void {
    for (const [seq, task] of sent) this.#traces.set(idOf(task), { worker, seq });
  }

  /** A task waits no more: it has ended, or its next worker has it on record. */
  delete(task: TaskRef): void {
    const id = idOf(task);
    const trace = this.#traces.get(id);
    if (trace === undefined) return;
    this.#traces.delete(id);
    trace.worker.movedOn(trace.seq);
  }

  deleteEach(tasks: readonly TaskRef[]): void {
    if (this.#traces.size > 0) for (const task of tasks) this.delete(task);
  }

  clear(): void {
    for (const { worker, seq } of this.#traces.values()) worker.movedOn(seq);
    this.#traces.clear();
  }
}
