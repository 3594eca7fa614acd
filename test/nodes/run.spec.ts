import assert from 'node:assert/strict';
import { client, passingTheId, pythonFunction, register, run, sink, surroundings } from './support/flow';
import { type Msg, useRuntime } from './support/runtime';

const ECHO = 'def echo(*args, **kwargs):\n    return [list(args), kwargs]\n';

describe('funcx-run', () => {
  const red = useRuntime();

  const load = (code: string, properties: Record<string, unknown> = {}) =>
    red.load([...surroundings(), pythonFunction(code), run(properties)]);

  async function errorOf(msg: Msg): Promise<{ message: string; code?: string; stack?: string; cause?: unknown }> {
    red.send('run', msg);
    return (await red.caught.first()).error as never;
  }

  describe('the message', () => {
    it('goes on as the same object, with the result on its payload', async () => {
      await load('def double(x):\n    return 2 * x\n');
      const msg = { payload: 21, topic: 'answers', _msgid: 'the-id', extra: { kept: true } };
      red.send('run', msg);
      const out = await red.out.first();
      assert.equal(out, msg);
      assert.equal(out.payload, 42);
      assert.equal(out._msgid, 'the-id');
      assert.equal(out.topic, 'answers');
      assert.deepEqual(out.extra, { kept: true });
    });

    it('keeps the request and the response of an HTTP In node as they are', async () => {
      await load('def f(x):\n    return x\n');
      const req = { circular: {} };
      req.circular = req;
      const res = { _res: { end() {} } };
      red.send('run', { payload: 1, req, res });
      const out = await red.out.first();
      assert.equal(out.req, req);
      assert.equal(out.res, res);
    });

    it('has the result on the property that is chosen, and its payload untouched', async () => {
      await load('def f(x):\n    return x + 1\n', { target: 'score.value' });
      red.send('run', { payload: 1 });
      const out = await red.out.first();
      assert.deepEqual(out.score, { value: 2 });
      assert.equal(out.payload, 1);
    });

    it('tells on msg.funcx which task it was, how it went, and what was printed', async () => {
      await load('def f(x):\n    print("working")\n    return x\n');
      red.send('run', { payload: 1, funcx: { mine: 'kept', taskIds: ['of an earlier batch'] } });
      const { funcx } = (await red.out.first()) as { funcx: Record<string, unknown> };
      const uuid = /^[0-9a-f-]{36}$/;
      for (const id of ['functionId', 'endpointId', 'taskId', 'taskGroupId']) assert.match(String(funcx[id]), uuid);
      assert.equal(funcx.status, 'success');
      assert.equal(new Date(String(funcx.completedAt)).toISOString(), funcx.completedAt);
      assert.deepEqual(Object.keys(funcx.timings as object).sort(), ['queuedMs', 'runMs']);
      assert.match((funcx.worker as { python_version: string }).python_version, /^3\./);
      assert.equal(funcx.output, 'working\n');
      assert.equal(funcx.mine, 'kept');
      assert.ok(!('taskIds' in funcx));
      assert.ok(!('output' in (funcx.worker as object)));
    });
  });

  describe('the function', () => {
    it('can be one whose id comes with the message', async () => {
      await red.load([
        ...surroundings(),
        register({ wires: [['run']], target: 'ignored' }),
        run({ functionFrom: 'id', message: 'x' }),
      ]);
      red.send('register', { payload: 'def f(x):\n    return -x\n', x: 5 });
      assert.equal((await red.out.first()).payload, -5);
    });

    it('is registered once, however many messages and nodes use it', async () => {
      await red.load([...surroundings(), pythonFunction('def f(x):\n    return x\n'), run(), run({ id: 'other' })]);
      for (let i = 0; i < 10; i++) red.send(i % 2 ? 'run' : 'other', { payload: i });
      const messages = await red.out.take(10);
      assert.equal(new Set(messages.map((msg) => (msg.funcx as { functionId: string }).functionId)).size, 1);
    });

    it('is the new one after its source was changed and deployed', async () => {
      const flow = (code: string) => [...surroundings(), pythonFunction(code), run()];
      await red.load(flow('def f(x):\n    return "old"\n'));
      red.send('run', { payload: 1 });
      await red.out.first();
      await red.deploy(flow('def f(x):\n    return "new"\n'), 'nodes');
      red.send('run', { payload: 1 });
      assert.equal((await red.out.take(2))[1]?.payload, 'new');
    });

    it('that is unknown to the service ends in an error with the id', async () => {
      await load('', { functionFrom: 'id' });
      const functionId = '4b116d3c-1703-4f8f-9f6f-39921e5864df';
      const error = await errorOf({ payload: 1, funcx: { functionId } });
      assert.equal(error.code, 'FUNCTION_NOT_FOUND');
      assert.match(error.message, new RegExp(functionId));
    });

    it('that is no UUID is refused before it is sent', async () => {
      await load('', { functionFrom: 'id', functionId: 'fn' });
      assert.equal((await errorOf({ payload: 1, fn: 'double' })).code, 'BAD_INPUT');
      assert.match(
        (await errorOf({ payload: 1, fn: 'double' })).message,
        /^Function: msg\.fn is "double"\. Give the id of a registered function: a UUID/,
      );
    });

    it('that is not chosen is asked for', async () => {
      await load('', { function: '' });
      assert.match((await errorOf({ payload: 1 })).message, /^Function: none is chosen\. Open the node/);
    });
  });

  describe('the endpoint', () => {
    it('can come with the message', async () => {
      await red.load([
        ...surroundings(),
        client({ id: 'second' }),
        pythonFunction('def f(x):\n    return x\n'),
        run({ id: 'there', client: 'second', wires: [['run']] }),
        run({ endpoint: 'funcx.endpointId', endpointType: 'msg' }),
        run({ id: 'here' }),
      ]);
      red.send('there', { payload: 1 });
      const there = (await red.out.first()).funcx as { endpointId: string };
      red.send('here', { payload: 2 });
      const here = (await red.out.take(2))[1]?.funcx as { endpointId: string };
      assert.notEqual(there.endpointId, here.endpointId);
    });

    it('that is no UUID is refused, and said to be what it is', async () => {
      await load(ECHO, { endpoint: 'the lab' });
      const error = await errorOf({ payload: 1 });
      assert.match(error.message, /^Endpoint: the value is "the lab"\. Give the id of an endpoint: a UUID/);
    });

    it('that does not exist ends in an error with the id', async () => {
      await load('def f(x):\n    return x\n', { endpoint: '4b116d3c-1703-4f8f-9f6f-39921e5864df' });
      const error = await errorOf({ payload: 1 });
      assert.equal(error.code, 'ENDPOINT_NOT_FOUND');
      assert.match(error.message, /4b116d3c-1703-4f8f-9f6f-39921e5864df/);
    });
  });

  describe('an exception in the function', () => {
    it('is caught with its last line as the message and the traceback as Python printed it', async () => {
      await load('def inner(x):\n    raise ValueError("boom")\n\ndef f(x):\n    return inner(x)\n');
      const msg = { payload: 1, topic: 'kept' };
      red.send('run', msg);
      const caught = (await red.caught.first()) as Msg & { error: Record<string, unknown> };
      assert.equal(caught.error.message, 'ValueError: boom');
      assert.equal(caught.error.code, 'REMOTE_EXCEPTION');
      const traceback =
        'Traceback (most recent call last):\n' +
        '  File "<string>", line 5, in f\n' +
        '  File "<string>", line 2, in inner\n' +
        'ValueError: boom\n';
      assert.equal(caught.error.stack, traceback);
      assert.equal(caught.error.cause, traceback);
      assert.equal((caught.error.source as { id: string }).id, 'run');
      assert.equal(caught.topic, 'kept');
      assert.equal(caught.payload, 1);
      assert.equal((caught.funcx as { status: string }).status, 'failed');
    });

    it('is followed by the next message as if nothing had been', async () => {
      await load('def f(x):\n    return 1 / x\n');
      red.send('run', { payload: 0 });
      red.send('run', { payload: 2 });
      assert.equal((await red.out.first()).payload, 0.5);
      assert.match(((await red.caught.first()).error as Error).message, /^ZeroDivisionError/);
    });
  });

  describe('passing the task id on', () => {
    it('sends the message on when the task is accepted, with its id as the payload', async () => {
      await load('def f(x):\n    import time\n    time.sleep(60)\n', passingTheId);
      red.send('run', { payload: 1, funcx: { status: 'success', mine: 1 } });
      const { payload, funcx } = (await red.out.first()) as { payload: string; funcx: Record<string, unknown> };
      assert.match(payload, /^[0-9a-f-]{36}$/);
      assert.deepEqual(Object.keys(funcx).sort(), ['endpointId', 'functionId', 'mine', 'taskGroupId', 'taskId']);
      assert.equal(funcx.taskId, payload);
    });
  });

  describe('a message that cannot be written to', () => {
    it('ends in a caught error', async () => {
      await load(ECHO);
      red.send('run', Object.freeze({ payload: 1, _msgid: 'frozen' }));
      assert.equal((await red.caught.first())._msgid, 'frozen');
    });

    it('on the property that is chosen ends in a caught error that names it', async () => {
      await load(ECHO, { target: 'payload.score' });
      const error = await errorOf({ payload: 5 });
      assert.match(error.message, /^The result cannot be written to msg\.payload\.score/);
    });
  });

  describe('without a client', () => {
    it('shows it, and ends every message in an error that says what to do', async () => {
      await red.load([...surroundings(), pythonFunction(ECHO), run({ client: 'gone' })]);
      const error = await errorOf({ payload: 1 });
      assert.equal(error.code, 'BAD_INPUT');
      assert.match(error.message, /^Client: the one chosen \(gone\) does not exist or is disabled\./);
    });
  });

  describe('Complete nodes', () => {
    it('hear of a message when its work is finished, and not before', async () => {
      await red.load([
        ...surroundings(),
        { id: 'complete-run', type: 'complete', z: 'tab', x: 1, y: 1, scope: ['run'], wires: [['completed']] },
        sink('completed'),
        pythonFunction('def f(x):\n    if x == 0: raise ValueError()\n    return x\n'),
        run(),
      ]);
      red.send('run', { payload: 0 });
      red.send('run', { payload: 7 });
      await red.caught.first();
      const completed = await red.inbox('completed').first();
      assert.equal(completed.payload, 7);
      assert.equal(red.inbox('completed').items.length, 1);
    });
  });
});
