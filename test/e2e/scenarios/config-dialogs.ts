/** The dialogs of the config nodes, opened with the buttons beside the choice of one. */
import assert from 'node:assert/strict';
import { eventually } from '../eventually';
import { textOf } from '../pages/text';
import { IN_LIGHT, scenario } from '../scenario';

const CLIENT_OPTIONS = {
  cwd: '/tmp',
  envAllow: 'LAB_ID, LAB_HOST',
  timeLimit: '30',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Node-RED puts the variable's value in its place
  memoryLimit: '${LAB_MEMORY}',
  restartAfter: '1000',
  idleShutdown: '0',
  inFlight: '8',
  queueLimit: '500',
  whenFull: 'drop-oldest',
  order: 'sent',
  integers: 'text',
};

const TWO_FUNCTIONS = `import math

RADIUS = 6371.0


def haversine(angle):
    return math.sin(angle / 2) ** 2


def distance(here, there, *, unit="km"):
    """How far it is from here to there."""
    return RADIUS * haversine(there - here)
`;

const UUID = '4b116d3c-1703-4f8f-9f6f-39921e5864df';

export const configDialogs = [
  scenario(
    'dialog-client',
    'the dialog of a client keeps what is filled in, and says which field is wrong',
    async (leg) => {
      const editor = await leg.open();
      const run = await editor.add('funcx-run', 300, 200);
      const dialog = await run.open();
      const client = await dialog.add('client', 'funcx-client');
      await client.fill({ python: 'python3', workers: 'two', name: 'the lab' });
      await client.isWrongIn('Workers');
      await client.fill({ workers: '2' });
      await client.isWrongIn();
      await client.openOptions();
      await client.fill({ whenFull: 'drop-oldest' });
      // Nothing waits here that could be dropped, unless fewer tasks are in flight than there may be.
      await client.isWrongIn('In flight');
      await client.fill(CLIENT_OPTIONS);
      await client.isWrongIn();
      await client.done();
      assert.equal(await dialog.chosen('client'), 'the lab');

      const again = await dialog.edit('client', 'funcx-client');
      const changed = await textOf(again.options.locator('.funcx-options-changed'));
      for (const part of ['Folder: /tmp', 'Time limit: 30', 'Idle shutdown: 0'])
        assert.ok(changed.includes(part), changed);
      assert.deepEqual(await again.read(['python', 'workers', 'name']), {
        python: 'python3',
        workers: '2',
        name: 'the lab',
      });
      await again.openOptions();
      assert.deepEqual(await again.read(Object.keys(CLIENT_OPTIONS)), CLIENT_OPTIONS);
      await again.cancel();
      await dialog.cancel();
    },
    IN_LIGHT,
  ),

  scenario(
    'dialog-function',
    'the dialog of a function keeps what is filled in, and offers the functions of the source as entry point',
    async (leg) => {
      const editor = await leg.open();
      const run = await editor.add('funcx-run', 300, 200);
      const dialog = await run.open();
      const added = await dialog.add('function', 'funcx-function');
      await added.source.write(TWO_FUNCTIONS);
      await added.source.is('ok');
      const entryPoint = added.field('entryPoint');
      assert.deepEqual(await entryPoint.locator('option').allTextContents(), ['haversine', 'distance']);
      assert.equal(await entryPoint.inputValue(), 'distance');
      assert.equal(await textOf(added.source.signature), 'distance(here, there, *, unit="km")');
      await entryPoint.selectOption('haversine');
      assert.equal(await textOf(added.source.signature), 'haversine(angle)');
      await added.openOptions();
      const options = { repeatable: true, description: 'how far it is', public: true, group: UUID };
      await added.fill({ ...options, name: 'far' });
      await added.done();
      assert.equal(await dialog.chosen('function'), 'far');
      await dialog.arguments.are('known');
      assert.deepEqual(await dialog.arguments.names(), ['angle']);

      const again = await dialog.edit('function', 'funcx-function');
      await again.source.is('ok');
      assert.equal(await again.source.text(), TWO_FUNCTIONS);
      assert.equal(await again.field('entryPoint').inputValue(), 'haversine');
      await again.openOptions();
      assert.deepEqual(await again.read(Object.keys(options)), options);

      await again.fill({ mode: 'id' });
      assert.equal(await again.source.editor.isVisible(), false);
      await again.fill({ functionId: 'far away' });
      await again.isWrongIn('Function id');
      await again.fill({ functionId: UUID });
      await again.isWrongIn();
      await again.done();
      // The parameters of a function that is only known by its id cannot be known.
      await dialog.arguments.are('free');
      await dialog.arguments.add({ name: 'angle', type: 'num', value: '1.5' });
      await dialog.done();
      await eventually('What the run node gives', async () => (await run.stored()).args, [
        { name: 'angle', kind: 'keyword', value: 'payload', type: 'msg' },
        { name: 'angle', kind: 'keyword', value: '1.5', type: 'num' },
      ]);
    },
    IN_LIGHT,
  ),
];
