import assert from 'node:assert/strict';
import { eventually } from '../eventually';
import { textOf } from '../pages/text';
import { IN_LIGHT, ONCE, scenario } from '../scenario';
import { CLIENT, FUNCTION, node, TAB } from './flows';

const WRONG = 'def detect(readings):\n    total = sum(readings\n    return total\n';

export const python = [
  scenario(
    'syntax-error',
    'an error in a function is shown in its dialog, on its line, as Python says it',
    async (leg) => {
      const editor = await leg.open([TAB, CLIENT, FUNCTION, node('run', { id: 'run', x: 200, y: 150 })]);
      const run = editor.node('run');
      assert.equal(await run.isValid(), true);
      const dialog = await editor.openConfig('funcx-function', 'function');
      await dialog.source.is('ok');
      await dialog.source.write(WRONG);
      await dialog.source.is('error');
      assert.match(await textOf(dialog.source.problem), /^line 2: '\(' was never closed$/);
      assert.deepEqual(await dialog.source.markedLines(), [2]);
      await dialog.done();
      // It can be put right later; until then the function and what runs it are marked.
      assert.equal((await editor.invalidNodes()).length, 2);
      assert.match((await run.problems()).join(), /Function: the one chosen has an error; open it/);
      assert.equal(await run.isMarked(), true);

      const again = await editor.openConfig('funcx-function', 'function');
      await again.source.is('error');
      await again.source.write(WRONG.replace('(readings\n', '(readings)\n'));
      await again.source.is('ok');
      assert.equal(await again.source.problem.isVisible(), false);
      await again.done();
      assert.deepEqual(await editor.invalidNodes(), []);
      assert.equal(await run.isMarked(), false);
    },
    IN_LIGHT,
  ),

  scenario(
    'large-source',
    'the Python editor can be made large, and gives the text back',
    async (leg) => {
      const editor = await leg.open([TAB, CLIENT, FUNCTION]);
      const { page } = editor;
      const dialog = await editor.openConfig('funcx-function', 'function');
      await dialog.source.is('ok');
      const before = await dialog.source.editor.boundingBox();
      await page.locator('#funcx-source-expand').click();
      const large = page
        .locator(
          '.red-ui-tray .red-ui-editor-type-text-editor .monaco-editor, .red-ui-tray #red-ui-editor-type-expression .monaco-editor, .red-ui-tray .node-text-editor .monaco-editor',
        )
        .last();
      await eventually(
        'It is large',
        async () => ((await large.boundingBox())?.width ?? 0) > 1.5 * (before?.width ?? 0),
        true,
      );
      await large.locator('.view-lines').click();
      await page.keyboard.press('Control+End');
      await page.keyboard.insertText('# large\n');
      await page.locator('#node-dialog-ok').click();
      await eventually(
        'The text has come back',
        () => dialog.source.text(),
        (text) => text.endsWith('# large\n'),
      );
      await dialog.source.is('ok');
      await dialog.done();
    },
    ONCE,
  ),

  scenario(
    'wrong-python',
    'a Python that is not there is told in the dialog of the client, with what to do',
    async (leg) => {
      const editor = await leg.open([TAB, CLIENT, FUNCTION]);
      const dialog = await editor.openConfig('funcx-client', 'client');
      const state = editor.page.locator('.funcx-python');
      const says = (expected: string) => eventually('The Python', () => state.getAttribute('data-state'), expected);
      await says('found');
      await dialog.fill({ python: '/nowhere/bin/python3' });
      await says('missing');
      assert.match(await textOf(state), /\/nowhere\/bin\/python3/);
      await dialog.fill({ python: '' });
      await says('found');
      await dialog.cancel();
    },
    ONCE,
  ),
];
