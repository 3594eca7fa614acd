import type { ByteSource } from './byte-source.js';
import { PythonName } from './python-objects.js';

/**
 * The values that a pickle refers back to, by number; how it says that one value is in several places, or inside itself.
 *
 * Now and then an object proves to be of another kind after it was memoized: a dict with its first key that is no string,
 * an UUID with its state. What it became then stands in for it.
 */
export class Memo {
  readonly #values: unknown[] = [];
  readonly #replacements = new Map<unknown, unknown>();
  readonly #source: ByteSource;
  readonly #limit: number;
  #recalledObject = false;
  /** Whether a value that was replaced may still be somewhere inside another one. */
  #staleReferences = false;

  constructor(source: ByteSource, limit: number) {
    this.#source = source;
    this.#limit = limit;
  }

  get size(): number {
    return this.#values.length;
  }

  store(index: number, value: unknown): void {
    if (!(index >= 0 && index < this.#limit))
      throw this.#source.malformed(`it refers back to more than ${this.#limit} objects`);
    this.#values[index] = value;
  }

  recall(index: number): unknown {
    const value = this.#values[index];
    if (value === undefined) throw this.#source.malformed(`it refers back to object ${index}, which it does not hold`);
    if (typeof value !== 'object' || value instanceof PythonName) return value;
    this.#recalledObject = true;
    return this.#replacements.get(value) ?? value;
  }

  replace(value: object, by: unknown): void {
    this.#replacements.set(value, by);
    // Only one who recalled the value can have put it elsewhere.
    this.#staleReferences ||= this.#recalledObject;
  }

  /** Undefined where there is nothing to put right in the result. */
  get staleReplacements(): ReadonlyMap<unknown, unknown> | undefined {
    return this.#staleReferences ? this.#replacements : undefined;
  }
}
