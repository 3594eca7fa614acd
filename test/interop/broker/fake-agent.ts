/**
 * An agent that follows the contract and runs nothing: a test decides what becomes of each task.
 * Source of its behaviour: globus-compute-endpoint 4.15, `endpoint_manager.py` and `interchange.py`.
 */
import { type Channel, type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import type { EndpointRegistrationReply } from '../../../dist/lib/index.js';

type QueueInfos = Pick<EndpointRegistrationReply, 'task_queue_info' | 'result_queue_info' | 'heartbeat_queue_info'>;
type WriteInfo = EndpointRegistrationReply['result_queue_info'];

export interface StartCommand {
  readonly command: string;
  readonly globus_username: string;
  readonly globus_effective_identity: string;
  readonly globus_identity_set: readonly { readonly sub: string }[];
  readonly kwargs: {
    readonly name: string;
    readonly user_opts: Record<string, unknown>;
    readonly user_runtime: Record<string, unknown>;
    readonly amqp_creds: QueueInfos & { readonly endpoint_id: string };
  };
  readonly timestamp: number;
}

export interface AgentTask {
  readonly id: string;
  readonly functionId: string;
  readonly buffer: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Processes that were started: each is another. */
let incarnations = 0;

/** What is published in place of a result; `undefined`: nothing. */
export type Answer = Buffer | undefined | readonly Buffer[];

export function message(messageType: string, data: unknown): Buffer {
  return Buffer.concat([Buffer.from([1]), Buffer.from(JSON.stringify({ message_type: messageType, data }))]);
}

export function resultOf(task: AgentTask, data: string, more: Record<string, unknown> = {}): Buffer {
  return message('result', {
    task_id: task.id,
    data,
    details: { os: 'Linux', python_version: '3.11.2', dill_version: '0.3.9', globus_compute_sdk_version: '4.15.0' },
    error_details: null,
    task_statuses: [
      { timestamp: 1_795_360_997_535_331_000, state: 'execution-start', actor: 'worker' },
      { timestamp: 1_795_360_997_539_428_000, state: 'execution-end', actor: 'worker' },
    ],
    ...more,
  });
}

/** Answers a task with its own id. */
export function echo(task: AgentTask): Answer {
  return resultOf(task, `11\n${JSON.stringify(task.id)}`);
}

class Line {
  private constructor(
    readonly model: ChannelModel,
    readonly channel: ConfirmChannel,
  ) {
    model.on('error', () => {});
    channel.on('error', () => {});
  }

  static async open(url: string): Promise<Line> {
    const model = await connect(url);
    return new Line(model, await model.createConfirmChannel());
  }

  /** As the agent's publisher: what it writes to must be there. */
  async check({ exchange, queue }: WriteInfo): Promise<void> {
    await this.channel.checkExchange(exchange);
    await this.channel.checkQueue(queue);
  }

  publish({ queue_publish_kwargs: { exchange, routing_key } }: WriteInfo, content: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const options = { mandatory: true, deliveryMode: 2 };
      this.channel.publish(exchange, routing_key, content, options, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Ends without a word, as by `kill -9`. */
  cut(): void {
    (this.model.connection as unknown as { stream: { destroy(): void } }).stream.destroy();
  }
}

export class FakeUserEndpoint {
  readonly tasks: AgentTask[] = [];
  #line: Line | undefined;
  #news: () => void = () => {};

  constructor(
    readonly id: string,
    readonly infos: QueueInfos,
    readonly answer: (task: AgentTask, endpoint: FakeUserEndpoint) => Answer | Promise<Answer>,
    readonly incarnation: number,
  ) {}

  async start(): Promise<void> {
    const { task_queue_info, result_queue_info, heartbeat_queue_info } = this.infos;
    this.#line = await Line.open(task_queue_info.connection_url);
    await this.#line.check(result_queue_info);
    await this.#line.check(heartbeat_queue_info);
    const { channel } = this.#line;
    await channel.consume(task_queue_info.queue, (delivery) => void this.#take(channel, delivery), { exclusive: true });
    await this.report();
  }

  async report(state: Record<string, unknown> = {}): Promise<void> {
    const global_state = {
      total_workers: 2,
      idle_workers: 2,
      pending_tasks: 0,
      outstanding_tasks: 0,
      heartbeat_period: 30,
      active: true,
      start_unix: this.incarnation,
      posix_pid: 1,
      ...state,
    };
    await this.publishReport(message('ep_status_report', { endpoint_id: this.id, global_state, task_statuses: {} }));
  }

  publishReport(content: Buffer): Promise<void> {
    return this.line.publish(this.infos.heartbeat_queue_info, content);
  }

  publish(content: Buffer): Promise<void> {
    return this.line.publish(this.infos.result_queue_info, content);
  }

  /** Waits until it has taken so many tasks. */
  async taken(count: number): Promise<void> {
    while (this.tasks.length < count) {
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
  }

  get line(): Line {
    if (this.#line === undefined) throw new Error('The user endpoint was not started.');
    return this.#line;
  }

  kill(): void {
    this.#line?.cut();
  }

  async #take(channel: Channel, delivery: ConsumeMessage | null): Promise<void> {
    if (delivery === null) return;
    const { headers = {} } = delivery.properties;
    const { data } = JSON.parse(delivery.content.toString('utf8', 1));
    const task = { id: headers.task_uuid, functionId: headers.function_uuid, buffer: data.task_buffer, headers };
    channel.ack(delivery);
    this.tasks.push(task);
    this.#news();
    const answers = await this.answer(task, this);
    for (const content of answers === undefined ? [] : [answers].flat()) {
      await this.publish(content as Buffer).catch(() => {}); // It was killed.
    }
  }
}

export class FakeAgent {
  readonly started: FakeUserEndpoint[] = [];
  readonly commands: StartCommand[] = [];
  /** What a start becomes: a process, or the reason why there is none. */
  refuse: string | undefined;
  #line: Line | undefined;
  #news: () => void = () => {};

  constructor(
    readonly registration: EndpointRegistrationReply,
    readonly answer: (task: AgentTask, endpoint: FakeUserEndpoint) => Answer | Promise<Answer> = echo,
  ) {}

  async start(): Promise<this> {
    const { command_queue_info, heartbeat_queue_info } = this.registration;
    this.#line = await Line.open(command_queue_info.connection_url);
    const { channel } = this.#line;
    await this.#line.check(heartbeat_queue_info);
    await channel.consume(command_queue_info.queue, (delivery) => void this.#command(channel, delivery));
    await this.report();
    return this;
  }

  async report(state: Record<string, unknown> = {}): Promise<void> {
    const global_state = { heartbeat_period: 30, ...state };
    const data = { endpoint_id: this.registration.endpoint_id, global_state, task_statuses: {} };
    await this.line.publish(this.registration.heartbeat_queue_info, message('ep_status_report', data));
  }

  get line(): Line {
    if (this.#line === undefined) throw new Error('The agent was not started.');
    return this.#line;
  }

  /** Waits until so many user endpoints were started. */
  async until(count: number): Promise<FakeUserEndpoint> {
    while (this.started.length < count) {
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
    return this.started[count - 1] as FakeUserEndpoint;
  }

  async commanded(count: number): Promise<StartCommand> {
    while (this.commands.length < count) {
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
    return this.commands[count - 1] as StartCommand;
  }

  /** Ends without a word, with all that it has started. */
  kill(): void {
    for (const endpoint of this.started) endpoint.kill();
    this.#line?.cut();
  }

  async #command(channel: Channel, delivery: ConsumeMessage | null): Promise<void> {
    if (delivery === null) return;
    channel.ack(delivery);
    const command: StartCommand = {
      ...JSON.parse(delivery.content.toString()),
      timestamp: delivery.properties.timestamp,
    };
    this.commands.push(command);
    const { endpoint_id, ...infos } = command.kwargs.amqp_creds;
    if (this.refuse !== undefined) {
      const global_state = { error: this.refuse, heartbeat_period: 3 };
      const report = message('ep_status_report', { endpoint_id, global_state, task_statuses: {} });
      await this.line.publish(infos.heartbeat_queue_info, report);
    } else {
      const endpoint = new FakeUserEndpoint(endpoint_id, infos, this.answer, ++incarnations);
      await endpoint.start();
      this.started.push(endpoint);
    }
    this.#news();
  }
}
