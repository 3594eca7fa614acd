/** The hub as people start it: `node-red-funcx hub` in a process of its own, on the one port that the SDK knows as `local`. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import manifest from '../../../package.json';
import { Program } from './program';
import type { SdkEnvironment } from './sdk';

/** The SDK's environment `local` is this port and no other. Source: globus_compute_sdk/sdk/_environments.py */
export const SDK_PORT = 5000;

const root = join(__dirname, '../../..');

/** What `--json` prints. */
export interface HubReport {
  readonly url: string;
  /** The local pool; null with `--workers 0`. */
  readonly endpoint: string | null;
  readonly environment: SdkEnvironment;
}

export interface HubSettings {
  readonly amqp?: string;
  readonly management?: string;
  readonly python?: string;
  readonly workers?: number;
  /** The build that is run. @default that of this checkout */
  readonly dist?: string;
  /** Requests of a client in 10 s; 0: any number. */
  readonly rateLimit?: number;
  /** Names of more users. */
  readonly issue?: readonly string[];
}

export class RunningHub {
  /** Of the last start. */
  report: HubReport = { url: '', endpoint: null, environment: {} };
  readonly #data = mkdtempSync(join(tmpdir(), 'funcx-hub-'));
  #program: Program | undefined;

  constructor(readonly settings: HubSettings) {}

  get output(): string {
    return this.#program?.output ?? '';
  }

  /** The id of the local pool. */
  get pool(): string {
    if (this.report.endpoint === null) throw new Error('This hub has no local pool.');
    return this.report.endpoint;
  }

  /** Starts it, the first time or again with what it held. */
  async start(): Promise<HubReport> {
    await portIsFree(SDK_PORT);
    const command = join(this.settings.dist ?? join(root, 'dist'), relative('dist', manifest.bin['node-red-funcx']));
    this.#program = new Program('the hub', [process.execPath, command, 'hub', '--json', ...this.#options()], {
      // Functions may write files where they run.
      cwd: this.#data,
      env: { FUNCX_HUB_AMQP: this.settings.amqp, FUNCX_HUB_MANAGEMENT: this.settings.management },
    });
    const [line] = await this.#program.said(/^\{"url":.*\}$/m);
    this.report = JSON.parse(line) as HubReport;
    return this.report;
  }

  /** Issues a client id and secret for another user. The hub is started again for it. */
  async issue(name: string): Promise<SdkEnvironment> {
    await this.stop();
    this.#more = ['--issue', name];
    await this.start();
    this.#more = [];
    const [, id = '', secret = ''] =
      (await this.#program?.said(/^\{"issued":.*"id":"(.*?)","secret":"(.*?)"\}$/m)) ?? [];
    return { ...this.report.environment, GLOBUS_COMPUTE_CLIENT_ID: id, GLOBUS_COMPUTE_CLIENT_SECRET: secret };
  }
  #more: readonly string[] = [];

  /** Ends as when its machine is switched off. */
  async kill(): Promise<void> {
    await this.#program?.killAll();
  }

  /** @returns how it ended */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string | null | undefined> {
    return this.#program?.end(signal);
  }

  async dispose(): Promise<void> {
    if (this.#program?.isRunning) await this.stop();
    rmSync(this.#data, { recursive: true, force: true, maxRetries: 5 });
  }

  #options(): string[] {
    const { python, workers, rateLimit } = this.settings;
    const options = ['--data', this.#data, '--port', String(SDK_PORT), '--rate-limit', String(rateLimit ?? 0)];
    if (python !== undefined) options.push('--python', python);
    if (workers !== undefined) options.push('--workers', String(workers));
    return [...options, ...this.#more];
  }
}

/** What a hub's file `client.sh` sets. */
export function environmentIn(file: string): SdkEnvironment {
  const lines = readFileSync(file, 'utf8').matchAll(/^export (\w+)=(.*)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}

/** @throws Error when something listens there already */
async function portIsFree(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once('error', () =>
      reject(new Error(`Port ${port} is taken. The SDK knows a hub on this machine by that port alone: free it.`)),
    );
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
  });
}
