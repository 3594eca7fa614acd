import assert from 'node:assert/strict';
import { eventually } from '../eventually';
import { textOf } from '../pages/text';
import { scenario } from '../scenario';

export const newcomer = [
  scenario('newcomer', 'from a drag to a result: one click for a client, a function, and it runs', async (leg) => {
    const editor = await leg.open();
    const inject = await editor.add('inject', 150, 150);
    const run = await editor.add('funcx-run', 400, 150);
    const debug = await editor.add('debug', 650, 150);
    await inject.wireTo(run);
    await run.wireTo(debug);

    const dialog = await run.open();
    await dialog.isWrongIn('Function', 'Client');
    const client = await dialog.add('client', 'funcx-client');
    const python = editor.page.locator('.funcx-python');
    await eventually('Python is found', () => python.getAttribute('data-state'), 'found');
    assert.match(await textOf(python), /Python 3\.\d+\.\d+ at .+/);
    await client.done();
    assert.equal(await dialog.chosen('client'), 'this machine');

    const pythonFunction = await dialog.add('function', 'funcx-function');
    await pythonFunction.source.is('ok');
    await pythonFunction.source.type('def hello(name):', 'return "Hello " + str(name)[:3]');
    await pythonFunction.source.is('ok');
    await eventually('The signature', () => textOf(pythonFunction.source.signature), 'hello(name)');
    await pythonFunction.done();

    await dialog.arguments.are('known');
    assert.deepEqual(await dialog.arguments.read(), [{ name: 'name', type: 'msg', value: 'payload' }]);
    await dialog.isWrongIn();
    await dialog.done();
    assert.equal(await run.label(), 'run hello');
    assert.deepEqual(await editor.invalidNodes(), []);

    await editor.deploy();
    await editor.debug.open();
    await inject.press();
    const [result] = await editor.debug.texts('debug 1');
    assert.match(result ?? '', /^"Hello \d{3}"$/);
    const status = await eventually(
      'The status',
      () => run.status(),
      ({ text }) => text.startsWith('done'),
    );
    assert.match(status.text, /^done \d+(\.\d+)? s$/);
    assert.equal(status.look, 'dot-green');
  }),
];
