/** The editor for Python source in the dialog of a function, and what the interpreter says of it. */
import type { Locator, Page } from 'playwright-core';
import { eventually } from '../eventually';

export class PythonEditor {
  readonly editor: Locator;
  /** The signature as Python understands it. */
  readonly signature: Locator;
  /** What is wrong. */
  readonly problem: Locator;

  constructor(readonly page: Page) {
    this.editor = page.locator('#funcx-source .monaco-editor').first();
    this.signature = page.locator('.funcx-check .funcx-signature');
    this.problem = page.locator('.funcx-problem');
  }

  async isReady(): Promise<void> {
    await this.editor.locator('.view-line').first().waitFor();
  }

  /** Writes another text in place of what is there: pasted, so that nothing is completed on the way. */
  async write(text: string): Promise<void> {
    await this.#selectAll();
    await this.page.evaluate((pasted) => navigator.clipboard.writeText(pasted), text);
    await this.page.keyboard.press('Control+v');
    await eventually('The text is in the editor', () => this.text(), text);
  }

  /** Writes key by key, as a person does who presses Enter at the end of a line and leaves indentation to the editor. */
  async type(...lines: readonly string[]): Promise<void> {
    await this.#selectAll();
    await this.page.keyboard.press('Delete');
    for (const [index, line] of lines.entries()) {
      if (index > 0) await this.page.keyboard.press('Enter');
      await this.page.keyboard.type(line);
    }
  }

  /** What is in the editor. */
  async text(): Promise<string> {
    return this.page.locator('#node-config-input-code').inputValue();
  }

  /** Waits for what the interpreter says. */
  async is(state: 'ok' | 'error' | 'unchecked'): Promise<void> {
    await eventually(
      'What the interpreter says of the source',
      () => this.page.locator('.funcx-check').getAttribute('data-state'),
      state,
    );
  }

  /** Lines that are underlined as wrong, counted from 1. */
  async markedLines(): Promise<number[]> {
    return this.page.evaluate(() => {
      interface Marker {
        readonly startLineNumber: number;
      }
      const { monaco } = globalThis as unknown as {
        monaco: { editor: { getModelMarkers(filter: { owner: string }): readonly Marker[] } };
      };
      return monaco.editor.getModelMarkers({ owner: 'funcx' }).map(({ startLineNumber }) => startLineNumber);
    });
  }

  async #selectAll(): Promise<void> {
    await this.editor.locator('.view-lines').click();
    await this.page.keyboard.press('Control+a');
  }
}
