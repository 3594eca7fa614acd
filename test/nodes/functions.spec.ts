import assert from 'node:assert/strict';
import { pythonFunction, run, surroundings } from './support/flow';
import { type Msg, useRuntime } from './support/runtime';

describe('A Python function', () => {
  const red = useRuntime();

  const load = (code: string, properties = {}, clientProperties = {}) =>
    red.load([...surroundings(clientProperties), pythonFunction(code, properties), run()]);

  async function resultOf(payload: unknown): Promise<Msg> {
    red.send('run', { payload });
    return red.out.first();
  }

  async function errorOf(payload: unknown): Promise<{ code: string; message: string; stack: string }> {
    red.send('run', { payload });
    return (await red.caught.first()).error as never;
  }

  it('can import inside, and at the top of its source', async () => {
    await load('import math\n\ndef f(x):\n    import json\n    return json.dumps([math.floor(x)])\n');
    assert.equal((await resultOf(2.5)).payload, '[2]');
  });

  it('is the last one of its source unless an entry point is named', async () => {
    const code = 'def first(x):\n    return "first"\n\ndef last(x):\n    return "last"\n';
    await red.load([
      ...surroundings(),
      pythonFunction(code),
      pythonFunction(code, { id: 'named', entryPoint: 'first' }),
      run(),
      run({ id: 'run-named', function: 'named' }),
    ]);
    red.send('run-named', { payload: 1 });
    red.send('run', { payload: 1 });
    const payloads = (await red.out.take(2)).map(({ payload }) => payload);
    assert.deepEqual(payloads.sort(), ['first', 'last']);
  });

  it('may print a megabyte without disturbing its result; the beginning and the end of it are kept', async () => {
    await load('def f(x):\n    print("begin" + "x" * 1_000_000 + "end")\n    return x\n');
    const { payload, funcx } = await resultOf('result');
    const { output } = funcx as { output: string };
    assert.equal(payload, 'result');
    assert.match(output, /^beginx+\n….*left out.*…\nx+end\n$/);
    assert.ok(output.length < 100_000);
  });

  it('may write to the descriptors of its process without disturbing its result', async () => {
    await load('def f(x):\n    import os\n    for fd in (1, 2): os.write(fd, b"{}\\n\\x00\\xff")\n    return x\n');
    assert.equal((await resultOf('result')).payload, 'result');
  });

  it('may read from its standard input, which is empty', async () => {
    await load('def f(x):\n    import sys\n    return sys.stdin.read()\n');
    assert.equal((await resultOf(1)).payload, '');
  });

  it('that ends its process ends in a caught error that tells how', async () => {
    await load('def f(x):\n    import os\n    os._exit(7)\n');
    const error = await errorOf(1);
    assert.equal(error.code, 'WORKER_LOST');
    assert.match(error.message, /7/);
  });

  it('that calls sys.exit, or is interrupted, ends in that exception, and its worker goes on', async () => {
    await load(
      'def f(x):\n    import os, sys\n    if x == "exit": sys.exit(3)\n    if x == "stop": raise KeyboardInterrupt()\n    return x\n',
    );
    red.send('run', { payload: 'exit' });
    red.send('run', { payload: 'stop' });
    red.send('run', { payload: 'on' });
    assert.equal((await red.out.first()).payload, 'on');
    const messages = (await red.caught.take(2)).map(({ error }) => (error as Error).message);
    assert.deepEqual(messages.sort(), ['KeyboardInterrupt', 'SystemExit: 3']);
  });

  it('that never returns is stopped at the time limit of the client, and the next one is done', async () => {
    await load('def f(x):\n    while x: pass\n    return "done"\n', {}, { timeLimit: '0.5', workers: '1' });
    red.send('run', { payload: true });
    red.send('run', { payload: false });
    const error = (await red.caught.first()).error as { code: string; message: string };
    assert.equal(error.code, 'TASK_TIMEOUT');
    assert.match(error.message, /0\.5/);
    assert.equal((await red.out.first()).payload, 'done');
  });

  it('runs in as many workers at once as the client has', async () => {
    await load(
      'def f(folder):\n    import os, time\n    open(os.path.join(folder, str(os.getpid())), "w").close()\n' +
        '    while len([n for n in os.listdir(folder) if n.isdigit()]) < 4: time.sleep(0.01)\n    return os.getpid()\n',
      {},
      { workers: '4' },
    );
    // Each of the four waits until all four have begun.
    for (let i = 0; i < 4; i++) red.send('run', { payload: red.userDir });
    const pids = (await red.out.take(4)).map(({ payload }) => payload);
    assert.equal(new Set(pids).size, 4);
  });

  it('with a syntax error ends in a caught error that shows the line', async () => {
    await load('def f(x):\n    return x +\n');
    const error = await errorOf(1);
    assert.match(error.message, /^SyntaxError: invalid syntax/);
    assert.match(error.stack, /line 2\n {4}return x \+\n/);
  });

  it('without the entry point ends in a caught error that names the ones there are', async () => {
    await load('def real(x):\n    return x\n', { entryPoint: 'imagined' });
    const error = await errorOf(1);
    assert.equal(error.code, 'FUNCTION_NOT_LOADABLE');
    assert.match(error.message, /'imagined'.*real/);
  });

  it('that is no function at all is refused with what to write', async () => {
    await load('x = 1\n');
    const error = await errorOf(1);
    assert.equal(error.code, 'BAD_INPUT');
    assert.match(error.message, /def /);
  });

  it('with a missing module ends in a caught ModuleNotFoundError', async () => {
    await load('import no_such_module\ndef f(x):\n    return x\n');
    assert.match((await errorOf(1)).message, /^ModuleNotFoundError: No module named 'no_such_module'/);
  });

  it('of its own raises exceptions of its own, and Catch sees their message', async () => {
    await load('class TooHot(Exception):\n    pass\n\ndef f(x):\n    raise TooHot("42 °C\\nand rising")\n');
    assert.match((await errorOf(1)).message, /TooHot: 42 °C\nand rising$/);
  });
});
