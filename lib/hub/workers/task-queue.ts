/** The tasks that wait for a worker: whole batches with a cursor, and in front of them those given back by workers. */
import { Stage, type TaskBatch, type TaskRef } from '../batch.js';

export class TaskQueue {
  /** Undefined below the head: what has gone out is not kept in memory from here. */
  readonly #batches: ({ batch: TaskBatch; next: number } | undefined)[] = [];
  #head = 0;
  #returned: TaskRef[] = [];
  #size = 0;

  /** Tasks that wait. */
  get size(): number {
    return this.#size;
  }

  /** Appends the queued tasks of a batch. */
  push(batch: TaskBatch): void {
    let count = 0;
    for (const stage of batch.stages) if (stage === Stage.queued) count++;
    if (count === 0) return;
    this.#batches.push({ batch, next: 0 });
    this.#size += count;
  }

  /** Puts tasks back to the front, in their order. */
  giveBack(tasks: readonly TaskRef[]): void {
    for (const { batch, index } of tasks) batch.stages[index] = Stage.queued;
    this.#returned = [...tasks, ...this.#returned];
    this.#size += tasks.length;
  }

  /** Takes a queued task out. False when it does not wait here. */
  remove({ batch, index }: TaskRef): boolean {
    if (batch.stages[index] !== Stage.queued) return false;
    this.#returned = this.#returned.filter((task) => task.batch !== batch || task.index !== index);
    batch.stages[index] = Stage.ended;
    this.#size--;
    return true;
  }

  /** The task that comes next. */
  peek(): TaskRef | undefined {
    for (;;) {
      const returned = this.#returned[0];
      if (returned === undefined) break;
      if (returned.batch.stages[returned.index] === Stage.queued) return returned;
      this.#returned.shift();
    }
    for (;;) {
      const head = this.#batches[this.#head];
      if (head === undefined) {
        this.#size = 0; // A wrong count would have those who take what there is try for ever.
        return undefined;
      }
      const { batch } = head;
      while (head.next < batch.ids.length && batch.stages[head.next] !== Stage.queued) head.next++;
      const next = batch.tasks[head.next];
      if (next !== undefined) return next;
      this.#dropHead();
    }
  }

  /** Takes up to `most` consecutive tasks of the function that comes next, with results in the same encodings. */
  take(most: number): TaskRef[] {
    const first = this.peek();
    if (first === undefined) return [];
    const { functionId, serializers } = first.batch;
    const tasks: TaskRef[] = [];
    let task: TaskRef | undefined = first;
    while (
      task !== undefined &&
      tasks.length < most &&
      task.batch.functionId === functionId &&
      task.batch.serializers === serializers
    ) {
      if (this.#returned.length > 0) this.#returned.shift();
      task.batch.stages[task.index] = Stage.running;
      tasks.push(task);
      this.#size--;
      task = this.peek();
    }
    return tasks;
  }

  /** Takes all, to end them. */
  drain(): TaskRef[] {
    const tasks: TaskRef[] = [];
    for (let taken = this.take(this.#size); taken.length > 0; taken = this.take(this.#size)) tasks.push(...taken);
    return tasks;
  }

  /** Takes all, to be pushed again elsewhere: the batches of the tasks that wait. */
  release(): TaskBatch[] {
    const tasks = this.drain();
    for (const { batch, index } of tasks) batch.stages[index] = Stage.queued;
    return [...new Set(tasks.map((task) => task.batch))];
  }

  #dropHead(): void {
    this.#batches[this.#head++] = undefined;
    if (this.#head > 64 && this.#head * 2 > this.#batches.length) {
      this.#batches.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
