/** A field with a type: the value itself, or where it comes from. */
import type { Locator, Page } from 'playwright-core';
import { eventually } from '../eventually';

export interface TypedValue {
  readonly type: string;
  /** Empty for types that have none. */
  readonly value: string;
}

export class TypedInput {
  readonly container: Locator;
  readonly #button: Locator;
  readonly #text: Locator;

  /** @param stored the element that holds the value; the widget is beside it */
  constructor(
    readonly page: Page,
    readonly stored: Locator,
  ) {
    this.container = stored.locator('xpath=following-sibling::*[contains(@class, "red-ui-typedInput-container")][1]');
    this.#button = this.container.locator('.red-ui-typedInput-type-select');
    this.#text = this.container.locator('.red-ui-typedInput-input');
  }

  /** The types that its menu offers, from top to bottom. */
  async types(): Promise<string[]> {
    const menu = await this.#openMenu();
    const types = await menu
      .locator('a')
      .evaluateAll((entries) => entries.map((entry) => entry.getAttribute('value') ?? ''));
    const { type } = await this.value();
    await menu.locator(`a[value="${type}"]`).click();
    await menu.waitFor({ state: 'hidden' });
    return types;
  }

  async choose(type: string): Promise<void> {
    const menu = await this.#openMenu();
    await menu.locator(`a[value="${type}"]`).click();
    await menu.waitFor({ state: 'hidden' });
  }

  /** Chooses the type, and writes the value as a person does. */
  async set({ type, value }: TypedValue): Promise<void> {
    if ((await this.value()).type !== type) await this.choose(type);
    if (value === '') return;
    // Booleans are a menu of their own.
    if (type === 'bool') await this.#chooseOption(value);
    else await this.#text.fill(value);
    await eventually('The field has the value', async () => (await this.value()).value, value);
  }

  /** Writes into it key by key, as one who waits for what is offered. */
  async write(text: string): Promise<void> {
    await this.#text.fill('');
    await this.#text.pressSequentially(text);
  }

  /** Presses the button that shows what there is to choose from. */
  async expand(): Promise<void> {
    await this.container.locator('.red-ui-typedInput-option-expand').click();
  }

  /** What it would be stored as. */
  async value(): Promise<TypedValue> {
    return this.stored.evaluate((element) => {
      const { $ } = globalThis as unknown as {
        $: (element: Element) => { typedInput(what: 'type' | 'value'): unknown };
      };
      const widget = $(element);
      return { type: String(widget.typedInput('type')), value: String(widget.typedInput('value') ?? '') };
    });
  }

  async #chooseOption(value: string): Promise<void> {
    await this.container.locator('.red-ui-typedInput-option-trigger').click();
    await this.page.locator(`.red-ui-typedInput-options:visible a[value="${value}"]`).click();
  }

  async #openMenu(): Promise<Locator> {
    await this.#button.click();
    const menu = this.page.locator('.red-ui-typedInput-options:visible');
    await menu.waitFor();
    // A choice that is made while it slides open leaves it open.
    await eventually('The menu is open', () => menu.evaluate(isMoving), false);
    return menu;
  }
}

function isMoving(element: Element): boolean {
  const { $ } = globalThis as unknown as { $: (element: Element) => { is(state: ':animated'): boolean } };
  return $(element).is(':animated');
}
