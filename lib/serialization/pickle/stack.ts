import type { ByteSource } from './byte-source.js';

/**
 * The stack of a reading. A mark is a place on it, to which a later opcode goes back for all the items above.
 */
export class Stack {
  /** Grows and never shrinks, which would cost: what is above {@link height} is left over. */
  readonly items: unknown[] = [];
  height = 0;
  readonly #marks: number[] = [];
  readonly #source: ByteSource;
  readonly #maxDepth: number;

  constructor(source: ByteSource, maxDepth: number) {
    this.#source = source;
    this.#maxDepth = maxDepth;
  }

  push(value: unknown): void {
    this.items[this.height++] = value;
  }

  pop(): unknown {
    if (this.height < 1) throw this.#source.malformed('it takes from an empty stack');
    return this.items[--this.height];
  }

  /** The last `count` items, which are taken away. */
  take(count: number): unknown[] {
    if (this.height < count) throw this.#source.malformed('it takes from an empty stack');
    this.height -= count;
    return this.items.slice(this.height, this.height + count);
  }

  get top(): unknown {
    if (this.height < 1) throw this.#source.malformed('it takes from an empty stack');
    return this.items[this.height - 1];
  }

  set top(value: unknown) {
    this.items[this.height - 1] = value;
  }

  mark(): void {
    if (this.#marks.push(this.height) > this.#maxDepth) {
      throw this.#source.malformed(`it is nested more than ${this.#maxDepth} levels deep`);
    }
  }

  /** True if there is nothing above the last mark. */
  get atMark(): boolean {
    return this.#marks.at(-1) === this.height;
  }

  /** Takes the last mark away and gives its place; the items stay. */
  unmark(): number {
    const mark = this.#marks.pop();
    if (mark === undefined || mark > this.height)
      throw this.#source.malformed('it goes back to a mark that it did not set');
    return mark;
  }

  /** Takes the last mark away, and the items above it. */
  takeMarked(): unknown[] {
    const mark = this.unmark();
    const taken = this.items.slice(mark, this.height);
    this.height = mark;
    return taken;
  }
}
