import assert from 'node:assert/strict';
import { client, type FlowNode, passingTheId, placed, pythonFunction, run, tab } from './support/flow';
import { NodeRed } from './support/node-red';

const CODE = `
def f(x):
    import os, time
    if x == "fail": raise ValueError("no")
    if x == "exit": os._exit(3)
    if x == "sleep": time.sleep(60)
    if x == "pid": return os.getpid()
    return x
`;

/**
 * POST /run runs the function, and answers with its result or with the error; POST /start answers with the task id.
 * GET /status answers with the status of the node behind /run.
 */
function web(): FlowNode[] {
  return [
    tab,
    client({ python: '' }),
    pythonFunction(CODE),
    { ...placed('http in', 'in'), url: '/run', method: 'post', upload: false, wires: [['run']] },
    run({ message: 'payload.x', wires: [['ok']] }),
    { ...placed('http in', 'in-start'), url: '/start', method: 'post', upload: false, wires: [['start']] },
    run({ id: 'start', message: 'payload.x', ...passingTheId, wires: [['answer']] }),
    {
      ...placed('change', 'ok'),
      rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '{"result":payload,"funcx":funcx}', tot: 'jsonata' }],
      wires: [['answer']],
    },
    { ...placed('catch', 'catch-all'), scope: ['run', 'start'], uncaught: false, wires: [['failed']] },
    {
      ...placed('change', 'failed'),
      rules: [
        { t: 'set', p: 'payload', pt: 'msg', to: 'error', tot: 'msg' },
        { t: 'set', p: 'statusCode', pt: 'msg', to: '500', tot: 'num' },
      ],
      wires: [['answer']],
    },
    { ...placed('http response', 'answer'), statusCode: '', headers: {}, wires: [] },
    { ...placed('status', 'status'), scope: ['run'], wires: [['keep']] },
    {
      ...placed('change', 'keep'),
      rules: [{ t: 'set', p: 'status', pt: 'flow', to: 'status', tot: 'msg' }],
      wires: [[]],
    },
    { ...placed('http in', 'ask'), url: '/status', method: 'get', upload: false, wires: [['look']] },
    {
      ...placed('change', 'look'),
      rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'status', tot: 'flow' }],
      wires: [['answer']],
    },
  ];
}

describe('Node-RED with these nodes, as a process', function () {
  this.timeout(30_000);
  let red: NodeRed;

  beforeEach(() => {
    red = new NodeRed();
  });

  afterEach(() => red.dispose());

  const answerTo = (x: unknown) => red.ask('/run', { body: { x } });

  it('answers web requests with results of Python, and with its errors', async () => {
    await red.start({ flow: web() });
    const { body } = await answerTo('hello 😀');
    const { result, funcx } = body as { result: string; funcx: { status: string } };
    assert.equal(result, 'hello 😀');
    assert.equal(funcx.status, 'success');
    const failed = await answerTo('fail');
    assert.equal(failed.status, 500);
    const { message, code, stack, source } = failed.body as Record<string, unknown>;
    assert.deepEqual([message, code], ['ValueError: no', 'REMOTE_EXCEPTION']);
    assert.match(String(stack), /^Traceback .*ValueError: no\n$/s);
    assert.equal((source as { type: string }).type, 'funcx-run');
  });

  it('answers every one of many requests at once, also when functions fail and workers die', async () => {
    await red.start({ flow: web() });
    const asked = Array.from({ length: 200 }, (_, i) => (i % 50 === 25 ? 'exit' : i % 5 === 4 ? 'fail' : i));
    const answers = await Promise.all(asked.map(answerTo));
    for (const [i, { status, body }] of answers.entries()) {
      const x = asked[i];
      if (typeof x === 'number') assert.equal((body as { result: number }).result, x);
      else
        assert.deepEqual(
          [status, (body as { code: string }).code],
          [500, x === 'exit' ? 'WORKER_LOST' : 'REMOTE_EXCEPTION'],
        );
    }
    assert.ok(red.isRunning);
  });

  it('shows statuses in words of the catalogue', async () => {
    await red.start({ flow: web() });
    await answerTo('fail');
    let text = '';
    while (!text.startsWith('failed')) text = String(((await red.ask('/status')).body as { text?: string })?.text);
    assert.equal(text, 'failed: ValueError');
  });

  it('stops in less than a second in the middle of tasks, and leaves no worker behind', async () => {
    await red.start({ flow: web() });
    const { result: pid } = (await answerTo('pid')).body as { result: number };
    const unanswered = Promise.allSettled(['sleep', 'sleep', 'sleep'].map(answerTo));
    await answersNothing(red);
    const { how, ms } = await red.end('SIGTERM');
    await unanswered;
    assert.equal(how, 0);
    assert.ok(ms < 1000, `${ms} ms`);
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });

  it('starts again after it was killed, and its workers have ended with it', async () => {
    await red.start({ flow: web() });
    await answerTo(1);
    await red.end('SIGKILL');
    await red.start({ flow: web() });
    assert.equal(((await answerTo(2)).body as { result: number }).result, 2);
  });

  it('goes on without Python, and says in every error what to install', async () => {
    await red.start({ flow: web(), env: { PATH: '/nowhere' } });
    for (let i = 0; i < 3; i++) {
      const { status, body } = await answerTo(i);
      assert.equal(status, 500);
      const { code, message } = body as { code: string; message: string };
      assert.equal(code, 'PYTHON_NOT_FOUND');
      assert.match(message, /[Ii]nstall/);
    }
    assert.ok(red.isRunning);
  });

  it('goes on with results when nothing can be stored any more, and refuses what would have to be', async () => {
    await red.start({ flow: web(), fileLimit: 800 });
    // Now the client is open, and has registered the function: what waited for that would be stored too.
    await answerTo('first');
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => answerTo(`${i}${'x'.repeat(20_000)}`)));
    for (const [i, { body }] of answers.entries()) assert.ok((body as { result: string }).result.startsWith(`${i}x`));
    await red.logged(/Tasks and results cannot be stored at the moment/);
    const { status, body } = await red.ask('/start', { body: { x: 1 } });
    assert.deepEqual([status, (body as { code: string }).code], [500, 'STORE_FAILED']);
    assert.equal(((await answerTo('still here')).body as { result: string }).result, 'still here');
    const { ms } = await red.end('SIGTERM');
    assert.ok(ms < 1000, `${ms} ms`);
  });
});

/** Waits until the web server has taken in what was asked before. */
async function answersNothing(red: NodeRed): Promise<void> {
  await red.ask('/status');
}
