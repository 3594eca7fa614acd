/** Each dialog: filled by hand, saved, opened again, and deployed. */
import assert from 'node:assert/strict';
import type { Leg } from '../leg';
import type { FieldValue } from '../pages/dialog';
import type { FlowNode } from '../pages/flow-node';
import { IN_LIGHT, scenario } from '../scenario';
import { CLIENT, FUNCTION, TAB, then } from './flows';

const UUID = '4b116d3c-1703-4f8f-9f6f-39921e5864df';

interface Filling {
  /** By property, in the order in which they are filled. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** Those of the folded section. */
  readonly options: Readonly<Record<string, FieldValue>>;
  /** What is deployed. */
  readonly stored: Readonly<Record<string, unknown>>;
}

export const dialogs = [
  scenario(
    'dialog-run',
    'the dialog of run keeps what is filled in, with the function chosen and given by its id',
    async (leg) => {
      const run = await add(leg, 'funcx-run');
      await keeps(run, {
        fields: {
          function: 'function',
          endpoint: { type: 'str', value: UUID },
          argsMode: 'rows',
          ...then('id'),
          name: 'detect them',
        },
        options: {
          deadline: { type: 'num', value: '30' },
          retries: '3',
          late: 'send',
          retryErrors: 'ValueError, WORKER_LOST',
          backoff: '0.5',
          target: 'answer',
        },
        stored: {
          deadline: '30',
          deadlineType: 'num',
          late: 'send',
          retries: '3',
          retryErrors: 'ValueError, WORKER_LOST',
          backoff: '0.5',
          memoize: '',
          function: 'function',
          functionFrom: 'node',
          endpoint: UUID,
          endpointType: 'str',
          ...then('id'),
          target: 'answer',
        },
      });
      await keeps(run, {
        fields: {
          functionFrom: 'id',
          functionId: { type: 'flow', value: 'which' },
          endpoint: { type: 'msg', value: 'funcx.endpointId' },
          argsMode: 'message',
          message: { type: 'jsonata', value: '[payload, 3]' },
          messageAs: 'list',
          ...then('result'),
          name: '',
        },
        options: { deadline: { type: 'msg', value: 'within' }, memoize: '60', target: 'payload.found' },
        stored: {
          deadline: 'within',
          deadlineType: 'msg',
          memoize: '60',
          functionFrom: 'id',
          functionId: 'which',
          functionIdType: 'flow',
          endpoint: 'funcx.endpointId',
          endpointType: 'msg',
          argsMode: 'message',
          message: '[payload, 3]',
          messageType: 'jsonata',
          messageAs: 'list',
          ...then('result'),
          target: 'payload.found',
        },
      });
      assert.equal(await run.label(), 'run flow.which');
    },
    IN_LIGHT,
  ),

  scenario(
    'dialog-batch-run',
    'the dialog of batch run keeps what is filled in',
    async (leg) => {
      const batch = await add(leg, 'funcx-batch-run');
      await keeps(batch, {
        fields: {
          function: 'function',
          items: { type: 'jsonata', value: '[1..10]' },
          itemIs: 'keywords',
          ...then('array'),
        },
        options: {
          failures: 'include',
          deadline: { type: 'jsonata', value: '$count(payload)' },
          memoize: '3600',
          target: 'answers',
        },
        stored: {
          deadline: '$count(payload)',
          deadlineType: 'jsonata',
          late: 'drop',
          memoize: '3600',
          function: 'function',
          items: '[1..10]',
          itemsType: 'jsonata',
          itemIs: 'keywords',
          ...then('array'),
          failures: 'include',
          target: 'answers',
        },
      });
      assert.equal(await batch.label(), 'batch detect × [1..10]');
      await keeps(batch, {
        fields: {
          functionFrom: 'id',
          functionId: { type: 'str', value: UUID },
          endpoint: { type: 'env', value: 'ENDPOINT' },
          items: { type: 'msg', value: 'payload' },
          itemIs: 'list',
          ...then('each'),
          name: 'many',
        },
        options: { target: 'payload' },
        stored: {
          functionFrom: 'id',
          functionId: UUID,
          functionIdType: 'str',
          endpoint: 'ENDPOINT',
          endpointType: 'env',
          items: 'payload',
          itemIs: 'list',
          ...then('each'),
          name: 'many',
        },
      });
    },
    IN_LIGHT,
  ),

  scenario(
    'dialog-register',
    'the dialog of register keeps what is filled in, with source from the message and with a chosen function',
    async (leg) => {
      const register = await add(leg, 'funcx-register');
      await keeps(register, {
        fields: { source: { type: 'global', value: 'code' } },
        options: {
          entryPoint: { type: 'str', value: 'detect' },
          description: { type: 'msg', value: 'topic' },
          public: true,
          group: UUID,
          target: 'funcx.registered',
        },
        stored: {
          function: '',
          source: 'code',
          sourceType: 'global',
          entryPoint: 'detect',
          entryPointType: 'str',
          description: 'topic',
          descriptionType: 'msg',
          public: true,
          group: UUID,
          target: 'funcx.registered',
        },
      });
      assert.equal(await register.label(), 'register global.code');

      const dialog = await register.open();
      await leg.page.locator('#funcx-register-from').selectOption('node');
      await dialog.isWrongIn('Function');
      await dialog.fill({ function: 'function' });
      await dialog.done();
      assert.equal(await register.label(), 'register detect');
      const again = await register.open();
      assert.equal(await leg.page.locator('#funcx-register-from').inputValue(), 'node');
      await again.cancel();
    },
    IN_LIGHT,
  ),

  scenario(
    'dialog-get-result',
    'the dialog of get result keeps what is filled in',
    async (leg) => {
      const get = await add(leg, 'funcx-get-result');
      const dialog = await get.open();
      assert.deepEqual(await dialog.typed('tasks').value(), { type: 'task', value: '' });
      assert.deepEqual((await dialog.typed('tasks').types()).slice(0, 2), ['task', 'msg']);
      await dialog.done();
      assert.deepEqual(await get.problems(), []);
      await keeps(get, {
        fields: { tasks: { type: 'msg', value: 'ids' }, name: 'ask' },
        options: { target: 'answer' },
        stored: { tasks: 'ids', tasksType: 'msg', target: 'answer', name: 'ask' },
      });
      await keeps(get, {
        fields: { tasks: { type: 'task', value: '' }, name: '' },
        options: {},
        stored: { tasks: '', tasksType: 'msg' },
      });
      assert.equal(await get.label(), 'get result');
    },
    IN_LIGHT,
  ),

  scenario(
    'dialog-results',
    'the dialog of results keeps what is filled in, and has no input where results come from the client',
    async (leg) => {
      const results = await add(leg, 'funcx-results');
      const inputs = results.element.locator('.red-ui-flow-port-input');
      await keeps(results, {
        fields: { from: 'client' },
        options: { target: 'late' },
        stored: { from: 'client', inputs: 0, target: 'late' },
      });
      assert.equal(await inputs.count(), 0);
      assert.equal(await results.label(), 'results of this machine');
      await keeps(results, {
        fields: { from: 'message', order: 'together', name: 'all of them' },
        options: { tasks: { type: 'json', value: `["${UUID}"]` }, target: 'payload' },
        stored: { from: 'message', inputs: 1, order: 'together', tasks: `["${UUID}"]`, tasksType: 'json' },
      });
      assert.equal(await inputs.count(), 1);
    },
    IN_LIGHT,
  ),

  scenario(
    'dialog-search',
    'the dialog of search keeps what is filled in',
    async (leg) => {
      const search = await add(leg, 'funcx-search');
      await keeps(search, {
        fields: { query: { type: 'str', value: 'anomaly' } },
        options: { offset: { type: 'msg', value: 'from' }, limit: { type: 'num', value: '25' }, target: 'page' },
        stored: {
          query: 'anomaly',
          queryType: 'str',
          offset: 'from',
          offsetType: 'msg',
          limit: '25',
          limitType: 'num',
          target: 'page',
        },
      });
      assert.equal(await search.label(), 'search "anomaly"');
    },
    IN_LIGHT,
  ),
];

/** Drags a node into a flow that has a client and a function. */
async function add(leg: Leg, type: string): Promise<FlowNode> {
  const editor = await leg.open([TAB, CLIENT, FUNCTION]);
  return editor.add(type, 300, 200);
}

async function keeps(node: FlowNode, { fields, options, stored }: Filling): Promise<void> {
  const properties = Object.keys(fields);
  const folded = Object.keys(options);
  const dialog = await node.open();
  await dialog.fill(fields);
  if (folded.length > 0) await dialog.openOptions();
  await dialog.fill(options);
  await dialog.isWrongIn();
  await dialog.done();
  assert.deepEqual(await node.problems(), []);

  const again = await node.open();
  assert.deepEqual(await again.read(properties), fields);
  if (folded.length > 0) await again.openOptions();
  assert.deepEqual(await again.read(folded), options);
  await again.cancel();

  const saved = await node.stored();
  const relevant = Object.fromEntries(Object.keys(stored).map((property) => [property, saved[property]]));
  assert.deepEqual(relevant, stored);
}
