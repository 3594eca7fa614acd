/** A Node-RED in a child process, as the rows see it. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../places';
import type { Answer, Commands, HostSettings, Question } from './protocol';

export type { FlowNode } from './protocol';

/** Tests and benchmark run on another Node-RED when this names its package. */
const PACKAGE = process.env.NR_PKG ?? 'node-red';

/** What a command may take. Unit: milliseconds. */
const TIME_LIMIT_MS = 300_000;

export async function nodeRedVersion(): Promise<string> {
  const { version } = JSON.parse(readFileSync(require.resolve(`${PACKAGE}/package.json`), 'utf8'));
  return version;
}

export interface NodeRedOptions {
  /** The build whose nodes are used. */
  readonly dist: string;
  readonly userDir: string;
  /** It will be profiled: functions that were inlined are to be told apart. */
  readonly profiled: boolean;
}

type Waiting = { resolve(value: unknown): void; reject(error: Error): void };

export class NodeRed {
  readonly #process: ChildProcess;
  readonly #logFile: string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #asked = 0;

  private constructor(child: ChildProcess, logFile: string) {
    this.#process = child;
    this.#logFile = logFile;
    child.on('message', (answer: Answer) => this.#answered(answer));
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        for (const { reject } of this.#waiting.values()) reject(this.#ended(code, signal));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  static async start({ dist, userDir, profiled }: NodeRedOptions): Promise<NodeRed> {
    await bundle(userDir);
    install(dist, userDir);
    const settings: HostSettings = { nodeRed: PACKAGE, userDir, nodesDir: join(userDir, 'bench-nodes') };
    const logFile = join(userDir, 'node-red.log');
    const log = openSync(logFile, 'a');
    const child = fork(join(userDir, 'host.cjs'), {
      // Collecting by hand between rounds keeps the garbage of one out of the time of the next.
      execArgv: ['--expose-gc', ...(profiled ? ['--detailed-line-info'] : [])],
      serialization: 'advanced',
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    const nodeRed = new NodeRed(child, logFile);
    await nodeRed.call('start', settings);
    return nodeRed;
  }

  get isOpen(): boolean {
    return this.#process.connected;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Has Node-RED's process do something; see `commands.ts`. */
  call<Name extends keyof Commands>(
    name: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>> {
    return new Promise((resolve, reject) => {
      const id = this.#asked++;
      const late = () => reject(new Error(`${name} was not done within ${TIME_LIMIT_MS / 1000} s.\n${this.#log()}`));
      const timer = setTimeout(late, TIME_LIMIT_MS);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          settle(value);
        };
      this.#waiting.set(id, { resolve: settled(resolve as (value: unknown) => void), reject: settled(reject) });
      this.#process.send({ id, name, args } satisfies Question);
    });
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.connected) {
      // It stops Node-RED, and so the workers, when its parent lets go of it.
      this.#process.disconnect();
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), 20_000);
      await this.#exited;
      clearTimeout(timer);
    }
  }

  #answered({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(error));
  }

  #ended(code: number | null, signal: string | null): Error {
    return new Error(`Node-RED ended (${signal ?? code}).\n${this.#log()}`);
  }

  #log(): string {
    return readFileSync(this.#logFile, 'utf8').trim().split('\n').slice(-20).join('\n');
  }
}

/** The host and the bench's own nodes as JavaScript: a loader in the measured process would be measured too. */
async function bundle(folder: string): Promise<void> {
  await build({
    entryPoints: { host: join(__dirname, 'host.ts'), 'bench-nodes/bench': join(__dirname, 'nodes.ts') },
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    absWorkingDir: root,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'silent',
  });
  // Node-RED loads a file of nodes only with its dialogs beside it.
  writeFileSync(join(folder, 'bench-nodes/bench.html'), '');
}

/** Puts the package where `npm install` in the user directory would, with the build that is measured. */
function install(dist: string, userDir: string): void {
  const manifest = readFileSync(join(root, 'package.json'), 'utf8');
  const folder = join(userDir, 'node_modules', (JSON.parse(manifest) as { name: string }).name);
  if (existsSync(folder)) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), manifest);
  symlinkSync(dist, join(folder, 'dist'), 'junction');
}
