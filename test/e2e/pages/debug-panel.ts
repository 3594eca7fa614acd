/** The sidebar that shows what comes to debug nodes. */
import type { Page } from 'playwright-core';
import { eventually } from '../eventually';

export interface DebugMessage {
  /** Of the debug node. */
  readonly name: string;
  /** As it is shown: an object in short form. */
  readonly text: string;
}

export class DebugPanel {
  constructor(readonly page: Page) {}

  async open(): Promise<void> {
    const clear = this.page.locator('#red-ui-sidebar-debug-clear');
    if (await clear.isVisible()) return;
    // Node-RED 4 has a tab; in 5 there is a button below the sidebar, and the panel is open unless it was closed.
    await this.page.locator('#red-ui-tab-debug-link-button, button[data-tab-id="debug"]').first().click();
    await clear.waitFor();
  }

  async clear(): Promise<void> {
    await this.page.locator('#red-ui-sidebar-debug-clear').click();
    await eventually('The debug panel is empty', async () => (await this.messages()).length, 0);
  }

  /** What is there, the oldest first. */
  async messages(): Promise<DebugMessage[]> {
    return this.page.locator('.red-ui-debug-content-list .red-ui-debug-msg').evaluateAll((messages) =>
      messages.map((message) => ({
        name: (message.querySelector('.red-ui-debug-msg-name')?.textContent ?? '').replace('node: ', ''),
        text: message.querySelector('.red-ui-debug-msg-payload')?.textContent ?? '',
      })),
    );
  }

  /** Waits until there are so many messages of a debug node, and returns their texts. */
  async texts(name: string, count = 1): Promise<string[]> {
    const read = async () => (await this.messages()).filter((message) => message.name === name).map(({ text }) => text);
    return eventually(`${count} messages of "${name}" are on the debug panel`, read, (texts) => texts.length >= count);
  }
}
