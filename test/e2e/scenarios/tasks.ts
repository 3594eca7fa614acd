import assert from 'node:assert/strict';
import { eventually } from '../eventually';
import { SECRET } from '../leg';
import type { FlowNode } from '../node-red';
import { IN_LIGHT, scenario } from '../scenario';
import { CLIENT, caught, debug, inject, node, pythonFunction, TAB, then } from './flows';

const SQUARE = `def square(number):
    if number < 0:
        raise ValueError(f"{number} is below zero")
    return number ** 2
`;

const HALF = 'def half_of_it(number):\\n    return number / 2\\n';

/** Every node of the package has a part in it. */
const FLOW: readonly FlowNode[] = [
  TAB,
  CLIENT,
  pythonFunction('function', SQUARE, 'square'),

  inject({ id: 'source', x: 130, y: 60, wires: [['register']] }, `"${HALF}"`, 'jsonata'),
  node('register', { id: 'register', x: 330, y: 60, wires: [['registered']] }),
  debug({ id: 'registered', x: 730, y: 60 }),

  inject({ id: 'words', x: 130, y: 120, wires: [['search']] }, 'half_of_it', 'str'),
  node('search', { id: 'search', x: 330, y: 120, wires: [['by-id']] }, { target: 'found' }),
  node(
    'run',
    { id: 'by-id', x: 530, y: 120, wires: [['found']] },
    {
      functionFrom: 'id',
      functionId: 'found.results[0].function_uuid',
      message: '[found.total * 84]',
      messageType: 'jsonata',
      messageAs: 'list',
    },
  ),
  debug({ id: 'found', x: 730, y: 120 }),

  inject({ id: 'number', x: 130, y: 180, wires: [['send']] }, '12', 'num'),
  node('run', { id: 'send', x: 330, y: 180, wires: [['wait', 'ask']] }, { ...then('id') }),
  node('results', { id: 'wait', x: 530, y: 180, wires: [['waited']] }),
  debug({ id: 'waited', x: 730, y: 180 }),
  node('get-result', { id: 'ask', x: 530, y: 240, wires: [['asked'], ['later']] }),
  {
    ...inject({ id: 'later', x: 530, y: 300, wires: [['ask']] }, '', 'str'),
    type: 'delay',
    pauseType: 'delay',
    timeout: '100',
    timeoutUnits: 'milliseconds',
    rate: '1',
    nbRateUnits: '1',
    rateUnits: 'second',
    randomFirst: '1',
    randomLast: '5',
    randomUnits: 'seconds',
    drop: false,
    outputs: 1,
  },
  debug({ id: 'asked', x: 730, y: 240 }),

  inject({ id: 'numbers', x: 130, y: 360, wires: [['batch', 'each']] }, '[1,2,3,4]', 'json'),
  node('batch-run', { id: 'batch', x: 330, y: 360, wires: [['together']] }),
  debug({ id: 'together', x: 730, y: 360 }),
  node('batch-run', { id: 'each', x: 330, y: 420, wires: [['one by one']] }, { ...then('each') }),
  debug({ id: 'one by one', x: 730, y: 420 }),

  inject({ id: 'below', x: 130, y: 480, wires: [['fails']] }, '-3', 'num'),
  node('run', { id: 'fails', x: 330, y: 480, wires: [['together']] }),
  caught({ id: 'catch', x: 530, y: 480, wires: [['caught']] }),
  debug({ id: 'caught', x: 730, y: 480 }, 'error.message'),
];

/** What the editor and its dialogs ask of the runtime. */
const ASKED = [
  'settings',
  'settings/user',
  'flows',
  'funcx/python',
  'funcx/endpoints?client=client',
  'funcx/functions?client=client&q=half',
];

export const tasks = [
  scenario(
    'tasks',
    'register, search, run, get result, results and batch run deliver on the debug panel, and an exception is caught',
    async (leg) => {
      const editor = await leg.open(FLOW);
      await editor.debug.open();
      assert.deepEqual(await editor.invalidNodes(), []);
      const press = (id: string) => editor.node(id).press();
      const status = (id: string, expected: RegExp) =>
        eventually(
          `The status of ${id}`,
          () => editor.node(id).status(),
          ({ text, look }) => expected.test(`${look} ${text}`),
        );

      await press('source');
      const [id] = await editor.debug.texts('registered');
      assert.match(id ?? '', /^"[0-9a-f]{8}-[0-9a-f-]{27}"$/);
      await status('register', /^dot-green done\b/);

      await press('words');
      assert.deepEqual(await editor.debug.texts('found'), ['42']);
      await status('search', /^dot-green done\b/);

      await press('number');
      assert.deepEqual(await editor.debug.texts('waited'), ['144']);
      assert.deepEqual(await editor.debug.texts('asked'), ['144']);
      await status('wait', /^dot-green done\b/);
      await status('ask', /^dot-green done\b/);

      await press('numbers');
      assert.match((await editor.debug.texts('together'))[0] ?? '', /^\[ 1, 4, 9, 16 \]$/);
      assert.deepEqual((await editor.debug.texts('one by one', 4)).sort(), ['1', '16', '4', '9']);
      await status('batch', /^dot-green done\b/);

      await press('below');
      assert.deepEqual(await editor.debug.texts('caught'), ['"ValueError: -3 is below zero"']);
      await status('fails', /^ring-red failed: ValueError$/);

      for (const path of ASKED) {
        const answer = await leg.server.ask(path);
        assert.equal(answer.status, 200, path);
        assert.ok(!(await answer.text()).includes(SECRET), `${path} tells no secret`);
      }
    },
    IN_LIGHT,
  ),
];
