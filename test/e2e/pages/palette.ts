/** The list of node types beside the workspace. */
import type { Locator, Page } from 'playwright-core';

export interface PaletteEntry {
  readonly type: string;
  readonly label: string;
  readonly color: string;
  readonly inputs: number;
  readonly outputs: number;
  /** URL of the icon. */
  readonly icon: string;
}

export class Palette {
  constructor(readonly page: Page) {}

  /** What is in a category, from top to bottom. */
  async category(name: string): Promise<PaletteEntry[]> {
    const entries = this.#category(name).locator('.red-ui-palette-node');
    return entries.evaluateAll((nodes) =>
      nodes.map((node) => ({
        type: node.getAttribute('data-palette-type') ?? '',
        label: node.querySelector('.red-ui-palette-label')?.textContent?.trim() ?? '',
        color: getComputedStyle(node).backgroundColor,
        inputs: node.querySelectorAll('.red-ui-palette-port-input').length,
        outputs: node.querySelectorAll('.red-ui-palette-port-output').length,
        icon:
          /url\("?([^")]+)/.exec(
            node.querySelector<HTMLElement>('.red-ui-palette-icon')?.style.backgroundImage ?? '',
          )?.[1] ?? '',
      })),
    );
  }

  /** Shows a category whole, and returns it. */
  async show(name: string): Promise<Locator> {
    const category = this.#category(name);
    await category.locator('.red-ui-palette-node').last().scrollIntoViewIfNeeded();
    await category.locator('.red-ui-palette-header').scrollIntoViewIfNeeded();
    return category;
  }

  /** Drags a node into the workspace with the mouse, to a place in pixels from its corner. */
  async drag(type: string, x: number, y: number): Promise<void> {
    const entry = this.page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
    // In Node-RED 5 the palette is a short panel: most of it is out of sight.
    await entry.scrollIntoViewIfNeeded();
    const from = await entry.boundingBox();
    const chart = await this.page.locator('#red-ui-workspace-chart').boundingBox();
    if (from === null || chart === null) throw new Error(`${type} cannot be dragged`);
    const { mouse } = this.page;
    await mouse.move(from.x + from.width / 2, from.y + from.height / 2);
    await mouse.down();
    await mouse.move(chart.x + x - 20, chart.y + y - 10, { steps: 4 });
    await mouse.move(chart.x + x, chart.y + y, { steps: 2 });
    await mouse.up();
  }

  #category(name: string): Locator {
    return this.page
      .locator('.red-ui-palette-category')
      .filter({ has: this.page.locator('.red-ui-palette-header', { hasText: new RegExp(`^\\s*${name}\\s*$`) }) });
  }
}
