/** The hub on the network. */
import type { AddressInfo, Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { FuncXError } from '../../compute/errors.js';
import type { AppOptions } from './app.js';

export interface HubServerOptions extends AppOptions {
  /** Address to listen on. Beyond 127.0.0.1 put a proxy with TLS before it: the hub speaks plain HTTP. @default 127.0.0.1 */
  readonly host?: string;
  /** @default 5000, which the Python SDK takes for its environment `local` */
  readonly port?: number;
}

const PORT = 5000;

/** Open connections, of all and of one address: one peer cannot keep others out. */
const MAX_CONNECTIONS = 1024;
const MAX_CONNECTIONS_OF_ADDRESS = 512;

/** Requests that are being answered when the server closes have this long. Unit: milliseconds. */
const CLOSING_MS = 1000;

export class HubServer {
  readonly #app: FastifyInstance;
  /** For clients on this machine: `http://127.0.0.1:5000`. */
  readonly url: string;
  readonly port: number;
  #closed: Promise<void> | undefined;

  private constructor(app: FastifyInstance, { address, family, port }: AddressInfo) {
    this.#app = app;
    this.port = port;
    this.url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Serves a hub, which stays open when the server is closed. Throws `LISTEN_FAILED` when the port cannot be had. */
  static async listen(options: HubServerOptions): Promise<HubServer> {
    const { host = '127.0.0.1', port = PORT } = options;
    // Only now, so that a hub that is not served does without the web framework.
    const { createApp } = await import('./app.js');
    const app = await createApp(options);
    boundConnections(app);
    try {
      await app.listen({ host, port });
    } catch (error) {
      await app.close();
      const reason = error instanceof Error ? error.message : String(error);
      throw new FuncXError(
        'LISTEN_FAILED',
        `The hub cannot listen on ${host}:${port}: ${reason}. Choose another port.`,
      );
    }
    return new HubServer(app, app.server.address() as AddressInfo);
  }

  /** Answers what has been asked, if that takes no longer than a second, and closes all connections. */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      const timer = setTimeout(() => this.#app.server.closeAllConnections(), CLOSING_MS);
      await this.#app.close();
      clearTimeout(timer);
    })();
    return this.#closed;
  }
}

function boundConnections({ server }: FastifyInstance): void {
  const byAddress = new Map<string, number>();
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const open = byAddress.get(address) ?? 0;
    if (open >= MAX_CONNECTIONS_OF_ADDRESS) {
      socket.destroy();
      return;
    }
    byAddress.set(address, open + 1);
    socket.once('close', () => {
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left > 0) byAddress.set(address, left);
      else byAddress.delete(address);
    });
  });
}
