/**
 * What an agent runs for one user and one configuration: the process that takes tasks from a queue of its own. It is
 * started when there are tasks and nobody is there, and may end at any time. Tasks that it had taken by then are found by
 * looking into the queue before it is started again: what was sent, is not there and has not ended went with it.
 */
import { setTimeout } from 'node:timers/promises';
import type { TaskId } from '../compute/ids.js';
import { idOf, Stage, type TaskBatch, type TaskRef } from './batch.js';
import type { Session } from './broker/session.js';
import { Window } from './broker/window.js';
import { ClientVersions } from './client-versions.js';
import type { Identity } from './identity.js';
import { packedText } from './packed-text.js';
import { cancellation } from './task-status.js';
import { Unanswered, type UnansweredLimits } from './unanswered.js';
import type { UserConfig } from './user-config.js';
import { type Load, loadOf, type UserEndpointReport, userEndpointReport } from './user-endpoint-report.js';
import { failure, type TaskEnding } from './workers/ending.js';
import type { PoolEvents } from './workers/pool.js';
import { TaskQueue } from './workers/task-queue.js';

/** Messages that wait for the broker's confirmation, and their size. Above that no more are sent. */
const WINDOW_TASKS = 2048;
const WINDOW_CHARS = 8 * 1024 * 1024;
const TAKEN_AT_ONCE = 32;

/** Longest wait for confirmations when the hub closes: what was sent and not confirmed is sent again. Unit: milliseconds. */
const CONFIRMATION_MS = 2000;

/** A user endpoint takes a while to start; within it, it is not told again. Unit: milliseconds. */
const START_PAUSE_MS = 30_000;

/** For whom, and how, it is started: these together are its identity. */
export interface UserEndpointSettings {
  readonly user: Identity;
  readonly config: UserConfig;
  /** The submitter's version of Python, where it is known. */
  readonly python: string | undefined;
}

export interface UserEndpointLimits extends UnansweredLimits {
  /** Without a report for so long it is not there. Unit: milliseconds. */
  readonly offlineAfterMs: number;
}

/** What it needs of the broker. */
export interface TaskLine {
  /** Undefined while the broker is not reached. */
  readonly session: Session | undefined;
  /** Makes its queue where it is missing, and tells who takes from it and what waits there. */
  inspect(id: string): Promise<{ consumers: number; waiting: number }>;
  /** Ids of the tasks that wait in its queue. */
  waiting(id: string): Promise<ReadonlySet<string>>;
  purge(id: string): Promise<void>;
  send(session: Session, id: string, task: TaskRef, code: string, args: string): Promise<void>;
  /** Whether somebody is there who could be told to start it. */
  isAgentThere(): Promise<boolean>;
  start(endpoint: UserEndpoint): Promise<void>;
  /** Keeps which process of it was seen last. */
  seen(endpoint: UserEndpoint): void;
  /** So many tasks that it has taken are not answered, and are sent again. */
  missing(endpoint: UserEndpoint, tasks: number): void;
}

export class UserEndpoint {
  readonly #line: TaskLine;
  readonly #events: PoolEvents;
  readonly #limits: UserEndpointLimits;
  readonly #queue = new TaskQueue();
  /** Those that were submitted here; gone with the last of their tasks. */
  readonly #batches = new WeakSet<TaskBatch>();
  /** With the broker or the agent. */
  readonly #sent = new Map<TaskId, TaskRef>();
  /** On their way to the broker. */
  readonly #sending = new Set<TaskRef>();
  readonly #unanswered: Unanswered;
  /** A connection to the broker broke: what was with the endpoint then is to be found. */
  #mayHaveLost = false;
  /** Tasks that were sent and were not in the queue when nobody was there. */
  #away: readonly TaskId[] = [];
  /** Its last report, and when that came. Unit: milliseconds of `performance.now()`. */
  #report: UserEndpointReport | undefined;
  #reportedAt = Number.NEGATIVE_INFINITY;
  /** When its last report came, also one of its end; undefined: none has since the hub was opened. Unix milliseconds. */
  lastReport: number | undefined;
  /** Results of the process that reports, since the hub was opened. */
  #results = 0;
  readonly clientVersions = new ClientVersions();
  #startedAt = Number.NEGATIVE_INFINITY;
  /** Where its queue was made sure of. */
  #declaredIn: Session | undefined;
  #isPumping = false;
  /** Settles when the broker has confirmed what is on its way, or is lost. */
  #pumping: Promise<void> = Promise.resolve();
  #isLooking = false;
  #isClosed = false;
  /** Runtime of who submitted last, for the agent's template. */
  runtime: unknown;

