/** One `python3 worker.py`: starting it, sending tasks, hearing how they ended, and what it had done when it died. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { FuncXError, InputError } from '../../compute/errors.js';
import type { TaskId } from '../../compute/ids.js';
import { MAX_OUTPUT_BYTES, MAX_RESULT_CHARS } from '../../compute/limits.js';
import type { PackedArguments, TaskDetails } from '../../compute/service.js';
import { Deferred } from '../../deferred.js';
import { idOf, type TaskRef } from '../batch.js';
import { describeExit, notStartable } from './departure.js';
import { FrameKind, jsonFrame, RecordKind, RecordReader, taskFrames, type WorkerRecord } from './frames.js';
import { type Activity, Recorder } from './recorder.js';
import type { Recordings } from './recordings.js';

const WORKER_SCRIPT = path.join(__dirname, 'worker.py');

/** An interpreter that has said nothing by then is taken as broken. Unit: milliseconds. */
const START_TIMEOUT_MS = 30_000;

/** Reading what a dead worker has written ends when nothing has come for this long. Unit: milliseconds. */
const LAST_WORDS_MS = 300;

/** A worker one of whose streams was closed ends by itself, or has not noticed after this long. Unit: milliseconds. */
const MUTE_MS = 1000;

/** How a worker process is started. */
export interface WorkerOptions {
  /** Executable of the interpreter. */
  readonly python: string;
  /** Working folder of user code. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Limit of the address space (RLIMIT_AS). Unit: bytes. */
  readonly memoryBytes: number | undefined;
  /** Where it is recorded what the worker does. */
  readonly recordings: Recordings;
}

/** A function as a worker knows it: a small number, sent once with the code. */
export interface LoadableFunction {
  readonly key: number;
  /** Packed code, as registered. */
  readonly code: string;
  /** Import paths of strategies, in order of preference, for its results as text alone. @default as the worker likes */
  readonly serializers?: readonly string[];
}

export interface WorkerEvents {
  /** Tasks ended; called once for each group of records that arrived together. */
  ended(worker: WorkerProcess, ends: readonly TaskEnd[]): void;
  /** The process is gone. */
  died(worker: WorkerProcess, death: WorkerDeath): void;
}

export interface TaskEnd {
  readonly seq: number;
  readonly task: TaskRef;
  readonly record: WorkerRecord;
}

export interface WorkerDeath {
  readonly reason: string;
  /** What the task that was running had printed; its end if it is long. */
  readonly output: string;
  /** Tasks that had begun and whose end is not known: the one that was running, if any. */
  readonly begun: readonly TaskRef[];
  /** Tasks that had not begun. */
  readonly waiting: SentTasks;
}

/** Tasks that a worker was sent, with their sequence numbers in it. */
export type SentTasks = readonly (readonly [seq: number, task: TaskRef])[];

export class WorkerProcess {
  /** What the worker says of itself; empty until it has started. */
  details: TaskDetails = {};
  /** Ended tasks so far. */
  ended = 0;
  readonly outstanding = new Map<number, TaskRef>();
  readonly #process: ChildProcess;
  /** Frames to the worker. */
  readonly #inlet: Socket;
  /** Records from the worker. */
  readonly #outlet: Socket;
  readonly #recorder: Recorder;
  readonly #events: WorkerEvents;
  readonly #reader = new RecordReader();
  readonly #known = new Set<number>();
  readonly #started = new Deferred<void>();
  readonly #ended = new Deferred<void>();
  /** When the first of the streams was closed. Unit: milliseconds of `performance.now()`. */
  #closedAt = Number.POSITIVE_INFINITY;
  #isReady = false;
  #nextSeq = 0;
  #gone = false;
  #reaped = false;
  #killReason: string | undefined;

