import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../tools/build/layout';
import { eventually } from '../eventually';
import type { Red } from '../pages/red';
import { IN_LIGHT, scenario } from '../scenario';
import { CLIENT, FUNCTION, TAB } from './flows';

declare const RED: Red;

const TYPES = ['register', 'run', 'batch-run', 'get-result', 'results', 'search'] as const;

/** What is on a node that was just dragged, where it is not what the palette says. */
const NEW_LABELS: Readonly<Record<string, string>> = { register: 'register payload', search: 'search payload' };

/** In the order in which they stand; a node is in row after row. */
const place = (index: number) => [250, 80 + 70 * index] as const;

export const palette = [
  scenario('palette', 'each node can be dragged from the palette, and says what it still needs', async (leg) => {
    const editor = await leg.open();
    const entries = await editor.palette.category('funcX');
    assert.deepEqual(
      entries.map(({ type }) => type),
      TYPES.map((type) => `funcx-${type}`),
      'the order is that of use',
    );
    assert.deepEqual(
      entries.map(({ label }) => label.replace(/\s+/g, ' ')),
      ['register', 'run', 'batch run', 'get result', 'results', 'search'],
    );
    assert.deepEqual([...new Set(entries.map(({ color }) => color))], ['rgb(192, 222, 237)']);
    for (const { inputs, outputs } of entries) assert.deepEqual([inputs, outputs > 0], [1, true]);
    const icons = entries.map(({ icon }) => icon);
    assert.equal(new Set(icons).size, TYPES.length, 'each has an icon of its own');
    for (const icon of icons) {
      const answer = await editor.page.request.get(leg.server.url + icon);
      assert.match(`${answer.status()} ${answer.headers()['content-type']}`, /^200 image\/svg/);
    }

    for (const [index, type] of TYPES.entries()) {
      const node = await editor.add(`funcx-${type}`, ...place(index));
      const label = NEW_LABELS[type] ?? type.replace('-', ' ');
      await eventually(`The label of ${type}`, () => node.label(), label);
      const problems = (await node.problems()).join('\n');
      assert.match(problems, /^Client: /m, type);
      assert.equal(/^Function: /m.test(problems), ['run', 'batch-run'].includes(type), `${type}: ${problems}`);
      assert.equal(await node.isMarked(), true);
    }
  }),

  scenario(
    'only-client',
    'a new node takes the only client, and needs nothing more but a function',
    async (leg) => {
      const editor = await leg.open([TAB, CLIENT, FUNCTION]);
      for (const [index, type] of TYPES.entries()) {
        const node = await editor.add(`funcx-${type}`, ...place(index));
        const needsFunction = type === 'run' || type === 'batch-run';
        if (needsFunction) {
          assert.deepEqual(await node.problems(), ['Function: choose one']);
          const dialog = await node.open();
          assert.equal(await dialog.chosen('client'), 'this machine');
          await dialog.fill({ function: 'function' });
          await dialog.done();
        }
        assert.deepEqual(await node.problems(), [], type);
        assert.equal(await node.isMarked(), false);
      }
      await editor.deploy();
      const ports = await editor
        .node((await editor.nodeIds())[3] ?? '')
        .element.locator('.red-ui-flow-port-output')
        .count();
      assert.equal(ports, 2, 'get result has an output for what has ended and one for what has not');
    },
    IN_LIGHT,
  ),

  scenario(
    'help',
    'each node has its help, and the palette shows its first sentence',
    async (leg) => {
      const editor = await leg.open([TAB, CLIENT, FUNCTION]);
      const { page } = editor;
      for (const type of [...TYPES, 'client', 'function']) {
        const help = await page.evaluate((name) => RED.nodes.getNodeHelp(name), `funcx-${type}`);
        assert.ok(help.length > 300, `funcx-${type} has a help of ${help.length} characters`);
      }
      await editor.palette.show('funcX');
      await page.locator('.red-ui-palette-node[data-palette-type="funcx-run"]').hover();
      const [introduction = ''] = readFileSync(join(root, 'nodes/funcx-run/help.md'), 'utf8').split('\n\n');
      const popover = page.locator('.red-ui-popover:visible', { hasText: introduction.replace(/\s+/g, ' ').trim() });
      await popover.waitFor();
      await page.mouse.move(0, 0);
      await popover.waitFor({ state: 'hidden' });

      const run = await editor.add('funcx-run', 200, 200);
      const dialog = await run.open();
      await dialog.tray.locator('.red-ui-tray-footer button:has(.fa-book)').first().click();
      const shown = page.locator('.red-ui-help', { hasText: 'REMOTE_EXCEPTION' }).first();
      await shown.waitFor();
      assert.deepEqual(
        (await shown.locator('h1, h3').allInnerTexts()).map((heading) => heading.trim()),
        ['run', 'Inputs', 'Outputs', 'Details', 'Errors', 'References'],
      );
      await dialog.cancel();
    },
    IN_LIGHT,
  ),
];
