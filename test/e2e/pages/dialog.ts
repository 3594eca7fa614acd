/** The dialogs of nodes, which slide in from the right; that of a config node slides over that of a node. */
import type { Locator, Page } from 'playwright-core';
import { eventually } from '../eventually';
import { ArgumentRows } from './argument-rows';
import { PythonEditor } from './python-editor';
import { TypedInput, type TypedValue } from './typed-input';

type Prefix = 'node-input' | 'node-config-input';

/** A value as a field shows it; a typed input's with its type. */
export type FieldValue = string | boolean | TypedValue;

abstract class Dialog {
  /** The topmost of the dialogs that are open. */
  readonly tray: Locator;
  /** What is in it between its buttons. */
  readonly form: Locator;
  readonly options: Locator;

  protected constructor(
    readonly page: Page,
    readonly prefix: Prefix,
    readonly ok: Locator,
    /** What it covers. */
    readonly below?: NodeDialog,
  ) {
    this.tray = page.locator('.red-ui-tray').last();
    this.form = this.tray.locator('form.form-horizontal:visible').first();
    this.options = this.form.locator('details.funcx-options');
  }

  /** The element of a property. */
  field(property: string): Locator {
    return this.page.locator(`#${this.prefix}-${property}`);
  }

  typed(property: string): TypedInput {
    return new TypedInput(this.page, this.field(property));
  }

  async openOptions(): Promise<void> {
    if (await this.areOptionsOpen()) return;
    await this.options.locator('summary').click();
    await eventually('The options are open', () => this.areOptionsOpen(), true);
  }

  areOptionsOpen(): Promise<boolean> {
    return this.options.evaluate((element) => element.hasAttribute('open'));
  }

  /** Fills fields as a person does, in the given order. */
  async fill(values: Readonly<Record<string, FieldValue>>): Promise<void> {
    for (const [property, value] of Object.entries(values)) await this.#fillOne(property, value);
  }

  /** What the fields of these properties show. */
  async read(properties: readonly string[]): Promise<Record<string, FieldValue>> {
    const values: Record<string, FieldValue> = {};
    for (const property of properties) values[property] = await this.#readOne(property);
    return values;
  }

  /** Waits until just the fields with these labels are marked as wrong. */
  async isWrongIn(...labels: readonly string[]): Promise<void> {
    const rows = this.form.locator('.form-row').filter({ has: this.page.locator('.input-error:visible') });
    const read = async () => (await rows.locator('label:first-child').allInnerTexts()).map((label) => label.trim());
    await eventually('The fields that are marked as wrong', read, [...labels]);
  }

  /** Presses Done, or Add or Update. */
  async done(): Promise<void> {
    await this.#close(this.ok);
  }

  async cancel(): Promise<void> {
    await this.#close(this.tray.locator('.red-ui-tray-toolbar button', { hasText: /^Cancel$/ }));
  }

  async #close(button: Locator): Promise<void> {
    await button.click();
    await this.ok.waitFor({ state: 'detached' });
    await this.below?.isOpen();
  }

  /** Waits until it is where it stays: one dialog slides over the other. */
  protected async isOpen(): Promise<void> {
    await this.ok.waitFor();
    await eventually('The dialog is open', () => this.page.locator('.red-ui-tray').evaluateAll(placesOf), ['in place']);
  }

  async #fillOne(property: string, value: FieldValue): Promise<void> {
    const field = this.field(property);
    if (typeof value === 'object') await this.typed(property).set(value);
    else if (typeof value === 'boolean') await field.setChecked(value);
    else if ((await kindOf(field)) === 'select') await field.selectOption(value);
    else {
      await field.fill(value);
      // What is written is looked at when one goes on.
      await field.blur();
    }
  }

  async #readOne(property: string): Promise<FieldValue> {
    const field = this.field(property);
    switch (await kindOf(field)) {
      case 'typed':
        return this.typed(property).value();
      case 'checkbox':
        return field.isChecked();
      default:
        return field.inputValue();
    }
  }
}

/** The dialog of a node in the workspace. */
export class NodeDialog extends Dialog {
  readonly arguments: ArgumentRows;

  private constructor(page: Page) {
    super(page, 'node-input', page.locator('#node-dialog-ok'));
    this.arguments = new ArgumentRows(page);
  }

  static async opened(page: Page): Promise<NodeDialog> {
    const dialog = new NodeDialog(page);
    await dialog.isOpen();
    return dialog;
  }

  /** Presses + beside a choice of a config node. */
  async add(property: string, type: string): Promise<ConfigDialog> {
    await this.page.locator(`#node-input-btn-${property}-add`).click();
    return ConfigDialog.opened(this.page, type, this);
  }

  /** Presses the pencil beside a choice of a config node. */
  async edit(property: string, type: string): Promise<ConfigDialog> {
    await this.page.locator(`#node-input-btn-${property}-edit`).click();
    return ConfigDialog.opened(this.page, type, this);
  }

  /** What a choice shows. */
  async chosen(property: string): Promise<string> {
    return (await this.field(property).locator('option:checked').textContent()) ?? '';
  }
}

/** The dialog of a config node. */
export class ConfigDialog extends Dialog {
  readonly source: PythonEditor;

  private constructor(page: Page, below?: NodeDialog) {
    super(page, 'node-config-input', page.locator('#node-config-dialog-ok'), below);
    this.source = new PythonEditor(page);
  }

  static async opened(page: Page, type: string, below?: NodeDialog): Promise<ConfigDialog> {
    const dialog = new ConfigDialog(page, below);
    await dialog.isOpen();
    if (type === 'funcx-function') await dialog.source.isReady();
    return dialog;
  }
}

/** Whether each tray has come to the edge of the workspace. */
function placesOf(trays: Element[]): string[] {
  return trays.map((tray) => {
    const edge = tray.parentElement?.getBoundingClientRect().right ?? 0;
    return tray.getBoundingClientRect().right <= edge + 1 ? 'in place' : 'moving';
  });
}

async function kindOf(field: Locator): Promise<'typed' | 'select' | 'checkbox' | 'text'> {
  return field.evaluate((element) => {
    if (element.classList.contains('red-ui-typedInput')) return 'typed';
    if (element.nextElementSibling?.classList.contains('red-ui-typedInput-container')) return 'typed';
    if (element.localName === 'select') return 'select';
    return element.getAttribute('type') === 'checkbox' ? 'checkbox' : 'text';
  });
}
