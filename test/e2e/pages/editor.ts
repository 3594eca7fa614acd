/** The editor in a page of the browser, and what goes wrong in it. */
import type { BrowserContext, Page, Response } from 'playwright-core';
import { eventually, PATIENCE_MS } from '../eventually';
import { DebugPanel } from './debug-panel';
import { ConfigDialog } from './dialog';
import { FlowNode } from './flow-node';
import { ImportDialog } from './import-dialog';
import { Palette } from './palette';
import type { EditorNode, Red } from './red';

declare const RED: Red;

/** What a browser asks for by itself. */
const NOT_OURS = /\/favicon\.ico$/;

export class Editor {
  readonly #complaints: string[] = [];
  /** Complaints that are meant to come. */
  readonly #expected: RegExp[] = [NOT_OURS];
  readonly palette: Palette;
  readonly debug: DebugPanel;
  #isClosing = false;

  private constructor(
    readonly page: Page,
    readonly url: string,
  ) {
    this.palette = new Palette(page);
    this.debug = new DebugPanel(page);
    page.setDefaultTimeout(PATIENCE_MS);
    this.#listen();
  }

  /** Opens a page for the editor, which need not be there yet. */
  static async visit(context: BrowserContext, url: string): Promise<Editor> {
    const editor = new Editor(await context.newPage(), url);
    await editor.page.goto(url);
    return editor;
  }

  /** Waits until it can be used. */
  async isReady(): Promise<void> {
    await this.page.locator('.red-ui-palette-node[data-palette-type="funcx-search"]').waitFor({ state: 'attached' });
    await this.page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
    await this.page.locator('#red-ui-workspace-chart svg').first().waitFor();
  }

  /** A node of the flow by its id. */
  node(id: string): FlowNode {
    return new FlowNode(this.page, id);
  }

  /** Drags a node from the palette to a place in the workspace, in pixels from its corner. */
  async add(type: string, x: number, y: number): Promise<FlowNode> {
    const before = await this.nodeIds();
    await this.palette.drag(type, x, y);
    const added = await eventually(
      `A ${type} dragged to ${x}, ${y} is in the flow`,
      async () => (await this.nodeIds()).filter((id) => !before.includes(id)),
      (ids) => ids.length === 1,
    );
    return this.node(added[0] ?? '');
  }

  /** Ids of the nodes in the workspace. */
  async nodeIds(): Promise<string[]> {
    return this.page.evaluate(() => {
      const ids: string[] = [];
      RED.nodes.eachNode(({ id }) => {
        ids.push(id);
      });
      return ids;
    });
  }

  /** Shows the tab of a flow. */
  async showFlow(name: string): Promise<void> {
    const tab = this.page.locator('#red-ui-workspace-tabs .red-ui-tab', { hasText: name });
    await tab.click();
    await eventually(`${name} is shown`, () => tab.evaluate((element) => element.classList.contains('active')), true);
  }

  /** Every node that is invalid, with what is wrong with it. */
  async invalidNodes(): Promise<string[]> {
    return this.page.evaluate(() => {
      const invalid: string[] = [];
      const note = ({ id, type, valid, validationErrors }: EditorNode) => {
        if (!valid) invalid.push(`${type} ${id}: ${(validationErrors ?? []).join('; ')}`);
      };
      RED.nodes.eachNode(note);
      RED.nodes.eachConfig(note);
      return invalid;
    });
  }

  /** Opens the dialog of a config node, as the list of config nodes does. */
  async openConfig(type: string, id: string): Promise<ConfigDialog> {
    await this.page.evaluate(
      ([ofType, ofId]) => {
        const { editor } = RED as Red & { editor: { editConfig(name: string, type: string, id: string): void } };
        editor.editConfig('', ofType ?? '', ofId ?? '');
      },
      [type, id],
    );
    return ConfigDialog.opened(this.page, type);
  }

  async openImport(): Promise<ImportDialog> {
    await this.press('Control+i');
    return ImportDialog.opened(this.page);
  }

  /** Presses a key of the workspace. */
  async press(key: string): Promise<void> {
    // Its keys do nothing while a field has the focus.
    await this.page.locator('#red-ui-workspace-chart').focus();
    await this.page.keyboard.press(key);
  }

  /** Presses Deploy. Nothing is asked: all nodes are valid. */
  async deploy(): Promise<void> {
    const button = this.page.locator('#red-ui-header-button-deploy');
    const isDisabled = () => button.evaluate((element) => element.classList.contains('disabled'));
    await eventually('There is something to deploy', isDisabled, false);
    const answered = this.page.waitForResponse(
      (response) => response.request().method() === 'POST' && /\/flows$/.test(new URL(response.url()).pathname),
    );
    await button.click();
    const status = (await answered).status();
    if (status !== 200) throw new Error(`Deploy was answered with ${status}`);
    await eventually('Deploy is done', isDisabled, true);
  }

  /** Errors of scripts, error messages on the console, and requests that failed, but for those that are meant to come. */
  get complaints(): string[] {
    return this.#complaints.filter((complaint) => !this.#expected.some((expected) => expected.test(complaint)));
  }

  /** Says which complaints are meant to come. */
  expect(...complaints: readonly RegExp[]): void {
    this.#expected.push(...complaints);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.page.close();
  }

  #listen(): void {
    this.page.on('pageerror', (error) => this.#complain(`error: ${error.stack ?? error.message}`));
    this.page.on('console', (message) => {
      if (message.type() === 'error') this.#complain(`console: ${message.text()} (${message.location().url})`);
    });
    this.page.on('response', (response) => this.#look(response));
    this.page.on('requestfailed', (request) =>
      this.#complain(`request: ${request.url()}: ${request.failure()?.errorText ?? 'failed'}`),
    );
    this.page.on('dialog', (dialog) => void dialog.accept());
  }

  #look(response: Response): void {
    if (response.status() >= 400) this.#complain(`answer: ${response.status()} to ${response.url()}`);
  }

  #complain(complaint: string): void {
    if (!this.#isClosing) this.#complaints.push(complaint);
  }
}
