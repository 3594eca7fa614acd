import { SerializationError } from '../compute/errors.js';

/**
 * Python's recursion limit is 1,000 by default, and the worker's own frames are part of it: what is nested deeper could be
 * written, and not be read.
 */
export const MAX_DEPTH = 900;

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** Where a writer is inside a value: the containers around it, and the way there for an error to name. */
export class ValuePath {
  readonly #containers: object[] = [];
  readonly #keys: (string | number)[] = [];
  readonly #root: string;

  /** @param root what the user knows the whole value as, for example `payload` */
  constructor(root: string) {
    this.#root = root;
  }

  /** @throws SerializationError if the container is inside itself, or too deep */
  enter(container: object): void {
    const level = this.#containers.indexOf(container);
    if (level >= 0) {
      throw this.error(`refers back to ${this.#describe(level)}, and data for Python cannot go round in a circle`);
    }
    if (this.levelsLeft === 0) {
      throw this.error(`is nested more than ${MAX_DEPTH} levels deep, and Python would not read that`);
    }
    this.#containers.push(container);
    this.#keys.push('');
  }

  /** How many containers may still be entered, one inside the other. */
  get levelsLeft(): number {
    return MAX_DEPTH - this.#containers.length;
  }

  /** Says which member of the innermost container comes next. */
  at(key: string | number): void {
    this.#keys[this.#keys.length - 1] = key;
  }

  leave(): void {
    this.#containers.pop();
    this.#keys.pop();
  }

  /** @param what completes a sentence that begins with the path, for example `holds bytes` */
  error(what: string): SerializationError {
    return new SerializationError('NOT_SERIALIZABLE', `${this.#describe(this.#keys.length)} ${what}.`);
  }

  #describe(levels: number): string {
    let path = this.#root;
    for (const key of this.#keys.slice(0, levels)) {
      if (typeof key === 'number') path += `[${key}]`;
      else path += IDENTIFIER.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    }
    return path;
  }
}
