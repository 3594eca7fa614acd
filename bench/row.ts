/** What one row of the table is made of. Each is a file in `rows/`. */
import type { Bench } from './bench';

export interface Goal {
  /** Of the medians, ours / beside: at least this where more is better, at most this where less is. */
  readonly ratio: number;
  /** The same for our own median, in the row's unit. */
  readonly ours?: number;
}

/** One thing measured: done by us, and by what it is compared with. */
export interface Row<State = unknown> {
  readonly id: string;
  /** What is done, and what is beside it, for the reader of the table. */
  readonly work: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** @default none: the row is there to be looked at */
  readonly goal?: Goal;
  /** Makes what the rounds need, once. What it opens with the bench is closed after the row. */
  prepare(bench: Bench): Promise<State>;
  /** One round of ours. Throws when anything is not as it should be; a wrong answer has no speed. */
  ours(state: State): Promise<number>;
  /** One round of what is beside it. */
  beside(state: State): Promise<number>;
}

/** Declares a row; the state's type is that of what `prepare` gives. */
export function row<State>(definition: Row<State>): Row {
  return definition as Row;
}
