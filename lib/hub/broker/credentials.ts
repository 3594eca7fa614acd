/** What agents and users are told of the broker: addresses with an account in them, queues and routing keys. */
import { createHmac, randomBytes } from 'node:crypto';
import type { EndpointRegistrationReply, ResultConnection } from '../../compute/service.js';
import { Accounts } from './accounts.js';
import { type Account, addressFor, brokerUrl, vhostOf } from './address.js';
import type { BrokerNames } from './names.js';
import type { BrokerOptions } from './options.js';

type QueueInfos = Omit<EndpointRegistrationReply, 'endpoint_id' | 'warnings'>;

/** Delivery mode of messages that outlive a restart of the broker. */
const PERSISTENT = 2;

export class Credentials {
  readonly #names: BrokerNames;
  readonly #publicUrl: URL;
  readonly #accounts: Accounts | undefined;
  /** Accounts that are as they should be, by name: with which password they were made. */
  readonly #made = new Map<string, string>();

  constructor(names: BrokerNames, { url, publicUrl, managementUrl }: BrokerOptions) {
    this.#names = names;
    this.#publicUrl = brokerUrl(publicUrl ?? url, publicUrl === undefined ? 'The URL of the broker' : 'publicUrl');
    const vhost = vhostOf(brokerUrl(url, 'The URL of the broker'));
    this.#accounts = managementUrl === undefined ? undefined : new Accounts(managementUrl, vhost);
  }

  /** Agents and users have accounts of their own. */
  get areSeparate(): boolean {
    return this.#accounts !== undefined;
  }

  /**
   * The queues of an agent or of a user endpoint of it.
   *
   * @param secret of the agent's registration. The password is made from it, so that it stays the same while the
   * registration lasts: what runs with it must be able to connect again.
   */
  async ofEndpoint(id: string, secret: string): Promise<QueueInfos> {
    const names = this.#names;
    const connection_url = await this.#addressOf(
      { username: names.account('agent', id), password: createHmac('sha256', secret).update(id).digest('base64url') },
      {
        read: [names.commandQueue(id), names.taskQueue(id)],
        write: [
          { exchange: names.results, key: names.resultKey(id) },
          { exchange: names.heartbeats, key: names.heartbeatKey(id) },
        ],
      },
    );
    const writing = (exchange: string, routing_key: string) => ({
      connection_url,
      exchange,
      queue: exchange,
      queue_publish_kwargs: { exchange, routing_key, mandatory: true, properties: { delivery_mode: PERSISTENT } },
    });
    return {
      command_queue_info: { connection_url, exchange: names.commands, queue: names.commandQueue(id) },
      task_queue_info: { connection_url, exchange: names.tasks, queue: names.taskQueue(id) },
      result_queue_info: writing(names.results, names.resultKey(id)),
      heartbeat_queue_info: writing(names.heartbeats, names.heartbeatKey(id)),
    };
  }

  /** Where a user takes his results. Each call gives a new password; connections that are open stay. */
  async ofUser(id: string): Promise<ResultConnection> {
    const account = { username: this.#names.account('user', id), password: randomBytes(32).toString('base64url') };
    const queue_prefix = this.#names.userPrefix(id);
    return {
      queue_prefix,
      connection_url: await this.#addressOf(account, { read: [], readPrefix: queue_prefix, write: [] }),
    };
  }

  /** Ends the connections of an agent, or a user endpoint, that has an account of its own. */
  async remove(id: string): Promise<void> {
    const name = this.#names.account('agent', id);
    this.#made.delete(name);
    await this.#accounts?.remove(name);
  }

  async #addressOf(account: Account, rights: Parameters<Accounts['put']>[1]): Promise<string> {
    if (this.#accounts === undefined) return addressFor(this.#publicUrl, undefined);
    if (this.#made.get(account.username) !== account.password) {
      await this.#accounts.put(account, rights);
      this.#made.set(account.username, account.password);
    }
    return addressFor(this.#publicUrl, account);
  }
}
