import type { BigIntegers } from '../big-integers.js';

/**
 * Python objects that have no counterpart in JavaScript, or not yet. None of them is ever called.
 */

/** A class or a function, by name: `module.name`. */
export class PythonName {
  constructor(readonly $python: string) {}
}

/**
 * An instance of a class that is not known here; or what a function that is not known here would have made.
 *
 * Beside its name it has what the pickle says of it: what the class was called with, the state (mostly a dict of its
 * attributes), and the items if it is a kind of list or dict.
 */
export class PythonObject {
  // Only declared: a field that the pickle says nothing of is not to be there.
  declare kwargs?: unknown;
  declare state?: unknown;
  declare items?: unknown;

  constructor(
    readonly $python: string,
    readonly args: readonly unknown[],
  ) {}
}

/** An object whose state is still to come, and makes of it what it will be. Without a state it is shown as it is. */
export class Draft extends PythonObject {
  readonly #complete: (state: unknown) => unknown;

  /** @param complete gives undefined if the state is not as it should be */
  constructor($python: string, args: readonly unknown[], complete: (state: unknown) => unknown) {
    super($python, args);
    this.#complete = complete;
  }

  completed(state: unknown): unknown {
    const value = this.#complete(state);
    if (value === undefined) this.state = state;
    return value ?? this;
  }
}

/**
 * Stands in for a class or a function of Python's that is known here.
 *
 * @param args checked by the maker: they are whatever the pickle holds
 * @returns undefined if they are not as they should be, and the object is to be shown as a {@link PythonObject}
 */
export type Maker = (args: readonly unknown[], context: MakerContext) => unknown;

export interface MakerContext {
  /** Full name of the class or function. */
  readonly name: string;
  readonly integers: BigIntegers;
}

/** Makers by full name. */
export type MakerTable = Readonly<Record<string, Maker>>;
