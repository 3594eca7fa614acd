import assert from 'node:assert/strict';
import { IN_LIGHT, scenario } from '../scenario';
import { CLIENT, debug, inject, node, TAB } from './flows';

const SOURCE = '"def third_of_it(number):\\n    return number / 3\\n"';

export const pickers = [
  scenario(
    'pickers',
    'endpoints and registered functions that the client knows are offered, by name',
    async (leg) => {
      const editor = await leg.open([
        TAB,
        CLIENT,
        inject({ id: 'source', x: 130, y: 60, wires: [['register']] }, SOURCE, 'jsonata'),
        node('register', { id: 'register', x: 330, y: 60, wires: [['registered']] }),
        debug({ id: 'registered', x: 530, y: 60 }),
        node('run', { id: 'run', x: 330, y: 120 }, { functionFrom: 'id' }),
      ]);
      const { page } = editor;
      await editor.debug.open();
      await editor.node('source').press();
      const [id = ''] = await editor.debug.texts('registered');

      const run = editor.node('run');
      const dialog = await run.open();
      const choice = page.locator('.funcx-choice:visible');
      const functionId = dialog.typed('functionId');
      await functionId.choose('str');
      await functionId.write('third');
      await choice.filter({ hasText: 'third_of_it' }).click();
      assert.deepEqual(await functionId.value(), { type: 'str', value: JSON.parse(id) });

      const endpoint = dialog.typed('endpoint');
      await endpoint.expand();
      assert.equal(await choice.locator('.funcx-choice-name').textContent(), 'local');
      await choice.click();
      const { value } = await endpoint.value();
      assert.match(value, /^[0-9a-f-]{36}$/);
      await dialog.done();
      assert.deepEqual(await run.problems(), []);
      const { functionId: storedFunction, endpoint: storedEndpoint } = await run.stored();
      assert.deepEqual([storedFunction, storedEndpoint], [JSON.parse(id), value]);
    },
    IN_LIGHT,
  ),
];
