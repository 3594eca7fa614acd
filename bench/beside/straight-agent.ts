/** A user endpoint of the agent that gets its tasks straight from a RabbitMQ: no hub, no web service, no manager. */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ChannelModel, connect } from 'amqplib';
import { asOrdinaryUser, handOver, OrdinaryHome } from '../../test/interop/support/ordinary-user';
import { peers } from '../../test/interop/support/peers';
import { Program } from '../../test/interop/support/program';

const NAME = 'straight';

export class StraightAgent {
  readonly #home = new OrdinaryHome();
  readonly #id = randomUUID();
  #connection: ChannelModel | undefined;
  #program: Program | undefined;

  /** @param config of the user endpoint, YAML */
  async start(amqp: string, config: string): Promise<void> {
    this.#connection = await connect(amqp, { noDelay: true });
    const channel = await this.#connection.createChannel();
    await channel.assertQueue(this.#tasks);
    const replies = ['results', 'heartbeats'].map((name) => `${this.#id}.${name}`);
    for (const name of replies) {
      await channel.assertExchange(name, 'topic');
      await channel.assertQueue(name);
      await channel.bindQueue(name, name, '#');
    }
    const [results = '', heartbeats = ''] = replies;
    const reply = (name: string) => ({
      connection_url: amqp,
      exchange: name,
      queue: name,
      queue_publish_kwargs: { exchange: name, routing_key: name, mandatory: true, properties: { delivery_mode: 2 } },
    });
    const credentials = {
      endpoint_id: this.#id,
      task_queue_info: { connection_url: amqp, exchange: 'tasks', queue: this.#tasks },
      result_queue_info: reply(results),
      heartbeat_queue_info: reply(heartbeats),
    };
    await channel.assertExchange('tasks', 'direct');
    const folder = join(this.#home.folder, '.globus_compute', NAME);
    for (const each of [join(folder, '..'), folder]) {
      mkdirSync(each, { mode: 0o700 });
      handOver(each);
    }
    this.#program = new Program('the agent', asOrdinaryUser([peers().agent, '_start-user-endpoint', NAME]), {
      cwd: this.#home.folder,
      env: this.#home.environment,
    });
    this.#program.input?.end(JSON.stringify({ amqp_creds: credentials, config, ep_info: {} }));
  }

  /**
   * Has a function run for each of some arguments.
   *
   * @param code packed function
   * @param args packed arguments of each task
   * @returns once all results are there. Unit: milliseconds
   */
  async run(code: string, args: readonly string[]): Promise<number> {
    const channel = await this.#connection?.createConfirmChannel();
    if (channel === undefined) throw new Error('The agent was not started.');
    const waiting = new Set(args.map(() => randomUUID()));
    const done = new Promise<void>((resolve) => {
      void channel.consume(`${this.#id}.results`, (message) => {
        if (message === null) return;
        const result = JSON.parse(message.content.subarray(1).toString('utf8'));
        if (result.data.error_details) throw new Error(result.data.data);
        waiting.delete(result.data.task_id);
        channel.ack(message);
        if (waiting.size === 0) resolve();
      });
    });
    await channel.prefetch(200);
    const began = performance.now();
    for (const [i, task] of [...waiting].entries()) {
      const data = { task_id: task, container_id: null, container: null, task_buffer: code + args[i] };
      channel.sendToQueue(this.#tasks, Buffer.from(`\x01${JSON.stringify({ message_type: 'task', data })}`), {
        persistent: true,
        headers: { task_uuid: task, function_uuid: this.#id, result_serializers: RESULT_SERIALIZERS },
      });
    }
    await done;
    const ms = performance.now() - began;
    await channel.close();
    return ms;
  }

  async dispose(): Promise<void> {
    await this.#program?.killAll();
    await this.#connection?.close();
    this.#home.remove();
  }

  get #tasks(): string {
    return `${this.#id}.tasks`;
  }
}

/** What our client asks for, too. */
const RESULT_SERIALIZERS = ['globus_compute_sdk.serialize.JSONData', 'globus_compute_sdk.serialize.DillDataBase64'];
