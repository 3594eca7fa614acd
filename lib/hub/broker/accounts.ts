/**
 * Accounts at the broker, one for each agent and user, each limited to its own queues: made by RabbitMQ's management API.
 * Source of what each operation needs: RabbitMQ, "Access control", "How authorisation works".
 */
import { InputError, ServiceError } from '../../compute/errors.js';
import type { Account } from './address.js';

/** Longest time for one request. Unit: milliseconds. */
const REQUEST_MS = 10_000;

/** Names that an account may use, each compared as a whole. */
export interface Rights {
  /** Queues that it may read. */
  readonly read: readonly string[];
  /** Queues that it may read, by the beginning of their name. */
  readonly readPrefix?: string;
  /** Exchanges that it may publish to, and the only routing key that it may use there. */
  readonly write: readonly { readonly exchange: string; readonly key: string }[];
}

export class Accounts {
  readonly #url: URL;
  readonly #vhost: string;

  constructor(managementUrl: string, vhost: string) {
    try {
      this.#url = new URL(managementUrl);
    } catch {
      throw new InputError('managementUrl is not a URL; expected http://user:password@host:15672.');
    }
    this.#vhost = encodeURIComponent(vhost);
  }

  /** Makes the account, or gives it another password and these rights. Throws BROKER_NOT_AVAILABLE. */
  async put({ username, password }: Account, rights: Rights): Promise<void> {
    const name = encodeURIComponent(username);
    await this.#request('PUT', `users/${name}`, { password, tags: '' });
    const prefixed = rights.readPrefix === undefined ? [] : [`${literal(rights.readPrefix)}.*`];
    await this.#request('PUT', `permissions/${this.#vhost}/${name}`, {
      configure: '^$',
      read: pattern([...rights.read.map(literal), ...prefixed]),
      write: pattern(rights.write.map(({ exchange }) => literal(exchange))),
    });
    for (const { exchange, key } of rights.write) {
      const topic = { exchange, write: pattern([literal(key)]), read: '^$' };
      await this.#request('PUT', `topic-permissions/${this.#vhost}/${name}`, topic);
    }
  }

  /** Removes an account, which ends its connections. */
  async remove(username: string): Promise<void> {
    await this.#request('DELETE', `users/${encodeURIComponent(username)}`);
  }

  async #request(method: string, path: string, body?: unknown): Promise<void> {
    const { username, password } = this.#url;
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    let response: Response;
    try {
      response = await fetch(new URL(`/api/${path}`, this.#url.origin), {
        method,
        headers: {
          authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
          'content-type': 'application/json',
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_MS),
      });
    } catch (error) {
      throw notAvailable(error instanceof Error ? error.message : String(error));
    }
    await response.arrayBuffer();
    if (!response.ok && !(method === 'DELETE' && response.status === 404)) {
      throw notAvailable(`it answered ${response.status}`);
    }
  }
}

function notAvailable(reason: string): ServiceError {
  return new ServiceError('BROKER_NOT_AVAILABLE', 503, `The broker's management API could not be used: ${reason}.`, []);
}

function pattern(alternatives: readonly string[]): string {
  return alternatives.length === 0 ? '^$' : `^(${alternatives.join('|')})$`;
}

function literal(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