  constructor(options: WorkerOptions, events: WorkerEvents) {
    this.#events = events;
    if (!fs.existsSync(options.cwd)) {
      throw new InputError(
        `The working folder ${options.cwd} does not exist. Create it, or choose another in the client.`,
      );
    }
    this.#recorder = new Recorder(options.recordings);
    const output = this.#recorder.outputFd;
    this.#process = spawn(options.python, [WORKER_SCRIPT], {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', output, output, 'pipe', 'pipe', this.#recorder.fd],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    this.#inlet = this.#process.stdio[3] as Socket;
    this.#outlet = this.#process.stdio[4] as Socket;
    this.#listen(options);
    this.#write(
      jsonFrame(FrameKind.configure, {
        max_result_chars: MAX_RESULT_CHARS,
        max_output_bytes: MAX_OUTPUT_BYTES,
        memory_bytes: options.memoryBytes,
      }),
    );
  }

  /** Settles when the worker has said hello, or could not be started. */
  get ready(): Promise<void> {
    return this.#started.promise;
  }

  /** Settles when the process is gone and its last words are read. */
  get gone(): Promise<void> {
    return this.#ended.promise;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get alive(): boolean {
    return !this.#gone;
  }

  get isReady(): boolean {
    return this.#isReady && !this.#gone;
  }

  /** True when user code has closed the worker's side of a stream: it hears or says nothing, and does not end. */
  get isMute(): boolean {
    return performance.now() - this.#closedAt > MUTE_MS;
  }

  /** How many tasks it may be sent before the disk has caught up. */
  get room(): number {
    return this.#recorder.room;
  }

  /** Hands over tasks of one function, in order. */
  send(fn: LoadableFunction, tasks: readonly TaskRef[]): void {
    if (!this.#known.has(fn.key)) {
      this.#known.add(fn.key);
      this.#write(jsonFrame(FrameKind.function, fn));
    }
    const first = this.#nextSeq;
    this.#nextSeq += tasks.length;
    const ids: TaskId[] = [];
    const args: PackedArguments[] = [];
    for (const task of tasks) {
      this.outstanding.set(first + ids.length, task);
      ids.push(idOf(task));
      args.push(task.batch.args[task.index] ?? '');
    }
    this.#recorder.sends(first, ids);
    const frames = taskFrames(fn.key, first, ids, args);
    if (frames.length === 1) this.#write(frames[0] as Buffer);
    else {
      this.#inlet.cork();
      for (const frame of frames) this.#write(frame);
      this.#inlet.uncork();
    }
  }

  /** Lets the worker drop a function that is no longer used. */
  forget(key: number): void {
    if (this.#known.delete(key)) this.#write(jsonFrame(FrameKind.forget, key));
  }

  activity(): Activity {
    return this.#recorder.activity();
  }

  /** Takes results that wait in the recorder while a long task runs. */
  takeGathered(): void {
    const ends: TaskEnd[] = [];
    this.#recorder.gathered((record) => this.#take(record, ends));
    if (ends.length > 0) this.#events.ended(this, ends);
  }

  /** Keeps a task that floods its output from filling memory; to be called again and again. */
  boundOutput(): void {
    this.#recorder.boundOutput();
  }

  /** Takes back the tasks that have not begun, by their sequence numbers; the worker will not begin them. */
  takeBack(): SentTasks {
    const back: [number, TaskRef][] = [];
    const first = this.#recorder.stop(this.#nextSeq);
    for (const [seq, task] of this.outstanding) {
      if (seq < first) continue;
      this.outstanding.delete(seq);
      this.#recorder.takenBack(seq);
      back.push([seq, task]);
    }
    return back;
  }

  /** What was taken back, or was given back when the worker died, has ended or was sent to another. */
  movedOn(seq: number): void {
    this.#recorder.movedOn(seq);
  }

  /** Ends the process and everything it started, at once. */
  kill(reason: string): void {
    this.#killReason ??= reason;
    const pid = this.#process.pid;
    // Once it was reaped, its number may be another's.
    if (pid === undefined || this.#reaped) return;
    try {
      if (process.platform === 'win32') this.#process.kill('SIGKILL');
      else process.kill(-pid, 'SIGKILL');
    } catch {
      this.#process.kill('SIGKILL');
    }
  }

  #write(frame: Buffer): void {
    if (!this.#inlet.destroyed) this.#inlet.write(frame);
  }

  #listen(options: WorkerOptions): void {
    const timer = setTimeout(
      () => this.kill(`It did not start within ${START_TIMEOUT_MS / 1000} s.`),
      START_TIMEOUT_MS,
    );
    this.ready.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    );
    this.#outlet.on('data', (chunk: Buffer) => this.#receive(chunk));
    for (const stream of [this.#inlet, this.#outlet]) {
      stream.on('error', () => {}); // A broken pipe is told by the process's end.
      stream.once('close', () => {
        this.#closedAt = Math.min(this.#closedAt, performance.now());
      });
    }
    this.#process.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#process.pid !== undefined) return;
      this.#gone = true;
      this.#recorder.close();
      this.#inlet.destroy();
      this.#outlet.destroy();
      this.#started.reject(notStartable(options.python, error));
      this.#ended.resolve();
    });
    this.#process.on('exit', (code, signal) => {
      this.kill('ended'); // What it has started.
      this.#reaped = true;
      this.#inlet.destroy();
      const finish = () => this.#finish(code, signal);
      if (this.#outlet.closed) finish();
      else this.#outlet.once('close', finish);
      this.#endStreamWhenSilent();
    });
  }

  /** Somebody who has inherited the dead worker's side may keep the stream open for ever. */
  #endStreamWhenSilent(): void {
    const { bytesRead } = this.#outlet;
    // After the pause a turn for reading: this process may have been busy with something else all the time.
    const look = () =>
      setImmediate(() => {
        if (this.#outlet.bytesRead === bytesRead) this.#outlet.destroy();
        else this.#endStreamWhenSilent();
      });
    const timer = setTimeout(look, LAST_WORDS_MS);
    this.#outlet.once('close', () => clearTimeout(timer));
  }

  #receive(chunk: Buffer): void {
    const ends: TaskEnd[] = [];
    try {
      this.#reader.push(chunk, (record) => this.#take(record, ends));
    } catch {
      this.#outlet.removeAllListeners('data');
      this.kill('It was stopped because something else than its results came from it: user code wrote to file 4.');
    }
    if (ends.length > 0) this.#events.ended(this, ends);
  }

  #take(record: WorkerRecord, ends: TaskEnd[]): void {
    if (record.kind === RecordKind.hello) {
      const { os, python_version, dill_version } = JSON.parse(record.body) as TaskDetails;
      this.details = {
        ...(os && { os }),
        ...(python_version && { python_version }),
        ...(dill_version && { dill_version }),
      };
      this.#isReady = true;
      this.#started.resolve();
      return;
    }
    const task = this.outstanding.get(record.seq);
    if (task === undefined) return; // It was taken back, or seen in the recorder before.
    this.outstanding.delete(record.seq);
    if (record.kind === RecordKind.returned) this.#recorder.takenBack(record.seq);
    else this.ended++;
    ends.push({ seq: record.seq, task, record });
  }

  #finish(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#gone) return;
    const ends: TaskEnd[] = [];
    const next = this.#recorder.next();
    try {
      this.#recorder.gathered((record) => this.#take(record, ends));
    } catch {
      // A crash may have left anything there; what was read before that is good.
    }
    const output = this.#recorder.lastOutput();
    this.#gone = true;
    if (ends.length > 0) this.#events.ended(this, ends);
    const how = this.#killReason && this.#killReason !== 'ended' ? this.#killReason : describeExit(code, signal);
    const reason = output === '' ? how : `${how} Its last output: ${output}`;
    if (!this.#isReady) {
      this.#started.reject(new FuncXError('WORKER_LOST', `A worker process could not be started. ${reason}`));
    }
    const begun: TaskRef[] = [];
    const waiting: [number, TaskRef][] = [];
    for (const [seq, task] of this.outstanding) {
      if (seq < next) begun.push(task);
      else waiting.push([seq, task]);
    }
    this.outstanding.clear();
    this.#ended.resolve();
    this.#events.died(this, { reason, output, begun, waiting });
    this.#recorder.close();
  }
}
