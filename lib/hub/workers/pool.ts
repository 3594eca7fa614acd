/**
 * The workers of one local endpoint. It starts on its first task, gives every task to the worker that will begin it
 * soonest, and tells of each task exactly once how it ended, whatever happens to the workers.
 */
import { FuncXError } from '../../compute/errors.js';
import type { FunctionId, TaskId } from '../../compute/ids.js';
import type { EndpointStatus } from '../../compute/service.js';
import { Deferred } from '../../deferred.js';
import { pRetry } from '../../vendor.js';
import { idOf, type TaskBatch, type TaskRef } from '../batch.js';
import { cancellation } from '../task-status.js';
import { endingOf, failure, type TaskEnding } from './ending.js';
import { RecordKind } from './frames.js';
import { Pace } from './pace.js';
import {
  type LoadableFunction,
  type SentTasks,
  type TaskEnd,
  type WorkerDeath,
  type WorkerOptions,
  WorkerProcess,
} from './process.js';
import { Suspects } from './suspects.js';
import { TaskQueue } from './task-queue.js';
import { Traces } from './traces.js';

/** How often busy workers are looked at: time limits, tasks stuck behind a long one. Unit: milliseconds. */
const TICK_MS = 10;

/** How often starting a worker is tried before its tasks are failed. */
const START_ATTEMPTS = 3;

/** When no more worker could be started, others go on and it is tried again after this long. Unit: milliseconds. */
const START_PAUSE_MS = 1000;

/** A worker is replaced after this many tasks at the latest: their numbers have 32 bits. */
const MOST_TASKS = 2 ** 31;

export interface PoolOptions extends WorkerOptions {
  /** Most worker processes. */
  readonly workers: number;
  /** Longest run of one task. Unit: milliseconds. */
  readonly timeLimitMs: number | undefined;
  /** A worker is replaced after this many tasks. */
  readonly restartAfter: number | undefined;
  /** Workers end after this long without a task; undefined: never. Unit: milliseconds. */
  readonly idleMs: number | undefined;
}

export interface PoolEvents {
  /** Tasks were given to a worker, or taken back before they began: their stages have changed. */
  moved(tasks: readonly TaskRef[]): void;
  ended(endings: readonly (readonly [TaskRef, TaskEnding])[]): void;
  /** The function of a task that is to be sent. */
  functionOf(batch: TaskBatch): LoadableFunction;
}

