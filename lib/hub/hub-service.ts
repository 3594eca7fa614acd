/** A hub as others reach it: by HTTP, with a client id and secret of its owner's own. */
import type { RateLimit } from './http/rate-limit.js';
import { HubServer } from './http/server.js';
import type { Hub } from './hub.js';
import { type OwnClient, ownClient } from './own-client.js';

/** The port that the SDK's environment `local` has. Source: globus_compute_sdk/sdk/_environments.py */
export const SDK_PORT = 5000;

/** Time in which a client may send so many requests. Source: Globus Compute docs, Limits. Unit: seconds. */
const RATE_WINDOW_S = 10;

export interface HubServiceOptions {
  readonly host: string;
  readonly port: number;
  /** Folder for the file with the owner's client id and secret. */
  readonly folder: string;
  /** Requests of one client in 10 seconds; 0: any number. @default 20, as the hosted service */
  readonly rateLimit?: number | undefined;
}

export class HubService {
  readonly #server: HubServer;

  private constructor(
    server: HubServer,
    readonly client: OwnClient,
  ) {
    this.#server = server;
  }

  /** @throws FuncXError `LISTEN_FAILED` when the port cannot be had */
  static async open(hub: Hub, { host, port, folder, rateLimit }: HubServiceOptions): Promise<HubService> {
    const server = await HubServer.listen({ hub, host, port, ...(rateLimit !== undefined && limitOf(rateLimit)) });
    try {
      return new HubService(server, await ownClient(hub, folder, server.url));
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** For example `http://127.0.0.1:5000`. */
  get url(): string {
    return this.#server.url;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

function limitOf(requests: number): { readonly rateLimit: RateLimit | false } {
  return { rateLimit: requests === 0 ? false : { requests, seconds: RATE_WINDOW_S } };
}
