/**
 * Results for streaming clients: each task group that asked for it has a queue at the broker, from which its user takes
 * results as they come. Results stay in the hub as well.
 */
import type { TaskGroupId } from '../../compute/ids.js';
import { TASK_RETENTION_MS } from '../../compute/limits.js';
import type { ResultStream, TaskStatus } from '../../compute/service.js';
import type { Store } from '../../storage/index.js';
import type { ResultStreams } from '../result-streams.js';
import { writeResult } from './messages.js';
import type { BrokerNames } from './names.js';
import { type Session, Unroutable } from './session.js';

interface Group {
  readonly queue: string;
  stream: ResultStream | undefined;
  /** Results that the broker does not have yet. */
  waiting: TaskStatus[];
  isSending: boolean;
}

export class ResultQueues {
  readonly #names: BrokerNames;
  readonly #store: Store;
  readonly #streams: ResultStreams;
  readonly #session: () => Session | undefined;
  readonly #groups = new Map<TaskGroupId, Group>();

  constructor(names: BrokerNames, store: Store, streams: ResultStreams, session: () => Session | undefined) {
    this.#names = names;
    this.#store = store;
    this.#streams = streams;
    this.#session = session;
  }

  /** Takes up the groups that results are still owed to. */
  async open(): Promise<void> {
    this.#store.write('DELETE FROM result_queues WHERE created_at < ?', [Date.now() - 2 * TASK_RETENTION_MS]);
    const rows = await this.#store.all(
      `SELECT group_id, user_id FROM result_queues WHERE
       group_id IN (SELECT group_id FROM results WHERE streamed = 1) OR
       group_id IN (SELECT group_id FROM batches WHERE streamed = 1)`,
    );
    for (const row of rows) this.#add(row.group_id as TaskGroupId, String(row.user_id));
  }

  /** Makes the queue of a group before its tasks are accepted, so that its user can take from it at once. */
  async ensure(groupId: TaskGroupId, userId: string): Promise<void> {
    if (this.#groups.has(groupId)) return;
    this.#store.write('INSERT OR IGNORE INTO result_queues (group_id, user_id, created_at) VALUES (?, ?, ?)', [
      groupId,
      userId,
      Date.now(),
    ]);
    const session = this.#session();
    if (session !== undefined) await declare(session, this.#queueOf(groupId, userId)).catch(() => {}); // Or when it is back.
    this.#add(groupId, userId);
  }

  /** The broker is reached again. */
  resume(): void {
    for (const group of this.#groups.values()) this.#send(group);
  }

  #queueOf(groupId: TaskGroupId, userId: string): string {
    return this.#names.userPrefix(userId) + groupId;
  }

  #add(groupId: TaskGroupId, userId: string): void {
    if (this.#groups.has(groupId)) return;
    const group: Group = { queue: this.#queueOf(groupId, userId), stream: undefined, waiting: [], isSending: false };
    this.#groups.set(groupId, group);
    group.stream = this.#streams.open(
      groupId,
      (results) => {
        group.waiting.push(...results);
        this.#send(group);
      },
      true,
    );
  }

  #send(group: Group): void {
    const session = this.#session();
    if (session === undefined || group.isSending || group.waiting.length === 0) return;
    group.isSending = true;
    void this.#sendAll(session, group).finally(() => {
      group.isSending = false;
      this.#send(group);
    });
  }

  async #sendAll(session: Session, group: Group): Promise<void> {
    const results = group.waiting;
    group.waiting = [];
    const outcomes = await Promise.allSettled(
      results.map((status) => session.publish('', group.queue, writeResult(status))),
    );
    const delivered: TaskStatus[] = [];
    const kept: TaskStatus[] = [];
    for (const [i, status] of results.entries()) (outcomes[i]?.status === 'fulfilled' ? delivered : kept).push(status);
    group.stream?.ack(delivered.map((status) => status.task_id));
    group.waiting = [...kept, ...group.waiting];
    if (outcomes.some((outcome) => outcome.status === 'rejected' && outcome.reason instanceof Unroutable)) {
      await declare(session, group.queue).catch(() => session.end());
    } else if (kept.length > 0) await session.end();
  }
}

async function declare(session: Session, queue: string): Promise<void> {
  await session.administer((channel) => channel.assertQueue(queue, { durable: true, expires: TASK_RETENTION_MS }));
}
