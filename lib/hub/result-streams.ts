/** Who hears of the results of which task group. */
import type { TaskGroupId, TaskId } from '../compute/ids.js';
import type { ResultStream, TaskStatus } from '../compute/service.js';

export type ResultListener = (results: readonly TaskStatus[]) => void;

interface Consumer {
  readonly listener: ResultListener;
  /** What it was told while what it has missed is looked up; undefined from then on. */
  told: Set<TaskId> | undefined;
}

/** Results that were not acknowledged, and acknowledging them. */
interface Results {
  /** Rejects while the store fails. */
  unacknowledged(group: TaskGroupId): Promise<TaskStatus[]>;
  acknowledge(id: TaskId): void;
  delivered(id: TaskId): void;
}

export class ResultStreams {
  readonly #results: Results;
  readonly #consumers = new Map<TaskGroupId, Set<Consumer>>();
  #closed = false;

  constructor(results: Results) {
    this.#results = results;
  }

  /**
   * A new consumer of a group's results, which is told first what was not acknowledged before.
   *
   * @param keep results stay with the hub when they were acknowledged
   */
  open(group: TaskGroupId, listener: ResultListener, keep = false): ResultStream {
    const consumers = this.#consumers.get(group) ?? new Set();
    this.#consumers.set(group, consumers);
    const consumer: Consumer = { listener, told: new Set() };
    consumers.add(consumer);
    void this.#tellMissed(group, consumer);
    return {
      ack: (ids) => {
        if (this.#closed) return; // They will be delivered again.
        for (const id of ids) keep ? this.#results.delivered(id) : this.#results.acknowledge(id);
      },
      close: () => {
        consumers.delete(consumer);
        if (consumers.size === 0 && this.#consumers.get(group) === consumers) this.#consumers.delete(group);
      },
    };
  }

  /** Tells results of a group to the first of its consumers. */
  tell(group: TaskGroupId, results: readonly TaskStatus[]): void {
    const [consumer] = this.#consumers.get(group) ?? [];
    if (consumer === undefined) return;
    if (consumer.told !== undefined) for (const { task_id } of results) consumer.told.add(task_id);
    call(consumer.listener, results);
  }

  /** The store works again: those who have missed something are told now. */
  recovered(): void {
    for (const [group, consumers] of this.#consumers) {
      for (const consumer of consumers) if (consumer.told !== undefined) void this.#tellMissed(group, consumer);
    }
  }

  /** Takes no acknowledgements from now on. */
  close(): void {
    this.#closed = true;
  }

  async #tellMissed(group: TaskGroupId, consumer: Consumer): Promise<void> {
    let results: TaskStatus[];
    try {
      results = await this.#results.unacknowledged(group);
    } catch {
      return; // See `recovered`.
    }
    const { told } = consumer;
    if (told === undefined) return; // It was looked up twice.
    consumer.told = undefined;
    const missed = results.filter((status) => !told.has(status.task_id));
    if (missed.length > 0 && this.#consumers.get(group)?.has(consumer)) call(consumer.listener, missed);
  }
}

/** A listener that throws must not keep workers from getting tasks, and others from hearing of theirs. */
function call(listener: ResultListener, results: readonly TaskStatus[]): void {
  try {
    listener(results);
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}
