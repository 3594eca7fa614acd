/** A Node-RED of its own, as people start it: `red.js` in a child process, with this package in its user directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FlowNode } from './flow';
import { NODE_RED, root } from './runtime';

export interface NodeRedOptions {
  /** @default the flow that was there when it ended */
  readonly flow?: readonly FlowNode[];
  /** JavaScript of more members of the settings object. */
  readonly settings?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Largest file that it may write. Unit: blocks of 512 bytes. */
  readonly fileLimit?: number;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export class NodeRed {
  readonly userDir = mkdtempSync(join(tmpdir(), 'funcx-node-red-'));
  url = '';
  log = '';
  readonly #events = new EventEmitter<{ news: [] }>();
  #process: ChildProcess | undefined;

  /** Starts it, and waits until its flows have started. It can be started again after it has ended. */
  async start({ flow, settings = '', env, fileLimit }: NodeRedOptions): Promise<void> {
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    this.#write(flow, settings, port);
    const command = [process.execPath, join(root, 'node_modules', NODE_RED, 'red.js'), '-u', this.userDir];
    const [file = '', ...args] =
      fileLimit === undefined ? command : ['sh', '-c', `ulimit -f ${fileLimit}; exec "$@"`, 'sh', ...command];
    const child = spawn(file, args, {
      cwd: this.userDir,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
        this.#events.emit('news');
      });
    }
    child.on('exit', () => this.#events.emit('news'));
    await this.logged(/Started flows/);
  }

  /** Waits for something in the log. */
  async logged(text: RegExp): Promise<void> {
    while (!text.test(this.log)) {
      if (!this.isRunning) throw new Error(`Node-RED has ended. Its log: ${this.log}`);
      await once(this.#events, 'news');
    }
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Sends a signal, and waits for the end. @returns the exit code or the signal that ended it, and how long it took in ms */
  async end(signal: NodeJS.Signals): Promise<{ how: number | string | null | undefined; ms: number }> {
    const child = this.#process;
    const began = performance.now();
    child?.kill(signal);
    while (this.isRunning) await once(this.#events, 'news');
    this.log = '';
    return { how: child?.exitCode ?? child?.signalCode, ms: performance.now() - began };
  }

  /** Sends JSON, to a flow or to the admin API. */
  async ask(
    path: string,
    { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const response = await fetch(
      this.url + path,
      body === undefined
        ? { headers }
        : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } },
    );
    const text = await response.text();
    try {
      return { status: response.status, body: JSON.parse(text) };
    } catch {
      return { status: response.status, body: text };
    }
  }

  async dispose(): Promise<void> {
    if (this.isRunning) await this.end('SIGKILL');
    rmSync(this.userDir, { recursive: true, force: true });
  }

  #write(flow: readonly FlowNode[] | undefined, settings: string, port: number): void {
    const scope = join(this.userDir, 'node_modules/@funcx');
    mkdirSync(scope, { recursive: true });
    try {
      symlinkSync(root, join(scope, 'node-red-funcx'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    writeFileSync(join(this.userDir, 'package.json'), '{"name":"user","dependencies":{"@funcx/node-red-funcx":"*"}}');
    if (flow !== undefined) writeFileSync(join(this.userDir, 'flows.json'), JSON.stringify(flow));
    writeFileSync(
      join(this.userDir, 'settings.js'),
      `module.exports = { uiHost: '127.0.0.1', uiPort: ${port}, flowFile: 'flows.json', credentialSecret: 'test',
         telemetry: { enabled: false, updateNotification: false }, externalModules: { autoInstall: false }, ${settings} };`,
    );
  }
}

/** A port of this machine that is free. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