/** What a busy worker was seen in. */
interface Sight {
  /** Sequence number of the task. */
  readonly seq: number;
  /** When it was first seen. Unit: milliseconds of `performance.now()`, as the system's clock may be set meanwhile. */
  readonly at: number;
  /** It is a long one: nothing more is given to the worker until it ends. */
  stuck: boolean;
}

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #events: PoolEvents;
  readonly #queue = new TaskQueue();
  /** Those that are starting or take tasks. */
  readonly #workers = new Set<WorkerProcess>();
  /** Those that are ending. */
  readonly #leaving = new Set<WorkerProcess>();
  readonly #paces = new Map<FunctionId, Pace>();
  readonly #sights = new Map<WorkerProcess, Sight>();
  /** Tasks that are to be stopped, and how they end unless they end by themselves before. */
  readonly #sentenced = new Map<TaskId, TaskEnding>();
  /** Where tasks that wait again have been. */
  readonly #traces = new Traces();
  /** They get a worker to themselves. */
  readonly #suspects = new Suspects();
  #starting = 0;
  #executed = 0;
  /** Not before then is another worker started beside those there are. Unit: milliseconds of `performance.now()`. */
  #startAt = 0;
  #tick: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** Set while the pool only waits for what runs to end. */
  #finished: Deferred<void> | undefined;
  #closed = false;

  constructor(options: PoolOptions, events: PoolEvents) {
    this.#options = options;
    this.#events = events;
  }

  get status(): EndpointStatus {
    const workers = [...this.#workers].filter((worker) => worker.isReady);
    const outstanding = workers.reduce((sum, worker) => sum + worker.outstanding.size, 0);
    return {
      status: this.#closed ? 'offline' : 'online',
      details: {
        total_workers: workers.length,
        idle_workers: workers.filter((worker) => worker.outstanding.size === 0).length,
        pending_tasks: this.#queue.size,
        outstanding_tasks: this.#queue.size + outstanding,
        managers: 1,
      },
    };
  }

  /** Tasks that its workers have ended, or were in when they died. */
  get executed(): number {
    return this.#executed;
  }

  /** Of a worker that is there. */
  get pythonVersion(): string | undefined {
    for (const { details } of this.#workers) if (details.python_version !== undefined) return details.python_version;
    return undefined;
  }

  submit(batch: TaskBatch): void {
    this.#queue.push(batch);
    this.#dispatch();
  }

  /** Stops a task, or keeps it from beginning: it ends with the code TASK_CANCELLED. False: it has ended by itself. */
  cancel(task: TaskRef): boolean {
    if (this.#queue.remove(task)) {
      this.#traces.delete(task);
      this.#events.ended([[task, cancellation(task)]]);
      return true;
    }
    for (const worker of this.#workers) {
      for (const [seq, held] of worker.outstanding) {
        if (held.batch !== task.batch || held.index !== task.index) continue;
        const stopped = this.#stop(worker, seq, task, cancellation(task));
        this.#dispatch();
        return stopped;
      }
    }
    return false;
  }

  /** Lets the workers drop a function that is no longer used. */
  forget(key: number): void {
    for (const worker of this.#workers) worker.forget(key);
  }

  /**
   * Ends the workers. Tasks that are running are given some time to end, and then end with the code TASK_INTERRUPTED; the
   * batches of those that had not begun are given back.
   *
   * @param graceMs unit: milliseconds
   */
  async close(graceMs = 0): Promise<TaskBatch[]> {
    if (graceMs > 0) await this.#finish(graceMs);
    this.#closed = true;
    clearTimeout(this.#tick);
    clearTimeout(this.#idle);
    const workers = [...this.#workers, ...this.#leaving];
    for (const worker of workers) worker.kill('The endpoint was closed.');
    await Promise.all(workers.map((worker) => worker.gone));
    this.#traces.clear();
    return this.#queue.release();
  }

  /** Begins nothing more. Resolves when nothing runs any more, or the time is over. */
  async #finish(graceMs: number): Promise<void> {
    const finished = new Deferred<void>();
    this.#finished = finished;
    for (const worker of this.#workers) this.#giveBack(worker, worker.takeBack());
    this.#dispatch();
    const timer = setTimeout(() => finished.resolve(), graceMs);
    await finished.promise;
    clearTimeout(timer);
  }

  // Giving out

  #dispatch(): void {
    if (this.#closed) return;
    if (this.#finished === undefined) this.#giveOut();
    this.#watch();
  }

  #giveOut(): void {
    for (;;) {
      const next = this.#queue.peek();
      if (next === undefined) return;
      const window = this.#suspects.has(next) ? 1 : this.#pace(next.batch.functionId).window;
      const worker = this.#worker(window);
      if (worker === undefined) {
        this.#startWorkers();
        return;
      }
      const room = window - worker.outstanding.size;
      const share = Math.ceil(this.#queue.size / this.#readyWorkers());
      const tasks = this.#queue.take(Math.max(1, Math.min(room, share, this.#untilRestart(worker), worker.room)));
      worker.send(this.#events.functionOf(next.batch), tasks);
      this.#traces.deleteEach(tasks);
      this.#events.moved(tasks);
    }
  }

  /** The ready worker with the fewest tasks, if it has room. It is refilled when it is half empty, not for each task. */
  #worker(window: number): WorkerProcess | undefined {
    let best: WorkerProcess | undefined;
    for (const worker of this.#workers) {
      if (!worker.isReady || worker.room === 0 || this.#isTaken(worker) || this.#untilRestart(worker) <= 0) continue;
      if (best === undefined || worker.outstanding.size < best.outstanding.size) best = worker;
    }
    return best !== undefined && best.outstanding.size * 2 <= window && best.outstanding.size < window
      ? best
      : undefined;
  }

  #readyWorkers(): number {
    let count = 0;
    for (const worker of this.#workers) if (worker.isReady && !this.#isTaken(worker)) count++;
    return Math.max(1, count);
  }

  /** Whether a worker is to be given nothing beside what it has: a long task, or one that is under suspicion. */
  #isTaken(worker: WorkerProcess): boolean {
    return this.#sights.get(worker)?.stuck === true || this.#suspects.hasOneOf(worker.outstanding.values());
  }

  #giveBack(from: WorkerProcess, sent: SentTasks): void {
    if (sent.length === 0) return;
    const tasks = sent.map(([, task]) => task);
    this.#queue.giveBack(tasks);
    this.#traces.add(from, sent);
    this.#events.moved(tasks);
  }

  /** Tasks that may still be given to a worker before it is replaced. */
  #untilRestart(worker: WorkerProcess): number {
    return (this.#options.restartAfter ?? MOST_TASKS) - worker.ended - worker.outstanding.size;
  }

  #pace(id: FunctionId): Pace {
    let pace = this.#paces.get(id);
    if (pace === undefined) {
      pace = new Pace();
      this.#paces.set(id, pace);
    }
    return pace;
  }

  #startWorkers(): void {
    let ready = 0;
    for (const worker of this.#workers) if (worker.isReady) ready++;
    // Those that are ready are busy, so that there will be another occasion.
    if (ready > 0 && performance.now() < this.#startAt) return;
    const free = this.#options.workers - ready - this.#starting;
    const wanted = Math.min(free, this.#queue.size - this.#starting);
    for (let i = 0; i < wanted; i++) void this.#start();
  }

  async #start(): Promise<void> {
    this.#starting++;
    try {
      await pRetry(() => this.#startOnce(), {
        retries: START_ATTEMPTS - 1,
        minTimeout: 100,
        shouldRetry: ({ error }) => !this.#closed && error instanceof FuncXError && error.code === 'WORKER_LOST',
      });
    } catch (error) {
      this.#startAt = performance.now() + START_PAUSE_MS;
      if (!this.#closed && ![...this.#workers].some((worker) => worker.isReady)) this.#failAll(error as Error);
    } finally {
      this.#starting--;
    }
    this.#dispatch();
  }

  async #startOnce(): Promise<void> {
    if (this.#closed) throw new FuncXError('CLOSED', 'The endpoint was closed.');
    const worker = new WorkerProcess(this.#options, {
      ended: (from, ends) => this.#ended(from, ends),
      died: (from, death) => this.#died(from, death),
    });
    this.#workers.add(worker);
    try {
      await worker.ready;
    } catch (error) {
      this.#workers.delete(worker);
      throw error;
    }
  }

  #failAll(error: Error): void {
    const code = error instanceof FuncXError ? error.code : 'WORKER_LOST';
    const tasks = this.#queue.drain();
    this.#traces.deleteEach(tasks);
    this.#events.ended(tasks.map((task) => [task, failure(code, error.message)] as const));
  }

  // Hearing back

  #ended(worker: WorkerProcess, ends: readonly TaskEnd[]): void {
    const sight = this.#sights.get(worker);
    const endings: [TaskRef, TaskEnding][] = [];
    const returned: [number, TaskRef][] = [];
    for (const { seq, task, record } of ends) {
      if (seq === sight?.seq) this.#sights.delete(worker);
      const sentence = this.#sentenced.size > 0 ? this.#takeSentence(task) : undefined;
      if (record.kind !== RecordKind.returned) {
        this.#executed++;
        this.#pace(task.batch.functionId).add(record.end - record.start);
        endings.push([task, endingOf(record, worker.details)]);
      } else if (sentence !== undefined) endings.push([task, sentence]);
      else returned.push([seq, task]);
      this.#suspects.clear(task);
    }
    this.#giveBack(worker, returned);
    // New work goes out first: the workers run while the results are passed on.
    if (this.#untilRestart(worker) <= 0 && worker.outstanding.size === 0) this.#replace(worker);
    this.#dispatch();
    if (endings.length > 0) this.#events.ended(endings);
  }

  #replace(worker: WorkerProcess): void {
    this.#workers.delete(worker);
    this.#leaving.add(worker);
    worker.kill('It had run as many tasks as a worker may.');
  }

  #died(worker: WorkerProcess, { reason, output, begun, waiting }: WorkerDeath): void {
    this.#workers.delete(worker);
    this.#leaving.delete(worker);
    this.#sights.delete(worker);
    const endings: [TaskRef, TaskEnding][] = [];
    const innocent: [number, TaskRef][] = [];
    this.#executed += begun.length;
    for (const task of begun) {
      endings.push([task, { ...(this.#takeSentence(task) ?? this.#loss(task, reason)), output }]);
    }
    for (const [place, [seq, task]] of waiting.entries()) {
      const sentence = this.#takeSentence(task);
      if (sentence !== undefined) endings.push([task, sentence]);
      else if (place === 0 && begun.length === 0 && !this.#closed && this.#suspects.accuse(task)) {
        endings.push([task, this.#loss(task, reason)]);
      } else innocent.push([seq, task]);
    }
    this.#giveBack(worker, innocent);
    this.#dispatch();
    if (endings.length > 0) this.#events.ended(endings);
  }

  #loss(task: TaskRef, reason: string): TaskEnding {
    const id = idOf(task);
    return this.#closed
      ? failure(
          'TASK_INTERRUPTED',
          `Task ${id} was running when its endpoint was closed, and may have done part of its work.`,
        )
      : failure('WORKER_LOST', `Task ${id} was lost with its worker. ${reason}`);
  }

  #takeSentence(task: TaskRef): TaskEnding | undefined {
    const id = idOf(task);
    const sentence = this.#sentenced.get(id);
    this.#sentenced.delete(id);
    return sentence;
  }

  // Watching

  #watch(): void {
    const running = [...this.#workers].some((worker) => worker.outstanding.size > 0);
    if (!running) this.#finished?.resolve();
    const busy = running || [...this.#workers].some((worker) => worker.room === 0);
    if (busy && this.#tick === undefined) this.#tick = setTimeout(() => this.#onTick(), TICK_MS);
    const { idleMs } = this.#options;
    if (busy || this.#queue.size > 0) {
      clearTimeout(this.#idle);
      this.#idle = undefined;
    } else if (this.#idle === undefined && idleMs !== undefined && this.#workers.size > 0) {
      this.#idle = setTimeout(() => this.#endIdle(), idleMs);
      this.#idle.unref();
    }
  }

  #endIdle(): void {
    this.#idle = undefined;
    for (const worker of [...this.#workers]) this.#replace(worker);
  }

  #onTick(): void {
    this.#tick = undefined;
    for (const worker of [...this.#workers]) {
      if (!worker.alive || worker.outstanding.size === 0) continue;
      const { running, since } = worker.activity();
      if (running === undefined) {
        if (worker.isMute) worker.kill('It was stopped because user code had closed its line to the hub, file 3 or 4.');
        continue;
      }
      const sight = this.#sights.get(worker);
      if (sight?.seq !== running) {
        this.#sights.set(worker, { seq: running, at: performance.now(), stuck: false });
        continue;
      }
      worker.boundOutput();
      this.#limitTime(worker, sight, since);
      if (sight.stuck) continue;
      sight.stuck = true;
      worker.takeGathered();
      this.#giveBack(worker, worker.takeBack());
    }
    this.#dispatch();
  }

  #limitTime(worker: WorkerProcess, { seq, at }: Sight, since: number): void {
    const { timeLimitMs } = this.#options;
    const task = worker.outstanding.get(seq);
    if (timeLimitMs === undefined || task === undefined || performance.now() - at < timeLimitMs) return;
    const message = `Task ${idOf(task)} ran longer than its limit of ${timeLimitMs / 1000} s and was stopped.`;
    this.#stop(worker, seq, task, failure('TASK_TIMEOUT', message, since));
  }

  /**
   * Keeps a task in a worker from beginning, or kills the worker that is in it; it then ends as `ending` says. Those that
   * wait behind it are taken back before, so that no other is killed. False: it is over, and its end on the way.
   */
  #stop(worker: WorkerProcess, seq: number, task: TaskRef, ending: TaskEnding): boolean {
    this.#giveBack(worker, worker.takeBack());
    if (this.#queue.remove(task)) {
      this.#traces.delete(task);
      this.#events.ended([[task, ending]]);
      return true;
    }
    this.#sentenced.set(idOf(task), ending);
    if (worker.activity().running !== seq) return false;
    worker.kill(ending.exception ?? '');
    return true;
  }
}
