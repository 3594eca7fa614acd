import assert from 'node:assert/strict';
import {
  batchRun,
  getResult,
  passingTheId,
  pythonFunction,
  results,
  run,
  sink,
  surroundings,
  then,
} from './support/flow';
import { type Msg, useRuntime } from './support/runtime';

const SLEEP_OR_FAIL =
  'def f(x):\n    import time\n    if x == "sleep": time.sleep(60)\n    if x == "fail": raise ValueError("no")\n    return x\n';

interface SdkResult {
  readonly pending: boolean;
  readonly status: string;
  readonly result?: unknown;
  readonly exception?: { readonly code: string; readonly message: string };
  readonly completion_t?: string;
}

type Funcx = { taskId: string; taskIds: string[]; pending: boolean; status: string };

describe('funcx-get-result', () => {
  const red = useRuntime();

  /** Tasks are started by nodes whose messages end at `started`; `ended` has those whose result is there. */
  async function load(properties = {}): Promise<void> {
    await red.load([
      ...surroundings(),
      sink('started'),
      sink('ended'),
      pythonFunction(SLEEP_OR_FAIL),
      run({ ...passingTheId, wires: [['started', 'results']] }),
      batchRun({ ...then('ids'), wires: [['started', 'results']] }),
      results({ wires: [['ended']] }),
      getResult(properties),
    ]);
  }

  async function started(id: string, msg: Msg): Promise<Msg> {
    red.send(id, msg);
    return red.inbox('started').first();
  }

  it('answers a task that has ended with its result, on the first output', async () => {
    await load();
    const msg = await started('run', { payload: 'value', topic: 'kept' });
    await red.inbox('ended').first();
    red.send('get', msg);
    const out = await red.out.first();
    assert.equal(out, msg);
    assert.equal(out.payload, 'value');
    assert.equal(out.topic, 'kept');
    const { pending, status, taskId } = out.funcx as Funcx;
    assert.deepEqual([pending, status], [false, 'success']);
    assert.match(taskId, /^[0-9a-f-]{36}$/);
  });

  it('answers a task that is under way on the second output, with its state and the payload untouched', async () => {
    await load();
    const { funcx } = await started('run', { payload: 'sleep' });
    red.send('get', { payload: 'untouched', funcx });
    const out = await red.inbox('pending').first();
    assert.equal(out.payload, 'untouched');
    const { pending, status } = out.funcx as Funcx;
    assert.equal(pending, true);
    assert.match(status, /^(received|waiting-for-|running|execution-start)/);
  });

  it('sends the failure of a task to a Catch node, as get_result raises it', async () => {
    await load();
    const { funcx } = await started('run', { payload: 'fail' });
    await red.caught.first();
    red.send('get', { funcx });
    const errors = (await red.caught.take(2)).map(({ error }) => error as { message: string; source: { id: string } });
    assert.equal(errors[1]?.message, 'ValueError: no');
    assert.equal(errors[1]?.source.id, 'get');
  });

  it('answers a list as get_batch_result does, on the first output when all have ended', async () => {
    await load();
    const { funcx } = await started('batch', { payload: ['a', 'fail'] });
    await red.inbox('ended').first();
    await red.caught.first();
    red.send('get', { funcx });
    const { payload, funcx: after } = (await red.out.first()) as { payload: Record<string, SdkResult>; funcx: Funcx };
    const [a = '', fail = ''] = (funcx as Funcx).taskIds;
    assert.deepEqual(Object.keys(payload), [a, fail]);
    assert.equal(payload[a]?.pending, false);
    assert.equal(payload[a]?.status, 'success');
    assert.equal(payload[a]?.result, 'a');
    assert.ok(Number(payload[a]?.completion_t) > 1.6e9);
    assert.equal(payload[fail]?.status, 'failed');
    assert.equal(payload[fail]?.exception?.message, 'ValueError: no');
    assert.deepEqual([after.pending, after.status], [false, 'failed']);
  });

  it('answers a list on the second output while one of them is under way', async () => {
    await load();
    const { funcx } = await started('batch', { payload: ['a', 'sleep'] });
    await red.inbox('ended').first();
    red.send('get', { funcx });
    const { payload } = (await red.inbox('pending').first()) as { payload: Record<string, SdkResult> };
    const [a = '', sleep = ''] = (funcx as Funcx).taskIds;
    assert.equal(payload[a]?.result, 'a');
    assert.equal(payload[sleep]?.pending, true);
    assert.ok(!('result' in (payload[sleep] ?? {})));
  });

  it('takes the ids from the property that is chosen', async () => {
    await load({ tasks: 'id', tasksType: 'msg', target: 'answer' });
    const { payload } = await started('run', { payload: 'value' });
    await red.inbox('ended').first();
    red.send('get', { id: payload, payload: 'untouched' });
    const out = await red.out.first();
    assert.deepEqual([out.answer, out.payload], ['value', 'untouched']);
  });

  it('tells of a task that the service does not know', async () => {
    await load();
    red.send('get', { funcx: { taskId: '4b116d3c-1703-4f8f-9f6f-39921e5864df' } });
    const { error } = (await red.caught.first()) as { error: { code: string } };
    assert.equal(error.code, 'TASK_NOT_FOUND');
  });
});
