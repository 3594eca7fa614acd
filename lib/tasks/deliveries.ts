/** From the end of a call to the moment its owner has sent the result on: who is told, what the disk has to know before. */
import type { TaskId } from '../compute/ids.js';
import type { ComputeService } from '../compute/service.js';
import type { TaskOutcome } from './call.js';
import { CallStage, type Delivery, type EntryCall } from './entry.js';
import type { Ledger } from './ledger.js';
import type { Owners } from './owners.js';
import type { Watcher } from './watcher.js';

/** Parts that deliveries pass through. */
export interface DeliveryParts {
  readonly service: ComputeService;
  readonly watcher: Watcher;
  readonly owners: Owners;
  readonly ledger: Ledger | undefined;
}

export class Deliveries {
  readonly #parts: DeliveryParts;
  #closed = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** What waits for the disk is not told of any more. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Tells how a call has ended. The disk is never behind by more than one stage: what it has as waiting was not told of, so
   * that after a crash only what may have been sent on is marked.
   */
  deliver(call: EntryCall, outcome: TaskOutcome): void {
    const { ledger } = this.#parts;
    if (call.stage === CallStage.waiting) {
      call.stage = CallStage.submitted;
      ledger?.changed(call, false);
    }
    const { entry, index, over } = call;
    const delivery: Delivery = {
      entry,
      index,
      call,
      outcome,
      recovered: entry.recovered,
      redelivered: call.maybeSent,
      late: call.stage === CallStage.late && over,
      interim: !over,
    };
    const saving = ledger?.saving(call);
    if (saving === undefined) {
      this.#tell(delivery);
      return;
    }
    call.due = over;
    if (call.taskId !== undefined && isKept(call)) this.#parts.watcher.claim(call.taskId);
    void saving.then(() => {
      if (over) call.due = false;
      if (!this.#closed && call.stage !== CallStage.settled) this.#tell(delivery);
    });
  }

  /** The owner has sent on what was delivered: it will not be delivered again. */
  settle(call: EntryCall): void {
    if (call.stage === CallStage.settled) return;
    call.stage = CallStage.settled;
    call.packed = '';
    call.outcome = undefined;
    const { entry, taskId } = call;
    entry.open--;
    const { ledger, service } = this.#parts;
    if (taskId === undefined || entry.options.until === 'accepted') ledger?.settled(call);
    else if (ledger === undefined || ledger.commitsWith(service)) {
      ledger?.settled(call);
      this.#acknowledge(call, taskId);
    } else {
      const saved = ledger.settledElsewhere(call);
      this.acknowledgeAfter(saved, call, taskId, () => {
        this.#acknowledge(call, taskId);
        if (saved !== undefined) ledger.acknowledged(call);
      });
    }
  }

  /** A service must not drop a result before the ledger has it on disk that it is not needed any more. */
  acknowledgeAfter(saved: Promise<void> | undefined, call: EntryCall, id: TaskId, acknowledge: () => void): void {
    if (saved === undefined) {
      acknowledge();
      return;
    }
    if (!call.entry.watching) this.#parts.watcher.claim(id);
    saved.then(acknowledge, () => {}); // The next process does it.
  }

  #acknowledge({ entry }: EntryCall, id: TaskId): void {
    if (entry.watching) this.#parts.watcher.release(id);
    else this.#parts.watcher.ack(id);
  }

  #tell(delivery: Delivery): void {
    const { call, entry, interim } = delivery;
    if (this.#parts.owners.deliver(delivery) && entry.handler !== undefined && !interim) entry.desk.settle(call);
    else if (call.taskId !== undefined && isKept(call)) this.#parts.watcher.claim(call.taskId);
  }
}

/** Its result has come, and is with the service until it is settled. Those who wait for tasks of others hold them anyway. */
function isKept({ over, stage, entry }: EntryCall): boolean {
  return over && stage !== CallStage.settled && !entry.watching && entry.options.until !== 'accepted';
}
