/** What all dialogs have in common: they can be read, nothing is cut off, and every field is reached without a mouse. */
import assert from 'node:assert/strict';
import { hardToRead } from '../checks/contrast';
import { labelsWithoutField, notReachedByTab, unnamedFields } from '../checks/keyboard';
import { misplaced } from '../checks/layout';
import type { Leg } from '../leg';
import type { ConfigDialog, NodeDialog } from '../pages/dialog';
import { scenario } from '../scenario';
import { ONE_OF_EACH } from './flows';

type Look = (dialog: NodeDialog | ConfigDialog, what: string) => Promise<void>;

export const looks = [
  scenario(
    'looks',
    'in every dialog everything can be read, nothing is cut off, and each field has a name and is reached by Tab',
    async (leg) => {
      await everyDialog(leg, async ({ page, form, ok }, what) => {
        const unseen = [...(await hardToRead(form)), ...(await misplaced(form))];
        assert.deepEqual(unseen, [], what);
        // A theme changes nothing of this.
        if (leg.theme === 'dark') return;
        assert.deepEqual(await unnamedFields(form), [], `${what}: fields without a name`);
        assert.deepEqual(await labelsWithoutField(form), [], `${what}: labels that lead nowhere`);
        assert.deepEqual(await notReachedByTab(page, form, ok), [], `${what}: not reached by Tab`);
      });
    },
  ),
];

/** What is chosen in a dialog so that other fields show. */
const VARIANTS: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>> = {
  run: [{}, { functionFrom: 'id' }, { argsMode: 'message' }],
  'batch-run': [{}, { functionFrom: 'id' }],
  results: [{}, { from: 'client' }],
};

/** Opens each dialog, its folded section as well, and looks at it. */
async function everyDialog(leg: Leg, look: Look): Promise<void> {
  const editor = await leg.open(ONE_OF_EACH);
  const isDark = await editor.page.evaluate(() => document.documentElement.classList.contains('nr-theme-dark'));
  assert.equal(isDark, leg.theme === 'dark');
  for (const type of ['register', 'run', 'batch-run', 'get-result', 'results', 'search']) {
    for (const variant of VARIANTS[type] ?? [{}]) {
      const dialog = await editor.node(type).open();
      await dialog.fill(variant);
      if (type === 'run') await dialog.arguments.are(variant.functionFrom === 'id' ? 'free' : 'known');
      await dialog.openOptions();
      if (type.endsWith('run')) await dialog.fill({ deadline: { type: 'num', value: '30' }, retries: '3' });
      await look(dialog, `${type} ${JSON.stringify(variant)}`);
      await dialog.cancel();
    }
  }
  const register = await editor.node('register').open();
  await editor.page.locator('#funcx-register-from').selectOption('message');
  await register.openOptions();
  await look(register, 'register, from the message');
  await register.cancel();

  const client = await editor.openConfig('funcx-client', 'client');
  await client.openOptions();
  await look(client, 'client');
  await client.cancel();

  const pythonFunction = await editor.openConfig('funcx-function', 'function');
  await pythonFunction.source.is('ok');
  const classes = (await pythonFunction.source.editor.getAttribute('class')) ?? '';
  assert.equal(classes.split(' ').includes('vs-dark'), leg.theme === 'dark', 'the source editor is as the rest');
  await pythonFunction.openOptions();
  await look(pythonFunction, 'function');
  await pythonFunction.source.write('def wrong(:\n    pass\n');
  await pythonFunction.source.is('error');
  await look(pythonFunction, 'function, with an error');
  await pythonFunction.cancel();
  const byId = await editor.openConfig('funcx-function', 'function');
  await byId.fill({ mode: 'id' });
  await look(byId, 'function, by its id');
  await byId.cancel();
}
