import assert from 'node:assert/strict';
import { DEFAULT } from '../pages/argument-rows';
import { textOf } from '../pages/text';
import { IN_LIGHT, scenario } from '../scenario';
import { CLIENT, DETECT, FUNCTION, node, pythonFunction, TAB } from './flows';

/** The parameters of DETECT have changed: one is gone, one is new, and their order is another. */
const CHANGED = DETECT.replace(
  '(readings, limit: float = 3.0, *stations, unit="°C", **more)',
  '(limit: float, window=45, *, readings, **more)',
);

export const argumentRows = [
  scenario(
    'arguments',
    'arguments are rows made from the signature of the function, and follow it by name when it changes',
    async (leg) => {
      const other = pythonFunction('other', 'def nothing():\n    return 42\n', 'nothing');
      const editor = await leg.open([
        TAB,
        CLIENT,
        FUNCTION,
        other,
        node('run', { id: 'run', x: 200, y: 150 }, { function: '', argsMode: 'rows' }),
      ]);
      const run = editor.node('run');
      const dialog = await run.open();
      const { arguments: rows } = dialog;
      await rows.are('none');
      assert.match(await rows.hint(), /Choose a function/);

      await dialog.fill({ function: 'function' });
      await rows.are('known');
      await rows.become([
        { name: 'readings', type: 'msg', value: 'payload' },
        { name: 'limit', type: DEFAULT, value: '' },
        { name: 'stations', type: DEFAULT, value: '' },
        { name: 'unit', type: DEFAULT, value: '' },
        { name: 'more', type: DEFAULT, value: '' },
      ]);
      assert.equal(await rows.title('limit'), 'limit: float');
      assert.equal(await rows.title('stations'), '*stations');
      assert.equal(await rows.title('more'), '**more');
      assert.match(await textOf(rows.of('limit').container), /default: 3\.0/);
      assert.deepEqual((await rows.of('stations').types()).slice(0, 2), [DEFAULT, 'json'], '*stations takes a list');
      assert.match(await rows.hint(), /Tell which readings are out of line/);

      await rows.of('readings').set({ type: 'jsonata', value: 'payload.value' });
      await rows.of('limit').set({ type: 'num', value: '2.5' });
      await rows.of('stations').set({ type: 'json', value: '["Seattle"]' });
      await rows.of('unit').set({ type: 'str', value: 'K' });
      await rows.of('more').set({ type: 'msg', value: 'options' });

      const edited = await dialog.edit('function', 'funcx-function');
      await edited.source.write(CHANGED);
      await edited.source.is('ok');
      await edited.done();
      await rows.are('known');
      const kept = [
        { name: 'limit', type: 'num', value: '2.5' },
        { name: 'window', type: DEFAULT, value: '' },
        { name: 'readings', type: 'jsonata', value: 'payload.value' },
        { name: 'more', type: 'msg', value: 'options' },
      ];
      await rows.become(kept, 'values are kept by name');

      await dialog.fill({ function: 'other' });
      await rows.are('known');
      await rows.become([]);
      assert.match(await rows.hint(), /takes no arguments/);
      await dialog.fill({ function: 'function' });
      await rows.are('known');
      await rows.become(kept, 'a look at another function loses nothing');
      await dialog.done();
      assert.deepEqual(await run.problems(), []);
      assert.deepEqual((await run.stored()).args, [
        { name: 'limit', kind: 'positional', value: '2.5', type: 'num' },
        { name: 'window', kind: 'positional', value: '', type: '' },
        { name: 'readings', kind: 'keyword', value: 'payload.value', type: 'jsonata' },
        { name: 'more', kind: 'var-keyword', value: 'options', type: 'msg' },
      ]);

      const again = await run.open();
      await again.arguments.are('known');
      assert.deepEqual(await again.arguments.read(), kept);
      await again.cancel();
    },
    IN_LIGHT,
  ),

  scenario(
    'arguments-follow',
    'run nodes follow when a function is changed while their dialogs are closed, and Undo takes it back',
    async (leg) => {
      const given = [{ name: 'readings', kind: 'positional', value: 'topic', type: 'msg' }];
      const flow = [
        TAB,
        CLIENT,
        FUNCTION,
        node('run', { id: 'run', x: 200, y: 150 }, { argsMode: 'rows', args: given }),
      ];
      const editor = await leg.open(flow);
      const run = editor.node('run');
      const dialog = await editor.openConfig('funcx-function', 'function');
      await dialog.source.write(CHANGED);
      await dialog.source.is('ok');
      await dialog.done();
      assert.deepEqual((await run.stored()).args, [
        { name: 'limit', kind: 'positional', value: 'payload', type: 'msg' },
        { name: 'window', kind: 'positional', value: '', type: '' },
        { name: 'readings', kind: 'keyword', value: 'topic', type: 'msg' },
        { name: 'more', kind: 'var-keyword', value: '', type: '' },
      ]);
      // The function, and what runs it.
      await editor.press('Control+z');
      await editor.press('Control+z');
      assert.deepEqual((await run.stored()).args, given);
    },
    IN_LIGHT,
  ),
];
