/** A node in the workspace. */
import type { Locator, Page } from 'playwright-core';
import { eventually, PATIENCE_MS } from '../eventually';
import { NodeDialog } from './dialog';
import type { Red } from './red';

declare const RED: Red;

export interface Status {
  readonly text: string;
  /** For example `dot-green`. */
  readonly look: string;
}

export class FlowNode {
  readonly element: Locator;

  constructor(
    readonly page: Page,
    readonly id: string,
  ) {
    this.element = page.locator(`[id="${id}"]`);
  }

  /** What is written on it. */
  async label(): Promise<string> {
    // Long labels are several lines.
    const lines = await this.element.locator('.red-ui-flow-node-label-text').allTextContents();
    return lines.join(' ').trim();
  }

  /** What is wrong with it, as its badge says when the mouse is over it; empty when nothing is. */
  async problems(): Promise<readonly string[]> {
    return this.page.evaluate((id) => RED.nodes.node(id)?.validationErrors ?? [], this.id);
  }

  async isValid(): Promise<boolean> {
    return this.page.evaluate((id) => RED.nodes.node(id)?.valid === true, this.id);
  }

  /** Whether it carries the badge of a node that is wrong. */
  isMarked(): Promise<boolean> {
    return this.element.locator('.red-ui-flow-node-error').isVisible();
  }

  /** What would be deployed of it. */
  async stored(): Promise<Readonly<Record<string, unknown>>> {
    return this.page.evaluate((id) => RED.nodes.convertNode(RED.nodes.node(id), true), this.id);
  }

  /** Opens its dialog with a double click. */
  async open(): Promise<NodeDialog> {
    const node = this.element.locator('.red-ui-flow-node');
    const opens = () => this.page.locator('.red-ui-tray').waitFor({ state: 'attached', timeout: PATIENCE_MS / 10 });
    await node.dblclick();
    // Where the machine is busy, the two clicks may have come too far apart to be a double click.
    await opens().catch(() => node.dblclick({ timeout: PATIENCE_MS / 10 }));
    return NodeDialog.opened(this.page);
  }

  /** Draws a wire to another node with the mouse. @param output counted from 0 */
  async wireTo(other: FlowNode, output = 0): Promise<void> {
    const from = await centre(this.element.locator('.red-ui-flow-port-output .red-ui-flow-port').nth(output));
    const to = await centre(other.element.locator('.red-ui-flow-port-input .red-ui-flow-port'));
    const wires = this.page.locator('.red-ui-flow-link-line');
    const before = await wires.count();
    const { mouse } = this.page;
    await mouse.move(from.x, from.y);
    await mouse.down();
    await mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 3 });
    await mouse.move(to.x, to.y, { steps: 3 });
    await mouse.up();
    await eventually(
      'The wire is there',
      () => wires.count(),
      (now) => now > before,
    );
  }

  /** Presses the button on an inject node. */
  async press(): Promise<void> {
    await this.element.locator('.red-ui-flow-node-button-button').click();
  }

  /** What is written below it. */
  async status(): Promise<Status> {
    const text = (await this.element.locator('.red-ui-flow-node-status-label').textContent()) ?? '';
    const look = (await this.element.locator('.red-ui-flow-node-status').getAttribute('class')) ?? '';
    return { text: text.trim(), look: /red-ui-flow-node-status-((?:dot|ring)-\w+)/.exec(look)?.[1] ?? '' };
  }
}

async function centre(locator: Locator): Promise<{ x: number; y: number }> {
  const box = await locator.boundingBox();
  if (box === null) throw new Error('A port cannot be seen.');
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
