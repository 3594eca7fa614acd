/** What goes from the hub to agents: the queues they read, tasks, and commands to start user endpoints. */
import type { Channel, Options } from 'amqplib';
import { RESULT_SERIALIZERS } from '../../serialization/index.js';
import { nameOf } from '../attached-endpoint.js';
import { idOf, type TaskRef } from '../batch.js';
import type { UserEndpoint } from '../user-endpoint.js';
import type { BrokerConnection } from './connection.js';
import type { Credentials } from './credentials.js';
import { writeTask } from './messages.js';
import { type BrokerNames, COMMAND_TTL_MS, REPORT_TTL_MS } from './names.js';
import { type Session, SessionLost } from './session.js';

const COMMAND_QUEUE: Options.AssertQueue = { durable: true, messageTtl: COMMAND_TTL_MS };
const TASK_QUEUE: Options.AssertQueue = { durable: true };

export class AgentLine {
  readonly #names: BrokerNames;
  readonly #connection: BrokerConnection;
  readonly #credentials: Credentials;

  /** The broker was started since the hub was last connected, in this process or an earlier one. For its reader to reset. */
  isBrokerNew = false;

  constructor(names: BrokerNames, connection: BrokerConnection, credentials: Credentials) {
    this.#names = names;
    this.#connection = connection;
    this.#credentials = credentials;
  }

  get session(): Session | undefined {
    return this.#connection.session;
  }

  /** Makes what all agents share. */
  async prepare(session: Session): Promise<void> {
    const { commands, tasks, results, heartbeats, mark } = this.#names;
    await session
      .administer((channel) => channel.checkExchange(mark))
      .catch(() => {
        this.isBrokerNew = true;
      });
    await session.administer(async (channel) => {
      for (const exchange of [commands, tasks]) await channel.assertExchange(exchange, 'direct', { durable: true });
      for (const exchange of [results, heartbeats]) await channel.assertExchange(exchange, 'topic', { durable: true });
      await channel.assertQueue(results, { durable: true });
      await channel.bindQueue(results, results, '*.results');
      await channel.assertQueue(heartbeats, { durable: true, messageTtl: REPORT_TTL_MS });
      await channel.bindQueue(heartbeats, heartbeats, '*.heartbeats');
      await channel.assertExchange(mark, 'direct', { durable: false });
    });
  }

  /** Makes the queue of an agent's commands, and tells how many read it. */
  async inspectCommands(id: string): Promise<number> {
    return (await this.#declare(this.#names.commandQueue(id), this.#names.commands, COMMAND_QUEUE)).consumerCount;
  }

  async inspect(id: string): Promise<{ consumers: number; waiting: number }> {
    const { consumerCount, messageCount } = await this.#declare(
      this.#names.taskQueue(id),
      this.#names.tasks,
      TASK_QUEUE,
    );
    return { consumers: consumerCount, waiting: messageCount };
  }

  waiting(id: string): Promise<ReadonlySet<string>> {
    // What is not acknowledged by the end of the channel goes back to its place.
    return this.#session().administer((channel) => idsOf(channel, this.#names.taskQueue(id)));
  }

  /**
   * Takes back tasks that wait in a queue.
   *
   * @param taken is told which; once it resolves, they are gone from the queue. Where it rejects, they stay there
   * @param until then it makes do with those that it has. Unit: milliseconds of `performance.now()`
   */
  async takeBack(id: string, until: number, taken: (ids: ReadonlySet<string>) => Promise<void>): Promise<void> {
    await this.#session().administer(async (channel) => {
      const ids = await idsOf(channel, this.#names.taskQueue(id), until);
      if (ids.size === 0) return;
      await taken(ids);
      channel.ackAll();
    });
  }

  async purge(id: string): Promise<void> {
    await this.#session().administer((channel) => channel.purgeQueue(this.#names.taskQueue(id)));
  }

  send(session: Session, id: string, task: TaskRef, code: string, args: string): Promise<void> {
    const { batch } = task;
    const taskId = idOf(task);
    const { resource_specification, result_serializers, submitter } = batch.terms ?? {};
    const serializers = result_serializers ?? (submitter === undefined ? RESULT_SERIALIZERS : undefined);
    return session.publish(this.#names.tasks, this.#names.taskQueue(id), writeTask(taskId, code, args), {
      headers: {
        task_uuid: taskId,
        function_uuid: batch.functionId,
        ...(resource_specification && { resource_specification: JSON.stringify(resource_specification) }),
        ...(serializers && { result_serializers: [...serializers] }),
      },
    });
  }

  /**
   * Tells an agent to start a user endpoint; one that runs already stays.
   *
   * @param secret of the agent's registration
   */
  async start(agentId: string, secret: string, endpoint: UserEndpoint): Promise<void> {
    const { id, settings, runtime } = endpoint;
    const { command_queue_info: _, ...queues } = await this.#credentials.ofEndpoint(id, secret);
    const { user, config } = settings;
    const command = {
      command: 'cmd_start_endpoint',
      globus_username: user.username,
      globus_effective_identity: user.id,
      globus_identity_set: [{ sub: user.id, username: user.username }],
      args: [],
      kwargs: {
        name: nameOf(agentId, settings),
        user_opts: config,
        user_runtime: runtime ?? {},
        amqp_creds: { endpoint_id: id, ...queues },
      },
    };
    await this.#session().publish(
      this.#names.commands,
      this.#names.commandQueue(agentId),
      Buffer.from(JSON.stringify(command)),
      { contentType: 'application/json', timestamp: Math.round(Date.now() / 1000) },
    );
  }

  /** Whoever reads the commands of an agent is told that they are gone, again and again, and ends. */
  async removeCommands(id: string): Promise<void> {
    await this.#session().administer((channel) => channel.deleteQueue(this.#names.commandQueue(id)));
  }

  async removeTasks(id: string): Promise<void> {
    await this.#session().administer((channel) => channel.deleteQueue(this.#names.taskQueue(id)));
  }

  #session(): Session {
    const { session } = this.#connection;
    if (session === undefined) throw new SessionLost();
    return session;
  }

  #declare(queue: string, exchange: string, options: Options.AssertQueue) {
    return this.#session().administer(async (channel) => {
      const found = await channel.assertQueue(queue, options);
      await channel.bindQueue(queue, exchange, queue);
      return found;
    });
  }
}

/** Tasks that wait in a queue, each given to the channel and not acknowledged. */
async function idsOf(channel: Channel, queue: string, until = Number.POSITIVE_INFINITY): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  while (performance.now() < until) {
    const message = await channel.get(queue);
    if (message === false) break;
    ids.add(String(message.properties.headers?.task_uuid));
  }
  return ids;
}
