import assert from 'node:assert/strict';
import { batchRun, placed, pythonFunction, sink, surroundings, then } from './support/flow';
import { type Msg, useRuntime } from './support/runtime';

const HALVE = 'def halve(x):\n    if x % 2: raise ValueError(f"{x} is odd")\n    return x // 2\n';

interface Failure {
  readonly index: number;
  readonly taskId: string;
  readonly code: string;
  readonly message: string;
  readonly traceback: string;
}

type Funcx = { taskIds: string[]; errors?: Failure[]; results?: unknown[]; status: string; taskGroupId: string };

describe('funcx-batch-run', () => {
  const red = useRuntime();

  const load = (code: string, ...properties: object[]) =>
    red.load([...surroundings(), pythonFunction(code), batchRun(Object.assign({}, ...properties))]);

  async function outOf(msg: Msg): Promise<Msg & { funcx: Funcx }> {
    red.send('batch', msg);
    return (await red.out.first()) as Msg & { funcx: Funcx };
  }

  async function caughtOf(msg: Msg): Promise<Msg & { funcx: Funcx; error: { code: string; message: string } }> {
    red.send('batch', msg);
    return (await red.caught.first()) as never;
  }

  describe('to one array', () => {
    it('answers with the results in the order of the items, on the same message', async () => {
      await load('def f(x):\n    import time\n    time.sleep(0.05 if x == 0 else 0)\n    return x * 10\n');
      const msg = { payload: [0, 1, 2, 3], topic: 'kept' };
      const out = await outOf(msg);
      assert.equal(out, msg);
      assert.deepEqual(out.payload, [0, 10, 20, 30]);
      assert.equal(out.topic, 'kept');
      assert.equal(new Set(out.funcx.taskIds).size, 4);
      assert.equal(out.funcx.status, 'success');
      assert.ok(!('errors' in out.funcx));
    });

    it('takes each item as a list of arguments', async () => {
      await load('def f(a, b):\n    return a - b\n', { itemIs: 'list' });
      assert.deepEqual(
        (
          await outOf({
            payload: [
              [5, 3],
              [1, 1],
            ],
          })
        ).payload,
        [2, 0],
      );
    });

    it('takes each item as keyword arguments', async () => {
      await load('def f(a, b=1):\n    return a - b\n', { itemIs: 'keywords' });
      assert.deepEqual((await outOf({ payload: [{ a: 5 }, { b: 2, a: 5 }] })).payload, [4, 3]);
    });

    it('goes to a Catch node when tasks failed, with what there is and why the others have none', async () => {
      await load(HALVE);
      const { funcx, error, payload } = await caughtOf({ payload: [2, 3, 4, 5] });
      assert.equal(error.code, 'BATCH_FAILED');
      assert.match(
        error.message,
        /^2 of 4 tasks failed\. The first, index 1 \(task [0-9a-f-]{36}\): ValueError: 3 is odd\./,
      );
      assert.deepEqual(payload, [2, 3, 4, 5]);
      assert.equal(funcx.status, 'failed');
      assert.deepEqual(funcx.results, [1, null, 2, null]);
      assert.deepEqual(
        funcx.errors?.map(({ index, code, message, taskId }) => [index, code, message, taskId]),
        [
          [1, 'REMOTE_EXCEPTION', 'ValueError: 3 is odd', funcx.taskIds[1]],
          [3, 'REMOTE_EXCEPTION', 'ValueError: 5 is odd', funcx.taskIds[3]],
        ],
      );
      assert.match(funcx.errors?.[0]?.traceback ?? '', /^Traceback .*ValueError: 3 is odd\n$/s);
    });

    it('goes on with null in the places of failed tasks, if it is set so', async () => {
      await load(HALVE, { failures: 'include' });
      const { payload, funcx } = await outOf({ payload: [2, 3, 4] });
      assert.deepEqual(payload, [1, null, 2]);
      assert.deepEqual(
        funcx.errors?.map(({ index }) => index),
        [1],
      );
    });

    it('of no items is an empty array, at once', async () => {
      await load(HALVE);
      assert.deepEqual((await outOf({ payload: [] })).payload, []);
    });

    it('of a thousand items is one message', async () => {
      await load('def f(x):\n    return x + 1\n');
      const items = Array.from({ length: 1000 }, (_, i) => i);
      assert.deepEqual(
        (await outOf({ payload: items })).payload,
        items.map((i) => i + 1),
      );
    });

    it('is refused as one when what it works on is no array', async () => {
      await load(HALVE);
      const { error } = await caughtOf({ payload: 'text' });
      assert.equal(error.message, 'Items: msg.payload is "text". Give an array of items, one for each task.');
    });

    it('names the item that cannot be arguments', async () => {
      await load(HALVE, { itemIs: 'list' });
      const { error } = await caughtOf({ payload: [[1], 2] });
      assert.equal(error.message, 'Items: msg.payload[1] is 2. Give an array of arguments.');
    });

    it('ends in the reason of the service when it accepts none of the tasks', async () => {
      await load(HALVE, { functionFrom: 'id' });
      const { error } = await caughtOf({
        payload: [1, 2],
        funcx: { functionId: '4b116d3c-1703-4f8f-9f6f-39921e5864df' },
      });
      assert.equal(error.code, 'FUNCTION_NOT_FOUND');
    });
  });

  describe('to a message for each', () => {
    it('sends every result as it completes, as its own message with parts', async () => {
      await load('def f(x):\n    return x * 10\n', then('each'));
      const request = { headers: {} };
      red.send('batch', { payload: [1, 2, 3], topic: 'kept', req: request, _msgid: 'id' });
      const messages = await red.out.take(3);
      const parts = messages.map((msg) => msg.parts as { id: string; index: number; count: number; type: string });
      assert.deepEqual(parts.map(({ index }) => index).sort(), [0, 1, 2]);
      assert.equal(new Set(parts.map(({ id }) => id)).size, 1);
      for (const [i, msg] of messages.entries()) {
        const { index, count, type } = parts[i] as (typeof parts)[number];
        assert.deepEqual([count, type], [3, 'array']);
        assert.equal(msg.payload, (index + 1) * 10);
        assert.equal(msg.topic, 'kept');
        assert.equal(msg.req, request);
        assert.equal(msg._msgid, 'id');
      }
      assert.equal(new Set(messages.map(({ funcx }) => funcx)).size, 3);
    });

    it('nests the parts that were there, so that Join puts both levels together again', async () => {
      const join = (id: string, to: string) => ({
        ...placed('join', id),
        name: '',
        mode: 'auto',
        build: 'object',
        property: 'payload',
        propertyType: 'msg',
        key: 'topic',
        joiner: '\\n',
        joinerType: 'str',
        useparts: true,
        accumulate: false,
        timeout: '',
        count: '',
        reduceRight: false,
        wires: [[to]],
      });
      await red.load(
        [
          ...surroundings(),
          {
            ...placed('split', 'split-outer'),
            splt: '\\n',
            spltType: 'str',
            arraySplt: 1,
            arraySpltType: 'len',
            stream: false,
            addname: '',
            property: 'payload',
            wires: [['batch']],
          },
          pythonFunction('def f(x):\n    return x * 10\n'),
          batchRun({ ...then('each'), wires: [['join-inner']] }),
          join('join-inner', 'join-outer'),
          join('join-outer', 'out'),
        ],
        ['sequence/17-split.js'],
      );
      red.send('split-outer', { payload: [[1, 2], [3], [4, 5, 6]] });
      assert.deepEqual((await red.out.first()).payload, [[10, 20], [30], [40, 50, 60]]);
    });

    it('tells Join where the array belongs when the results are not on the payload', async () => {
      await load('def f(x):\n    return x\n', then('each'), { target: 'score' });
      const { parts, payload, score } = await outOf({ payload: [7] });
      assert.equal((parts as { property: string }).property, 'score');
      assert.deepEqual([payload, score], [[7], 7]);
    });

    it('sends a failed one to a Catch node as its own message, and is then finished', async () => {
      await red.load([
        ...surroundings(),
        { ...placed('complete', 'completed-batch'), scope: ['batch'], wires: [['completed']] },
        sink('completed'),
        pythonFunction(HALVE),
        batchRun(then('each')),
      ]);
      red.send('batch', { payload: [2, 3, 4], topic: 'kept' });
      const caught = (await red.caught.first()) as Msg & { parts: { index: number }; error: { message: string } };
      assert.equal(caught.parts.index, 1);
      assert.equal(caught.error.message, 'ValueError: 3 is odd');
      assert.equal(caught.topic, 'kept');
      assert.deepEqual((await red.out.take(2)).map(({ payload }) => payload).sort(), [1, 2]);
      await red.inbox('completed').first();
      assert.equal(red.caught.items.length, 1);
    });

    it('sends a message that a result cannot be written to to a Catch node', async () => {
      await load('def f(x):\n    return x\n', then('each'), { target: 'kept.score', items: 'list' });
      red.send('batch', { list: [1], kept: 'no object' });
      const { error, parts } = (await red.caught.first()) as { error: { message: string }; parts: { index: number } };
      assert.match(error.message, /^The result cannot be written to msg\.kept\.score/);
      assert.equal(parts.index, 0);
    });

    it('of a thousand items ends each of them once, as its own result or its own error', async () => {
      await load(HALVE, then('each'));
      red.send('batch', { payload: Array.from({ length: 1000 }, (_, i) => i) });
      const out = await red.out.take(500);
      const caught = await red.caught.take(500);
      const indexOf = ({ parts }: Msg) => (parts as { index: number }).index;
      for (const msg of out) assert.equal(msg.payload, indexOf(msg) / 2);
      for (const msg of caught) assert.equal((msg.error as Error).message, `ValueError: ${indexOf(msg)} is odd`);
      assert.equal(new Set([...out, ...caught].map(indexOf)).size, 1000);
    });

    it('of no items sends nothing and is finished', async () => {
      await red.load([
        ...surroundings(),
        { ...placed('complete', 'completed-batch'), scope: ['batch'], wires: [['completed']] },
        sink('completed'),
        pythonFunction(HALVE),
        batchRun(then('each')),
      ]);
      red.send('batch', { payload: [] });
      await red.inbox('completed').first();
      assert.equal(red.out.items.length, 0);
    });
  });

  describe('to task ids', () => {
    it('sends the ids in the order of the items as soon as the tasks are accepted', async () => {
      await load('def f(x):\n    import time\n    time.sleep(60)\n', then('ids'));
      const { payload, funcx } = await outOf({ payload: [1, 2, 3], funcx: { taskId: 'of an earlier one' } });
      assert.equal((payload as string[]).length, 3);
      assert.deepEqual(funcx.taskIds, payload);
      assert.match(funcx.taskGroupId, /^[0-9a-f-]{36}$/);
      assert.ok(!('taskId' in funcx));
    });

    it('of no items is an empty array', async () => {
      await load(HALVE, then('ids'));
      assert.deepEqual((await outOf({ payload: [] })).payload, []);
    });
  });
});
