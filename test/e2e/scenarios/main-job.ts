import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { name as packageName } from '../../../package.json';
import { root } from '../../../tools/build/layout';
import { eventually } from '../eventually';
import { IN_LIGHT, scenario } from '../scenario';

export const mainJob = [
  scenario(
    'main-job',
    'the main job is imported from the examples, deployed, and delivers anomalies',
    async (leg) => {
      const editor = await leg.open();
      const dialog = await editor.openImport();
      const names = readdirSync(join(root, 'examples')).filter((file) => file.endsWith('.json'));
      assert.deepEqual(
        (await dialog.examples(packageName)).sort(),
        names.map((file) => basename(file, '.json')).sort(),
      );
      await dialog.chooseExample('sensor anomalies');
      await dialog.import();
      assert.deepEqual(await editor.invalidNodes(), []);
      await editor.deploy();
      await editor.debug.open();
      const [first = ''] = await editor.debug.texts('anomalies');
      assert.match(first, /^"(New York|Seattle) 20\d\d-\d\d-\d\d: .{10,}"$/);
      await editor.showFlow('Sensor anomalies');
      const ids = await editor.nodeIds();
      const types = await Promise.all(ids.map(async (id) => String((await editor.node(id).stored()).type)));
      const run = editor.node(ids[types.indexOf('funcx-run')] ?? '');
      await eventually(
        'The status',
        () => run.status(),
        ({ look }) => look === 'dot-green' || look === 'dot-blue',
      );
    },
    IN_LIGHT,
  ),
];
