/** A RabbitMQ of our own: with its own name, ports and folder, so that it can be stopped and none of others is touched. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Program } from './program';

/** The scripts themselves: what Debian has in /usr/sbin turns into the user `rabbitmq`, who has one node. */
const SCRIPTS = '/usr/lib/rabbitmq/bin';

const run = promisify(execFile);

export class RabbitMq {
  readonly #folder = mkdtempSync(join(tmpdir(), 'funcx-rabbitmq-'));
  #environment: NodeJS.ProcessEnv = {};
  #server: Program | undefined;
  #url = '';
  #managementUrl = '';

  /** `amqp://` URL with user name and password. */
  get url(): string {
    return this.#url;
  }

  /** URL of the management API, with user name and password. */
  get managementUrl(): string {
    return this.#managementUrl;
  }

  /** @throws Error when there is no RabbitMQ to start */
  async start(): Promise<void> {
    if (this.#url === '') await this.#configure();
    this.#server = new Program('RabbitMQ', [join(SCRIPTS, 'rabbitmq-server')], { env: this.#environment });
    await this.#server.said(/completed with \d+ plugins/);
  }

  /** Ends as when its machine is switched off. */
  async kill(): Promise<void> {
    await this.#server?.killAll();
  }

  /** Stops to answer, as a machine that hangs: what is sent to it from now on is lost if it is killed then. */
  freeze(): void {
    this.#server?.freeze();
  }

  async stop(): Promise<void> {
    await this.#server?.end('SIGTERM');
  }

  /**
   * Closes connections, as a broken network does. The server stays.
   *
   * @param virtualHost those to it. @default all
   */
  async cutConnections(virtualHost?: string): Promise<void> {
    const which = virtualHost === undefined ? [] : ['--vhost', virtualHost];
    await this.#control('close_all_connections', ...which, 'cut by a test');
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #control(...args: string[]): Promise<string> {
    const { stdout } = await run(join(SCRIPTS, 'rabbitmqctl'), args, { env: { ...process.env, ...this.#environment } });
    return stdout;
  }

  async #configure(): Promise<void> {
    if (!existsSync(join(SCRIPTS, 'rabbitmq-server'))) {
      throw new Error(`There is no RabbitMQ in ${SCRIPTS}. On Debian: apt install rabbitmq-server`);
    }
    const [port, distribution, management] = await freePorts(3);
    const file = (name: string, text: string) => {
      writeFileSync(join(this.#folder, name), text);
      return join(this.#folder, name);
    };
    mkdirSync(join(this.#folder, 'data'));
    this.#environment = {
      HOME: this.#folder,
      PATH: `${SCRIPTS}:${process.env.PATH}`,
      RABBITMQ_NODENAME: `funcx${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(distribution),
      RABBITMQ_MNESIA_BASE: join(this.#folder, 'data'),
      RABBITMQ_LOG_BASE: join(this.#folder, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: file('plugins', '[rabbitmq_management].\n'),
      RABBITMQ_CONFIG_FILE: file(
        'rabbitmq.conf',
        `management.tcp.port = ${management}\nmanagement.tcp.ip = 127.0.0.1\nlog.file.level = warning\n`,
      ),
    };
    this.#url = `amqp://guest:guest@127.0.0.1:${port}`;
    this.#managementUrl = `http://guest:guest@127.0.0.1:${management}`;
  }
}

/** Ports that are free, all different: they are taken together, and then given back. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
