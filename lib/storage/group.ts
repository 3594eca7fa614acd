/** The writes that become durable together. */
import type { GroupMessage } from './protocol.js';
import { isShared } from './shared-bytes.js';
import { assertStorable, type SqlValue } from './values.js';

/**
 * Statements in the order they were written. Kept on the main thread until the disk has them, so that neither a failed
 * commit nor the end of the thread loses one. Held flat, because cloning one array of values to the thread costs a
 * third of cloning an object for each statement.
 */
export class Group {
  readonly #indexes = new Map<string, number>();
  readonly #sql: string[] = [];
  readonly #steps: number[] = [];
  readonly #values: SqlValue[] = [];
  #bytes = 0;

  /** `number` counts up by one from group to group. */
  constructor(readonly number: number) {}

  get isEmpty(): boolean {
    return this.#steps.length === 0;
  }

  /** Statements in it. */
  get size(): number {
    return this.#steps.length / 2;
  }

  /** What it holds in memory, about, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws InputError for a value that cannot be stored. The bytes of `params` must not change until durable. */
  add(sql: string, params: readonly SqlValue[]): void {
    assertStorable(sql, params);
    let index = this.#indexes.get(sql);
    if (index === undefined) {
      index = this.#sql.push(sql) - 1;
      this.#indexes.set(sql, index);
    }
    this.#steps.push(index, params.length);
    for (const value of params) {
      this.#values.push(value);
      this.#bytes += 16;
      if (typeof value === 'string') this.#bytes += value.length;
      else if (value instanceof Uint8Array) this.#bytes += value.byteLength;
    }
  }

  /**
   * The message for the thread and what to transfer with it. Bytes are copied into one buffer that is transferred:
   * cloning a view would clone the whole buffer beneath it, and transferring the caller's own would take it away. Bytes
   * that both threads see stay where they are.
   */
  toMessage(epoch: number): { message: GroupMessage; transfer: ArrayBuffer[] } {
    const steps = Uint32Array.from(this.#steps);
    let total = 0;
    for (const value of this.#values) if (isToCopy(value)) total += value.byteLength;
    const transfer = [steps.buffer];
    let values: readonly SqlValue[] = this.#values;
    if (total > 0) {
      const bytes = new Uint8Array(total);
      let end = 0;
      values = this.#values.map((value) => {
        if (!isToCopy(value)) return value;
        const start = end;
        end += value.byteLength;
        bytes.set(value, start);
        return bytes.subarray(start, end);
      });
      transfer.push(bytes.buffer);
    }
    return { message: { kind: 'group', number: this.number, epoch, sql: this.#sql, steps, values }, transfer };
  }
}

function isToCopy(value: SqlValue): value is Uint8Array {
  return value instanceof Uint8Array && !isShared(value);
}