  constructor(
    readonly id: string,
    readonly settings: UserEndpointSettings,
    /** What tells one process of it from the next; empty: none was seen. */
    public incarnation: string,
    line: TaskLine,
    events: PoolEvents,
    /** As they are at any time. */
    limits: UserEndpointLimits,
  ) {
    this.#line = line;
    this.#events = events;
    this.#limits = limits;
    this.#unanswered = new Unanswered(limits);
  }

  /** Tasks that have not ended. */
  get open(): number {
    return this.#queue.size + this.#sending.size + this.#sent.size;
  }

  /** Tasks that the broker does not have yet. */
  get unsent(): number {
    return this.#queue.size + this.#sending.size;
  }

  /** What it says of itself; undefined when it is not there. */
  get report(): UserEndpointReport | undefined {
    const isSilent = performance.now() - this.#reportedAt > this.#limits.offlineAfterMs;
    return isSilent || this.#report?.active === false ? undefined : this.#report;
  }

  get load(): Load {
    return loadOf(this.report, this.unsent, this.#sent.size);
  }

  /** Tasks that the process which is there, or was last, has ended; where it does not count them, those the hub saw. */
  get executed(): number {
    const { total, outstanding } = this.#report ?? { total: 0, outstanding: 0 };
    return Math.max(this.#results, total - outstanding); // A report is half a minute old at most.
  }

  submit(batch: TaskBatch): void {
    this.#batches.add(batch);
    batch.inherited = false; // What an agent has goes on there, whatever becomes of this process.
    for (const [index, stage] of batch.stages.entries()) {
      if (stage === Stage.running)
        batch.stages[index] = Stage.queued; // Not confirmed by the broker.
      else if (stage === Stage.sent) this.#sent.set(batch.ids[index] as TaskId, { batch, index });
    }
    this.runtime = batch.terms?.user_runtime ?? this.runtime;
    this.clientVersions.note(batch.terms);
    this.#queue.push(batch);
    this.#pump();
    if (this.report === undefined) this.look();
  }

  holds(task: TaskRef): boolean {
    return this.#batches.has(task.batch);
  }

  cancel(task: TaskRef): boolean {
    if (task.batch.stages[task.index] === Stage.ended) return false;
    this.#forget(task);
    this.#events.ended([[task, cancellation(task)]]);
    return true;
  }

  /** How a task ended, as the agent says. */
  ended(task: TaskRef, ending: TaskEnding): void {
    this.#results++;
    this.#forget(task, ending);
  }

  /**
   * The broker is reached again.
   *
   * @param mayHaveLost whether messages that were on their way to the broker may have been lost
   */
  resume(mayHaveLost: boolean): void {
    this.#mayHaveLost ||= mayHaveLost;
    this.#pump();
    this.look();
  }

  /** @param state as it says it, of any kind */
  reported(state: Readonly<Record<string, unknown>>): void {
    if (typeof state.error === 'string') {
      this.#startedAt = Number.NEGATIVE_INFINITY;
      this.#failAll(state.error);
      return;
    }
    this.#report = userEndpointReport(state);
    this.#reportedAt = performance.now();
    this.lastReport = Date.now();
    this.#startedAt = Number.NEGATIVE_INFINITY; // It has started: when it is gone, it is told again at once.
    const { incarnation } = this.#report;
    if (incarnation !== '' && incarnation !== this.incarnation) {
      if (this.incarnation !== '') {
        this.#unanswered.begin();
        this.#results = 0;
      }
      this.incarnation = incarnation;
      this.#line.seen(this);
      this.#sendAgain(this.#away);
      this.#away = [];
    }
    this.#unanswered.reported(this.#report, this.#sent.size);
    if (this.report === undefined) this.look();
  }

  /** What it has said counts no more: its agent was started anew, or the hub has left the broker where it is. */
  forgetReports(): void {
    this.#startedAt = Number.NEGATIVE_INFINITY;
    this.#reportedAt = Number.NEGATIVE_INFINITY;
  }

  /** The hub leaves the broker, and has no session any more. Resolves when all that it has sent there is confirmed or lost. */
  settled(): Promise<void> {
    return this.#pumping;
  }

  /** Whether tasks are with the broker or the agent. */
  get hasSent(): boolean {
    return this.#sent.size > 0;
  }

  /** Tasks that have waited at a broker that the hub leaves: nobody has begun them. */
  takenBack(ids: ReadonlySet<string>): void {
    const tasks = [...this.#sent.values()].filter((task) => ids.has(idOf(task)));
    for (const task of tasks) this.#sent.delete(idOf(task));
    this.#queue.giveBack(tasks);
    this.#events.moved(tasks);
  }

  /** Sees to it that somebody takes the tasks, if there are any. Never rejects. */
  look(): void {
    if (this.#queue.size > 0) this.#pump();
    if (this.open === 0 || this.#isLooking || this.#isClosed || this.#line.session === undefined) return;
    this.#isLooking = true;
    this.#look()
      .catch(() => {}) // The session was lost: there will be another look.
      .finally(() => {
        this.#isLooking = false;
      });
  }

  /** Waits for the broker's confirmations, and gives back the batches of the tasks that have not ended. */
  async close(): Promise<TaskBatch[]> {
    this.#isClosed = true;
    await Promise.race([this.#pumping, setTimeout(CONFIRMATION_MS, undefined, { ref: false })]);
    for (const { batch, index } of this.#sending) {
      if (batch.stages[index] === Stage.running) batch.stages[index] = Stage.queued;
    }
    const held = [...this.#sending, ...this.#sent.values()].map(({ batch }) => batch);
    return [...new Set([...this.#queue.release(), ...held])];
  }

  async #look(): Promise<void> {
    const { consumers, waiting } = await this.#line.inspect(this.id);
    if (this.#mayHaveLost) {
      const taken = await this.#taken();
      this.#mayHaveLost = false;
      this.#unanswered.doubt(taken);
    }
    if (consumers > 0) {
      if (waiting === 0 && this.report !== undefined) this.#sendMissing();
      return;
    }
    if (performance.now() - this.#startedAt < START_PAUSE_MS) return;
    if (!(await this.#line.isAgentThere())) return;
    const taken = await this.#taken();
    // It lives, and has lost its connections.
    if (this.report !== undefined) this.#unanswered.doubt(taken);
    this.#away = taken.map(idOf);
    if (this.#isClosed) return;
    this.#startedAt = performance.now();
    await this.#line.start(this);
  }

  /** Tasks that were sent and do not wait in the queue. */
  async #taken(): Promise<TaskRef[]> {
    const sent = [...this.#sent.values()];
    const waiting = sent.length === 0 ? new Set() : await this.#line.waiting(this.id);
    // Some may have ended meanwhile.
    return sent.filter((task) => this.#sent.has(idOf(task)) && !waiting.has(idOf(task)));
  }

  #sendMissing(): void {
    const missing = this.#unanswered.missing(this.#sent.values());
    if (missing.length === 0) return;
    this.#line.missing(this, missing.length);
    this.#sendAgain(missing.map(idOf));
  }

  #pump(): void {
    if (this.#isPumping || this.#isClosed || this.#line.session === undefined) return;
    this.#isPumping = true;
    this.#pumping = this.#sendAll(this.#line.session)
      .catch(() => {}) // The session was lost: what was not confirmed is sent by the next.
      .finally(() => {
        this.#isPumping = false;
        if (this.#queue.size > 0 && this.#line.session !== undefined) this.#pump();
      });
  }

  async #sendAll(session: Session): Promise<void> {
    if (this.#declaredIn !== session) await this.#line.inspect(this.id);
    this.#declaredIn = session;
    const window = new Window(WINDOW_TASKS, WINDOW_CHARS);
    let failed: unknown;
    while (this.#queue.size > 0 && this.#line.session === session && !this.#isClosed && failed === undefined) {
      const taken = this.#queue.take(TAKEN_AT_ONCE);
      for (const task of taken) this.#sending.add(task);
      for (const task of taken) {
        if (window.isFull) await window.room();
        this.#send(session, task, window).catch((error: unknown) => {
          failed ??= error;
        });
      }
      if (window.isFull) await window.room();
    }
    await window.empty();
    if (failed === undefined) return;
    this.#declaredIn = undefined; // The queue may be gone.
    throw failed;
  }

  async #send(session: Session, task: TaskRef, window: Window): Promise<void> {
    const { batch, index } = task;
    if (batch.stages[index] !== Stage.running) {
      this.#sending.delete(task); // It ended while it waited for room.
      return;
    }
    let text: string;
    let code: string;
    try {
      text = packedText(batch.args[index] ?? '');
      code = this.#events.functionOf(batch).code;
    } catch (error) {
      this.#sending.delete(task);
      this.#fail([task], 'NOT_SERIALIZABLE', error instanceof Error ? error.message : String(error));
      return;
    }
    const chars = text.length + code.length;
    window.enter(chars);
    try {
      await this.#line.send(session, this.id, task, code, text);
      if (batch.stages[index] !== Stage.running) return; // Its result was faster than the confirmation, or it was cancelled.
      batch.stages[index] = Stage.sent;
      this.#sent.set(idOf(task), task);
      this.#unanswered.sent();
      this.#events.moved([task]);
    } catch (error) {
      if (batch.stages[index] === Stage.running) this.#queue.giveBack([task]);
      throw error;
    } finally {
      this.#sending.delete(task);
      window.leave(chars);
    }
  }

  /** What an agent had taken when it ended. It may have run. */
  #sendAgain(ids: readonly TaskId[]): void {
    const lost = ids.map((id) => this.#sent.get(id)).filter((task) => task !== undefined);
    if (lost.length === 0) return;
    for (const task of lost) {
      this.#sent.delete(idOf(task));
      task.batch.inherited = true;
    }
    this.#queue.giveBack(lost);
    this.#events.moved(lost);
    this.#pump();
  }

  #failAll(reason: string): void {
    const tasks = [...this.#queue.drain(), ...this.#sending, ...this.#sent.values()];
    this.#sent.clear();
    this.#fail(tasks, 'ENDPOINT_START_FAILED', `The endpoint could not be started: ${reason}`);
    this.#line.purge(this.id).catch(() => {}); // What is left there is answered in vain.
  }

  #fail(tasks: readonly TaskRef[], code: string, message: string): void {
    const endings = tasks.map((task): [TaskRef, TaskEnding] => [task, failure(code, message)]);
    if (endings.length > 0) this.#events.ended(endings);
  }

  /** It has ended, wherever it is: it may also wait to be sent again, as its confirmation or its connection was lost. */
  #forget(task: TaskRef, ending?: TaskEnding): void {
    this.#queue.remove(task);
    this.#sent.delete(idOf(task));
    this.#unanswered.ended(task, ending);
  }
}
