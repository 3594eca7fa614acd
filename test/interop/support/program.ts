/** A program in a process of its own: what it says is kept, and can be waited for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A program gets so long to end when asked, before it is made to. Unit: milliseconds. */
const END_LIMIT_MS = 20_000;

/** Those that run. None may outlive the tests. */
const running = new Set<Program>();
process.on('exit', () => {
  for (const program of running) killTree(program.pid);
});

export class Program {
  /** Standard output and standard error, in the order in which they came. */
  output = '';
  readonly #process: ChildProcess;
  readonly #events = new EventEmitter<{ news: [] }>();

  constructor(
    readonly name: string,
    command: readonly string[],
    { cwd, env }: ProgramOptions = {},
  ) {
    const [file = '', ...args] = command;
    // A process group of its own: an agent that ends signals its whole group.
    this.#process = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe', detached: true });
    running.add(this);
    this.#events.setMaxListeners(0);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#events.emit('news');
      });
    }
    this.#process.stdin?.on('error', () => {}); // It has ended; how is told by whoever waits for it.
    this.#process.on('error', (error) => {
      this.output += `${error.message}\n`;
      this.#events.emit('news');
    });
    this.#process.on('exit', () => {
      running.delete(this);
      this.#events.emit('news');
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get input(): Writable | null {
    return this.#process.stdin;
  }

  get isRunning(): boolean {
    return this.pid !== 0 && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** How it ended: its exit code, or the signal. */
  get ending(): number | string | null {
    return this.#process.exitCode ?? this.#process.signalCode;
  }

  /** Waits for something in the output. @throws Error when the program ends without having said it */
  async said(text: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = text.exec(this.output);
      if (found !== null) return found;
      if (!this.isRunning) throw new Error(`${this.name} has ended (${this.ending}). It said:\n${this.output}`);
      await once(this.#events, 'news');
    }
  }

  /** Waits for the end. @returns the exit code or the signal */
  async ended(): Promise<number | string | null> {
    while (this.isRunning) await once(this.#events, 'news');
    return this.ending;
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<number | string | null> {
    this.#process.kill(signal);
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), END_LIMIT_MS);
    try {
      return await this.ended();
    } finally {
      clearTimeout(timer);
    }
  }

  /** Stops it and all that it has started, without ending them. */
  freeze(): void {
    for (const each of [this.pid, ...descendantsOf(this.pid)]) signal(each, 'SIGSTOP');
  }

  /** Kills it and all that it has started, at once. */
  async killAll(): Promise<void> {
    if (this.isRunning) killTree(this.pid);
    await this.ended();
  }
}

function killTree(pid: number): void {
  // Stopped first, so that it starts nothing between the look and the end.
  signal(pid, 'SIGSTOP');
  for (const each of descendantsOf(pid)) signal(each, 'SIGKILL');
  signal(pid, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** Process ids of all that a process has started, at any depth. */
export function descendantsOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(name);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [...(children.get(pid) ?? [])];
  for (const each of found) found.push(...(children.get(each) ?? []));
  return found;
}

function parentOf(pid: string): number | undefined {
  try {
    // The name of the command, in brackets, may hold anything; what follows it does not.
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '');
    return Number(afterName.trim().split(' ')[1]);
  } catch {
    return undefined; // It has ended meanwhile.
  }
}
