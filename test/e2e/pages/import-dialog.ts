/** The dialog that brings flows in. */
import type { Locator, Page } from 'playwright-core';

const DIALOG = '#red-ui-clipboard-dialog';

export class ImportDialog {
  readonly #ok: Locator;

  private constructor(readonly page: Page) {
    this.#ok = page.locator('#red-ui-clipboard-dialog-ok');
  }

  static async opened(page: Page): Promise<ImportDialog> {
    await page.locator(DIALOG).waitFor();
    return new ImportDialog(page);
  }

  /** Chooses a flow of the tab Examples. @param path from the package's name to the flow's */
  async chooseExample(...path: readonly string[]): Promise<void> {
    await this.page.locator('#red-ui-tab-red-ui-clipboard-dialog-import-tab-examples').click();
    for (const name of path) {
      await this.page
        .locator(`${DIALOG} .red-ui-treeList-label:visible`)
        .filter({ has: this.page.getByText(name, { exact: true }) })
        .click();
    }
  }

  /** Names that the tab Examples shows under the package's. */
  async examples(packageName: string): Promise<string[]> {
    await this.chooseExample(packageName);
    const entry = this.page.locator(`${DIALOG} li`, { has: this.page.getByText(packageName, { exact: true }) }).last();
    const names = entry.locator('ol .red-ui-treeList-label-text');
    await names.first().waitFor();
    return names.allTextContents();
  }

  async import(): Promise<void> {
    await this.#ok.click();
    await this.page.locator(DIALOG).waitFor({ state: 'hidden' });
  }
}
