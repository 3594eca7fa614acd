import assert from 'node:assert/strict';
import { eventually } from '../eventually';
import { textOf } from '../pages/text';
import { IN_LIGHT, ONCE, scenario } from '../scenario';
import { CLIENT, FUNCTION, inject, node, TAB } from './flows';

const USER = 'ada';
const PASSWORD = 'a password for tests';

/** Of the password: bcrypt, with few rounds. */
const HASH = '$2b$04$HJbvJp/HJN4PbsSXZ79WQuZU/dVqooAgjKzcnFus4L6BliqQU2S36';

const SETTINGS = {
  httpAdminRoot: '/admin',
  adminAuth: { type: 'credentials', users: [{ username: USER, password: HASH, permissions: '*' }] },
};

const ROUTES = [
  'funcx/python',
  'funcx/python?path=python3',
  'funcx/functions?client=client',
  'funcx/endpoints?client=client',
];

export const secured = [
  scenario(
    'secured',
    'behind a login and below another path, dialogs ask the runtime, and nobody else can',
    async (leg) => {
      const server = await leg.another({ settings: SETTINGS });
      const editor = await leg.visit(server.url);
      editor.expect(/^answer: 401 to .*\/admin\/settings/, /^console: .* 401 .*\/admin\/settings/);
      const { page } = editor;
      await page.locator('#node-dialog-login-username').fill(USER);
      await page.locator('#node-dialog-login-password').fill(PASSWORD);
      await page.locator('#node-dialog-login-submit').click();
      await editor.isReady();

      const run = await editor.add('funcx-run', 300, 200);
      const dialog = await run.open();
      const client = await dialog.add('client', 'funcx-client');
      const python = page.locator('.funcx-python');
      await eventually('Python is found', () => python.getAttribute('data-state'), 'found');
      await client.done();
      const added = await dialog.add('function', 'funcx-function');
      await added.source.is('ok');
      await added.done();
      await dialog.arguments.are('known');
      await dialog.done();
      await editor.deploy();

      const again = await run.open();
      await again.typed('endpoint').expand();
      const choice = page.locator('.funcx-choice:visible');
      assert.match(await textOf(choice), /^local\nonline · /);
      await choice.click();
      const { value } = await again.typed('endpoint').value();
      assert.match(value, /^[0-9a-f-]{36}$/);
      await again.done();
      assert.deepEqual(await run.problems(), []);

      for (const route of ROUTES) assert.equal((await server.ask(route)).status, 401, `${route}, asked by nobody`);
      const question = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"code":""}' };
      assert.equal((await server.ask('funcx/inspect', question)).status, 401);
      const outside = await fetch(new URL('/funcx/python', server.url));
      assert.equal(outside.status, 404, 'there is nothing outside of the path');
    },
    IN_LIGHT,
  ),

  scenario(
    'no-python',
    'on a machine without Python, the dialog of the client says so at once, and the function can still be written',
    async (leg) => {
      const server = await leg.another({ env: { ...process.env, PATH: '' } });
      await server.deploy([
        TAB,
        CLIENT,
        FUNCTION,
        inject({ id: 'inject', x: 150, y: 100, wires: [['run']] }, '1', 'num'),
        node('run', { id: 'run', x: 350, y: 100 }),
      ]);
      const editor = await leg.visit(server.url);
      // What the dialogs ask is answered with an error here, which they show.
      editor.expect(/^answer: 503 to .*\/funcx\/inspect$/, /^console: .* 503 .*\/funcx\/inspect\)$/);
      await editor.isReady();
      const client = await editor.openConfig('funcx-client', 'client');
      const python = editor.page.locator('.funcx-python');
      await eventually('The Python', () => python.getAttribute('data-state'), 'missing');
      assert.match(await textOf(python), /[Ii]nstall/);
      await client.cancel();

      const dialog = await editor.openConfig('funcx-function', 'function');
      await dialog.source.is('unchecked');
      assert.match(await textOf(dialog.source.problem), /^Not checked\. .*Python/);
      await dialog.fill({ name: 'later' });
      await dialog.done();
      assert.deepEqual(await editor.invalidNodes(), []);

      const run = editor.node('run');
      await editor.node('inject').press();
      await eventually('The status', () => run.status(), { text: 'failed: PYTHON_NOT_FOUND', look: 'ring-red' });
    },
    ONCE,
  ),
];
