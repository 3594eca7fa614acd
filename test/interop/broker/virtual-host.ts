/** Virtual hosts of one RabbitMQ: to whoever uses them, they are brokers of their own. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';

export class VirtualHost {
  private constructor(
    readonly name: string,
    readonly url: string,
    readonly managementUrl: string | undefined,
  ) {}

  /**
   * @param broker `amqp://` URL
   * @param managementUrl of its management API; undefined: it is the one of this machine that `rabbitmqctl` administers
   */
  static async make(broker: string, managementUrl?: string): Promise<VirtualHost> {
    const url = new URL(broker);
    const name = `funcx-test-${randomUUID()}`;
    url.pathname = `/${name}`;
    const host = new VirtualHost(name, url.toString(), managementUrl);
    const user = url.username || 'guest';
    const all = { configure: '.*', write: '.*', read: '.*' };
    if (managementUrl === undefined) {
      await control('add_vhost', name);
      await control('set_permissions', '-p', name, user, ...Object.values(all));
    } else {
      await host.#request('PUT', `vhosts/${name}`, {});
      await host.#request('PUT', `permissions/${name}/${user}`, all);
    }
    return host;
  }

  /** Removes it with all that is in it, and ends the connections to it. */
  async remove(): Promise<void> {
    if (this.managementUrl === undefined) await control('delete_vhost', this.name);
    else await this.#request('DELETE', `vhosts/${this.name}`);
  }

  async #request(method: string, path: string, body?: unknown): Promise<void> {
    const { origin, username, password } = new URL(this.managementUrl ?? '');
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const response = await fetch(`${origin}/api/${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }
}

async function control(...args: string[]): Promise<void> {
  await promisify(execFile)('rabbitmqctl', ['-q', ...args]);
}
