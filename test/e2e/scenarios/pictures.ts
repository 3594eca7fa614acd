/** The pictures that the README shows. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { root } from '../../../tools/build/layout';
import { eventually } from '../eventually';
import type { Leg } from '../leg';
import type { FlowNode } from '../node-red';
import type { ConfigDialog, NodeDialog } from '../pages/dialog';
import type { Editor } from '../pages/editor';
import { ONCE, scenario } from '../scenario';

const FOLDER = join(root, 'docs/images');

/** A README with pictures has to open quickly. Unit: bytes. */
const MOST = 400_000;

type Clip = NonNullable<Parameters<Page['screenshot']>[0]>['clip'];

let written: 'all' | 'missing' = 'missing';

/** Says which pictures are written; all are taken anyhow. */
export function setPictures(which: 'all' | 'missing'): void {
  written = which;
}

/** The whole flow beside the debug panel. */
const FLOW_VIEW = { width: 1290, height: 580 } as const;

export const pictures = [
  scenario(
    'pictures',
    'pictures of the main job, of its dialogs and of the palette are taken',
    async (leg) => {
      const editor = await openMainJob(leg);
      await editor.page.setViewportSize({ ...FLOW_VIEW, height: 900 });
      await keep('palette', await editor.palette.show('funcX'));
      await editor.page.setViewportSize(FLOW_VIEW);
      await showFlowAndDebug(editor.page);
      await keep('main-job', editor.page);

      const dialog = await editor.node(idOf('funcx-run')).open();
      await dialog.arguments.are('known');
      await keepDialog('dialog-run', dialog, 790);
      await dialog.cancel();

      const pythonFunction = await editor.openConfig('funcx-function', idOf('funcx-function'));
      await pythonFunction.source.is('ok');
      await keepDialog('dialog-function', pythonFunction, 760);
      await pythonFunction.cancel();

      const client = await editor.openConfig('funcx-client', idOf('funcx-client'));
      const python = editor.page.locator('.funcx-python');
      await eventually('Python is found', () => python.getAttribute('data-state'), 'found');
      await keepDialog('dialog-client', client, 530);
      await client.cancel();
    },
    ONCE,
  ),

  scenario(
    'pictures-dark',
    'a picture of the main job in the dark is taken',
    async (leg) => {
      const { page } = await openMainJob(leg);
      await showFlowAndDebug(page);
      await keep('main-job-dark', page);
    },
    { versions: ['5.0'], themes: ['dark'] },
  ),
];

/** Of the example's nodes, the one of a type. */
function idOf(type: string): string {
  const found = mainJob().find((node) => node.type === type);
  assert.ok(found, `the main job has no ${type}`);
  return found.id;
}

function mainJob(): FlowNode[] {
  return JSON.parse(readFileSync(join(root, 'examples/sensor anomalies.json'), 'utf8'));
}

/** Opens an editor in which the main job has found its first anomalies. */
async function openMainJob(leg: Leg): Promise<Editor> {
  await leg.server.deploy(mainJob());
  const editor = await leg.visit(leg.server.url, { deviceScaleFactor: 2, viewport: FLOW_VIEW });
  // Where Python is on the machine that takes the pictures concerns nobody.
  await editor.page.route('**/funcx/python?*', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), executable: '/usr/bin/python3' } });
  });
  await editor.isReady();
  await editor.debug.open();
  await editor.debug.texts('anomalies', 3);
  return editor;
}

/** Closes what is beside the flow, but for the debug panel. */
async function showFlowAndDebug(page: Page): Promise<void> {
  await page.locator('.red-ui-sidebar-toggle-button-left.selected').click();
  const others = page.locator('[data-tab-id].selected:is([data-tab-id=info], [data-tab-id=help])');
  while ((await others.count()) > 0) await others.first().click();
}

async function keepDialog(name: string, dialog: NodeDialog | ConfigDialog, height: number): Promise<void> {
  const { page, tray } = dialog;
  await page.setViewportSize({ width: FLOW_VIEW.width, height });
  const header = await tray.locator('.red-ui-tray-header').boundingBox();
  const footer = await tray.locator('.red-ui-tray-footer').boundingBox();
  assert.ok(header && footer);
  // Without its edge, which has the workspace beside it.
  const { x, y, width } = header;
  await keep(name, page, { x, y, width, height: footer.y + footer.height - y });
}

async function keep(name: string, what: Page | Locator, clip?: Clip): Promise<void> {
  const page = 'page' in what ? what.page() : what;
  // Nothing is pointed at or has the focus, and no tip is shown.
  await page.mouse.move(0, 0);
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await eventually('No tip is shown', () => page.locator('.red-ui-popover:visible').count(), 0);
  const options = { animations: 'disabled', caret: 'hide', ...(clip && { clip }) } as const;
  const picture = await what.screenshot(options);
  assert.ok(picture.length < MOST, `${name} has ${picture.length} bytes`);
  const file = join(FOLDER, `${name}.png`);
  if (written === 'missing' && existsSync(file)) return;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(file, picture);
}
