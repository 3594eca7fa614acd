/** The rows in which the arguments of a function are given. */
import type { Locator, Page } from 'playwright-core';
import { eventually } from '../eventually';
import { textOf } from './text';
import { TypedInput, type TypedValue } from './typed-input';

export interface Row extends TypedValue {
  readonly name: string;
}

/** The typed input's name for "left to the default of the function". */
export const DEFAULT = 'default';

export class ArgumentRows {
  readonly box: Locator;
  readonly #rows: Locator;

  constructor(readonly page: Page) {
    this.box = page.locator('#node-input-args-box');
    this.#rows = this.box.locator('.funcx-argument');
  }

  /** Waits until they are in a state: `known` when they are made from the function's signature. */
  async are(state: 'none' | 'known' | 'free' | 'unknown'): Promise<void> {
    await eventually('The state of the arguments', () => this.box.getAttribute('data-state'), state);
  }

  /** Waits until they are as expected. */
  async become(expected: readonly Row[], what = 'The rows of arguments'): Promise<void> {
    await eventually(what, () => this.read(), [...expected]);
  }

  async names(): Promise<string[]> {
    return (await this.read()).map(({ name }) => name);
  }

  async read(): Promise<Row[]> {
    // At one moment: the rows may be about to be made anew.
    return this.box.evaluate((box) => {
      interface Widget {
        typedInput(what: 'type' | 'value'): unknown;
      }
      const { $ } = globalThis as unknown as { $: (element: Element | null) => Widget };
      return [...box.querySelectorAll('.funcx-argument')].map((row) => {
        const own = row.querySelector<HTMLInputElement>('.funcx-argument-name-input');
        const widget = $(row.querySelector('.funcx-argument-value'));
        return {
          name: own === null ? (row.getAttribute('data-name') ?? '') : own.value,
          type: String(widget.typedInput('type')),
          value: String(widget.typedInput('value') ?? ''),
        };
      });
    });
  }

  /** The value of a parameter. */
  of(name: string): TypedInput {
    return this.#typed(this.box.locator(`.funcx-argument[data-name="${name}"]`));
  }

  /** What is written of a parameter: its name, and its annotation. */
  async title(name: string): Promise<string> {
    return textOf(this.box.locator(`.funcx-argument[data-name="${name}"] .funcx-argument-name`));
  }

  /** Adds a row with a name of its own, where the parameters are not known. */
  async add({ name, ...value }: Row): Promise<void> {
    await this.box.locator('.red-ui-editableList-addButton').click();
    const row = this.#rows.last();
    await row.locator('.funcx-argument-name-input').fill(name);
    await this.#typed(row).set(value);
  }

  /** The sentence below them. */
  hint(): Promise<string> {
    return textOf(this.page.locator('.funcx-arguments-hint'));
  }

  #typed(row: Locator): TypedInput {
    return new TypedInput(this.page, row.locator('.funcx-argument-value'));
  }
}
