/** Takes results from a task group's queue, as the Python SDK's Executor, and declares nothing, as it may not. */
import assert from 'node:assert/strict';
import { type ChannelModel, type ConsumeMessage, connect } from 'amqplib';
import type { ResultConnection, TaskGroupId } from '../../../dist/lib/index.js';

interface Streamed {
  readonly message_type: string;
  readonly data: { task_id: string; data: string; error_details: { code: string; user_message: string } | null };
}

export class StreamingClient {
  readonly results: Streamed[] = [];
  #news: () => void = () => {};
  private constructor(readonly model: ChannelModel) {}

  static async of({ connection_url, queue_prefix }: ResultConnection, group: TaskGroupId): Promise<StreamingClient> {
    const client = new StreamingClient(await connect(connection_url));
    client.model.on('error', () => {});
    const channel = await client.model.createChannel();
    channel.on('error', () => {});
    await channel.consume(queue_prefix + group, (message) => {
      if (message === null) return;
      client.#take(message);
      channel.ack(message);
    });
    return client;
  }

  async until(count: number): Promise<Streamed[]> {
    while (this.results.length < count) {
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
    return this.results;
  }

  #take(message: ConsumeMessage): void {
    assert.equal(message.content[0], 1);
    this.results.push(JSON.parse(message.content.toString('utf8', 1)));
    this.#news();
  }
}
