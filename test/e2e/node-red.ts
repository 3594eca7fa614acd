/** A Node-RED as people start it: `red.js` in a process of its own, with this package installed in its user directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FLOW_FILE, prepareUserFolder } from '../../tools/start/user-folder';
import type { Program } from './versions';

export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly [property: string]: unknown;
}

export interface NodeRedOptions {
  /** More members of the settings object. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Environment variables that it has in place of those of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Asks for the admin API's token, where there are users. */
  readonly token?: string;
}

const HOST = '127.0.0.1';

/** Node-RED has so long to end when asked to. Unit: milliseconds. */
const END_MS = 5000;

/** Those that run. This process may be ended in the middle: nothing of them is to stay. */
const running = new Set<NodeRed>();
process.on('exit', () => {
  for (const server of running) server.destroy();
});

export class NodeRed {
  readonly #userDir = mkdtempSync(join(tmpdir(), 'funcx-e2e-'));
  readonly #events = new EventEmitter<{ news: [] }>();
  #process: ChildProcess | undefined;
  #origin = '';
  #log = '';

  constructor(
    readonly program: Program,
    readonly options: NodeRedOptions = {},
  ) {}

  /** Of the editor. */
  get url(): string {
    const root = this.options.settings?.httpAdminRoot ?? '/';
    return this.#origin + String(root).replace(/\/?$/, '/');
  }

  /** What it has written on its console. */
  get log(): string {
    return this.#log;
  }

  /** Starts it, and waits until its flows run. */
  async start(): Promise<void> {
    running.add(this);
    const port = await freePort();
    this.#origin = `http://${HOST}:${port}`;
    prepareUserFolder(this.#userDir, '[]');
    writeFileSync(join(this.#userDir, 'settings.js'), `module.exports = ${this.#settings(port)};\n`);
    const { node, script } = this.program;
    const child = spawn(node, [script, '--userDir', this.#userDir], {
      cwd: this.#userDir,
      env: { ...(this.options.env ?? process.env), PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
        this.#events.emit('news');
      });
    }
    child.on('exit', () => this.#events.emit('news'));
    while (!this.#log.includes('Started flows')) {
      if (!this.#isRunning) throw new Error(`Node-RED has ended. Its log:\n${this.#log}`);
      await once(this.#events, 'news');
    }
  }

  /** Puts a flow in place of what runs. */
  async deploy(flow: readonly FlowNode[]): Promise<void> {
    const response = await this.ask('flows', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'Node-RED-Deployment-Type': 'full' },
      body: JSON.stringify(flow),
    });
    if (!response.ok) throw new Error(`The flow was not deployed: ${response.status} ${await response.text()}`);
  }

  /** What is deployed. */
  async flow(): Promise<FlowNode[]> {
    return (await (await this.ask('flows')).json()) as FlowNode[];
  }

  /** Asks the admin API. @param path relative to the editor's root */
  async ask(path: string, options: RequestInit = {}): Promise<Response> {
    const { token } = this.options;
    const headers = { ...options.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    return fetch(this.url + path, { ...options, headers });
  }

  /** Ends it, and removes its user directory. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child !== undefined && this.#isRunning) {
      const ended = once(child, 'exit');
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
      child.kill();
      await ended;
      clearTimeout(timer);
    }
    this.destroy();
  }

  /** Leaves nothing of it, at once. */
  destroy(): void {
    running.delete(this);
    if (this.#isRunning) this.#process?.kill('SIGKILL');
    rmSync(this.#userDir, { recursive: true, force: true, maxRetries: 3 });
  }

  get #isRunning(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null;
  }

  #settings(port: number): string {
    const settings = {
      uiHost: HOST,
      uiPort: port,
      flowFile: FLOW_FILE,
      credentialSecret: 'e2e',
      telemetry: { enabled: false, updateNotification: false },
      externalModules: { autoInstall: false },
      editorTheme: { tours: false, projects: { enabled: false }, palette: { catalogues: [] } },
      ...this.options.settings,
    };
    return JSON.stringify(settings);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
