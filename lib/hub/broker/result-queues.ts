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
  /** Where its queue was made sure of. */
  declaredIn: Session | undefined;
}

export class ResultQueues {
  readonly #names: BrokerNames;
  readonly #store: Store;
  readonly #streams: ResultStreams;
  readonly #session: () => Session | undefined;
  readonly #groups = new Map<TaskGroupId, Group>();
  readonly #sending = new Set<Promise<void>>();

  constructor(names: BrokerNames, store: Store, streams: ResultStreams, session: () => Session | undefined) {
    this.#names = names;
    this.#store = store;
    this.#streams = streams;
    this.#session = session;
  }

  /** Takes up the groups that results are still owed to. */
  async open(): Promise<void> {
    for (const [groupId, group] of this.#groups) this.#listen(groupId, group);
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
    const session = this.#session();
    const known = this.#groups.get(groupId);
    if (known !== undefined && (session === undefined || known.declaredIn === session)) return;
    this.#store.write('INSERT OR IGNORE INTO result_queues (group_id, user_id, created_at) VALUES (?, ?, ?)', [
      groupId,
      userId,
      Date.now(),
    ]);
    // Where that fails, it is made when the broker is back.
    if (session !== undefined) await declare(session, [this.#queueOf(groupId, userId)]).catch(() => {});
    this.#add(groupId, userId).declaredIn = session;
  }

  /**
   * The broker is reached.
   *
   * @param isNew it may not have the queues, which clients that come back to their results take from at once
   */
  async resume(session: Session, isNew: boolean): Promise<void> {
    const groups = [...this.#groups.values()];
    if (isNew) {
      const queues = groups.map(({ queue }) => queue);
      await declare(session, queues).catch(() => {}); // The session was lost, or each is made when it is sent to.
    }
    for (const group of groups) this.#send(group);
  }

  /** Resolves when the broker has answered all that is on its way to it. */
  async settled(): Promise<void> {
    await Promise.all(this.#sending);
  }

  /** There is no broker any more: results are owed, and do not fill the memory. */
  rest(): void {
    for (const group of this.#groups.values()) {
      group.stream?.close();
      group.stream = undefined;
      group.waiting = [];
    }
  }

  #queueOf(groupId: TaskGroupId, userId: string): string {
    return this.#names.userPrefix(userId) + groupId;
  }

  #add(groupId: TaskGroupId, userId: string): Group {
    const known = this.#groups.get(groupId);
    if (known !== undefined) return known;
    const queue = this.#queueOf(groupId, userId);
    const group: Group = { queue, stream: undefined, waiting: [], isSending: false, declaredIn: undefined };
    this.#groups.set(groupId, group);
    this.#listen(groupId, group);
    return group;
  }

  #listen(groupId: TaskGroupId, group: Group): void {
    group.stream ??= this.#streams.open(
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
    const sending = this.#sendAll(session, group).finally(() => {
      group.isSending = false;
      this.#sending.delete(sending);
      this.#send(group);
    });
    this.#sending.add(sending);
  }

  async #sendAll(session: Session, group: Group): Promise<void> {
    const results = group.waiting;
    const { stream } = group;
    group.waiting = [];
    const outcomes = await Promise.allSettled(
      results.map((status) => session.publish('', group.queue, writeResult(status))),
    );
    const delivered: TaskStatus[] = [];
    const kept: TaskStatus[] = [];
    for (const [i, status] of results.entries()) (outcomes[i]?.status === 'fulfilled' ? delivered : kept).push(status);
    stream?.ack(delivered.map((status) => status.task_id));
    if (group.stream !== stream) return; // Meanwhile it was closed: what is owed is told again.
    group.waiting = [...kept, ...group.waiting];
    if (outcomes.some((outcome) => outcome.status === 'rejected' && outcome.reason instanceof Unroutable)) {
      await declare(session, [group.queue]).catch(() => session.end());
    } else if (kept.length > 0) await session.end();
  }
}

async function declare(session: Session, queues: readonly string[]): Promise<void> {
  await session.administer(async (channel) => {
    for (const queue of queues) await channel.assertQueue(queue, { durable: true, expires: TASK_RETENTION_MS });
  });
}
