/** A hub of its own for each group of tests, with real workers; and a bell by which Python code talks with the test. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {
  type CallArguments,
  type EndpointId,
  type FunctionId,
  FuncXClient,
  type FuncXError,
  Hub,
  type HubOptions,
  type LocalEndpointOptions,
  type TaskGroupId,
  type TaskId,
  type TaskOutcome,
  type TaskStatus,
} from '../../../dist/lib/index.js';

/** The interpreter itself: `python3` on the PATH may be a script that looks for one, which takes longer than a test. */
export const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** Python: appends a line to a file in one write, so that writers cannot mix. */
export const MARK = `
def mark(file, text):
    import os
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, (str(text) + "\\n").encode())
    os.close(fd)
`;

/** Python: rings the test's bell and gives the line, on which \`recv(1)\` waits until the test answers. */
export const RING = `
def ring(bell, text=""):
    import socket
    line = socket.socket(socket.AF_UNIX)
    line.connect(bell)
    line.sendall((str(text) + "\\n").encode())
    return line
`;

/** Rings, waits for the test's answer and returns what it was given. */
export const WAIT_FOR_ANSWER = `${RING}
def wait_for_answer(bell, text=""):
    ring(bell, text).recv(1)
    return text
`;

export class Lab {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'funcx-hub-'));
  readonly #options: Partial<LocalEndpointOptions>;
  readonly #hubs: Hub[] = [];
  readonly #bells: Bell[] = [];
  #file = this.path('hub.db');
  #hub: Hub | undefined;
  #client: FuncXClient | undefined;
  #endpoint: EndpointId | undefined;

  private constructor(options: Partial<LocalEndpointOptions>) {
    this.#options = options;
  }

  /** A hub in a folder of its own, with one endpoint of two workers and a client. */
  static async open(options: Partial<LocalEndpointOptions> = {}): Promise<Lab> {
    const lab = new Lab(options);
    await lab.reopen();
    return lab;
  }

  get hub(): Hub {
    return present(this.#hub);
  }

  get client(): FuncXClient {
    return present(this.#client);
  }

  get endpoint(): EndpointId {
    return present(this.#endpoint);
  }

  /** The hub's database. */
  get file(): string {
    return this.#file;
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  /** The lines that Python code has marked in a file. */
  marks(name: string): string[] {
    return readFileSync(this.path(name), 'utf8').split('\n').slice(0, -1);
  }

  /** As {@link marks}; none where nothing was marked yet. */
  tryMarks(name: string): string[] {
    return existsSync(this.path(name)) ? this.marks(name) : [];
  }

  /** Opens the hub on the same file, as after a restart, with the endpoint and a client. */
  async reopen(options: Partial<LocalEndpointOptions> = {}, taskGroupId?: TaskGroupId): Promise<void> {
    this.#hub = await this.openHub();
    await this.openEndpoint(options);
    this.#client = await this.openClient(taskGroupId);
  }

  /** As {@link reopen}, on another file. */
  async reopenAt(file: string): Promise<void> {
    this.#file = file;
    await this.reopen();
  }

  /** Opens the lab's endpoint, or changes its options. */
  async openEndpoint(options: Partial<LocalEndpointOptions> = {}): Promise<void> {
    const own = { name: 'lab', python: PYTHON, workers: 2, cwd: this.folder };
    this.#endpoint = await this.hub.localEndpoint({ ...own, ...this.#options, ...options });
  }

  async openHub(options: Partial<HubOptions> = {}): Promise<Hub> {
    const hub = await Hub.open({ file: this.file, ...options });
    this.#hubs.push(hub);
    return hub;
  }

  openClient(taskGroupId?: TaskGroupId): Promise<FuncXClient> {
    return FuncXClient.open({
      service: this.hub,
      endpointId: this.endpoint,
      ...(taskGroupId !== undefined && { taskGroupId }),
    });
  }

  async bell(): Promise<Bell> {
    const bell = await Bell.at(this.path(`bell${this.#bells.length}`));
    this.#bells.push(bell);
    return bell;
  }

  function(source: string, entryPoint?: string): Promise<FunctionId> {
    return this.client.registerFunction({ source, ...(entryPoint !== undefined && { entryPoint }) });
  }

  /** Runs a source's last function and tells how it ended. */
  async run(source: string, args: readonly unknown[] = [], kwargs: Record<string, unknown> = {}): Promise<TaskOutcome> {
    return outcomeOf(this.client, await this.function(source), { args, kwargs });
  }

  /** What a source's last function returns; throws the task's error. */
  async result(source: string, ...args: unknown[]): Promise<unknown> {
    const outcome = await this.run(source, args);
    if (outcome.status === 'failed') throw outcome.error;
    return outcome.result;
  }

  /** The error of a source's last function, which must fail. */
  async error(source: string, ...args: unknown[]): Promise<FuncXError> {
    const outcome = await this.run(source, args);
    if (outcome.status === 'success') throw new Error(`It did not fail, and gave ${JSON.stringify(outcome.result)}.`);
    return outcome.error;
  }

  /** @param before done when everything is closed and before the folder is removed */
  async clean(before: () => void = () => {}): Promise<void> {
    await this.#client?.close();
    await Promise.allSettled(this.#hubs.map((hub) => hub.close()));
    for (const bell of this.#bells) bell.close();
    before();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Submits one call and waits for its end. */
export function outcomeOf(client: FuncXClient, functionId: FunctionId, call: CallArguments = {}): Promise<TaskOutcome> {
  return new Promise((resolve) => client.submit({ functionId, ...call }, resolve));
}

/** Submits many calls of one function and waits for all; outcomes are in the order of the calls. */
export function outcomesOf(
  client: FuncXClient,
  functionId: FunctionId,
  calls: readonly CallArguments[],
): Promise<TaskOutcome[]> {
  return new Promise((resolve) => {
    const outcomes: TaskOutcome[] = [];
    let left = calls.length;
    client.submitBatch({ functionId, calls }, (index, outcome) => {
      outcomes[index] = outcome;
      if (--left === 0) resolve(outcomes);
    });
  });
}

/** How a task ended, whoever submitted it. */
export function endOf(client: FuncXClient, id: TaskId): Promise<TaskOutcome> {
  return new Promise((resolve) => void client.waitFor(id, resolve));
}

/** The warnings that the process is given meanwhile, which are not printed. */
export async function warningsOf(work: () => unknown): Promise<Error[]> {
  const warnings: Error[] = [];
  const others = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => warnings.push(warning));
  try {
    await work();
    await new Promise(setImmediate); // They are told in the next turn.
  } finally {
    process.removeAllListeners('warning');
    for (const other of others) process.on('warning', other);
  }
  return warnings;
}

/** The results of a task group as the hub tells them, with which to wait for one. */
export class Consumer {
  readonly told: TaskStatus[] = [];
  readonly #stream: ReturnType<Hub['results']>;
  #news: () => void = () => {};

  /** @param acknowledge says at once of every result that it was passed on */
  constructor(hub: Hub, group: TaskGroupId, acknowledge = false) {
    this.#stream = hub.results(group, (results) => {
      this.told.push(...results);
      if (acknowledge) this.ack(results.map((status) => status.task_id));
      this.#news();
    });
  }

  get ids(): TaskId[] {
    return this.told.map((status) => status.task_id);
  }

  /** Waits until so many results were told. */
  async until(count: number): Promise<void> {
    while (this.told.length < count) {
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
  }

  ack(ids: readonly TaskId[]): void {
    this.#stream.ack(ids);
  }

  close(): void {
    this.#stream.close();
  }
}

/** Somebody rang: the line stays open until they, and all who inherited it, are gone. */
export interface Visitor {
  readonly text: string;
  /** Lets the code that waits go on. */
  answer(): void;
  /** Settles when every process that holds the line has ended or has closed it. */
  readonly gone: Promise<unknown>;
}

/** A socket that Python code connects to when it has come to a place that a test waits for. */
export class Bell {
  readonly #server: net.Server;
  readonly #visitors: Visitor[] = [];
  readonly #sockets = new Set<net.Socket>();
  #news: () => void = () => {};

  private constructor(readonly path: string) {
    this.#server = net.createServer((socket) => this.#visited(socket));
  }

  static async at(file: string): Promise<Bell> {
    const bell = new Bell(file);
    bell.#server.listen(file);
    await once(bell.#server, 'listening');
    return bell;
  }

  /** The next who rings, or has rung. */
  async next(): Promise<Visitor> {
    for (;;) {
      const visitor = this.#visitors.shift();
      if (visitor !== undefined) return visitor;
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
  }

  /** Those who have rung and whom nobody has asked for. */
  get waiting(): number {
    return this.#visitors.length;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #visited(socket: net.Socket): void {
    this.#sockets.add(socket);
    const gone = once(socket, 'close');
    socket.on('error', () => {}); // Told by its close.
    socket.once('data', (data) => {
      this.#visitors.push({ text: data.toString().trimEnd(), answer: () => void socket.write('.'), gone });
      this.#news();
    });
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The lab is not open.');
  return value;
}
