import assert from 'node:assert/strict';
import { pythonFunction, register, run, search, surroundings } from './support/flow';
import { type Msg, useRuntime } from './support/runtime';

const DOUBLE = 'def double(x):\n    return 2 * x\n';
const UUID = /^[0-9a-f-]{36}$/;

describe('funcx-register', () => {
  const red = useRuntime();

  async function outOf(msg: Msg): Promise<Msg> {
    red.send('register', msg);
    return red.out.first();
  }

  it('registers the source of the message, and passes the id on with the same message', async () => {
    await red.load([...surroundings(), register()]);
    const msg = { payload: DOUBLE, topic: 'kept', funcx: { taskId: 'of before', mine: 1 } };
    const out = await outOf(msg);
    assert.equal(out, msg);
    assert.match(String(out.payload), UUID);
    assert.equal(out.topic, 'kept');
    assert.deepEqual(out.funcx, { functionId: out.payload, mine: 1 });
  });

  it('gives the same source the same id', async () => {
    await red.load([...surroundings(), register()]);
    for (const source of [DOUBLE, DOUBLE, DOUBLE.replace('2', '3')]) red.send('register', { payload: source });
    const [first, second, third] = (await red.out.take(3)).map(({ payload }) => payload);
    assert.equal(first, second);
    assert.notEqual(first, third);
  });

  it('registers a funcx-function node, so that its id can be run', async () => {
    await red.load([
      ...surroundings(),
      pythonFunction(DOUBLE),
      register({ function: 'function', target: 'ignored', wires: [['run']] }),
      run({ functionFrom: 'id' }),
    ]);
    assert.equal((await outOf({ payload: 4 })).payload, 8);
  });

  it('passes on the id of a funcx-function node that holds one', async () => {
    const functionId = '4b116d3c-1703-4f8f-9f6f-39921e5864df';
    await red.load([
      ...surroundings(),
      pythonFunction('', { mode: 'id', functionId }),
      register({ function: 'function' }),
    ]);
    assert.equal((await outOf({})).payload, functionId);
  });

  it('takes entry point and description from the message', async () => {
    const properties = { entryPoint: 'entry', entryPointType: 'msg', description: 'about', descriptionType: 'msg' };
    await red.load([
      ...surroundings(),
      register({ ...properties, wires: [['search']] }),
      search({ query: 'quadruples', queryType: 'str' }),
    ]);
    const payload = `${DOUBLE}\ndef helper(x):\n    return x\n`;
    const page = (await outOf({ payload, entry: 'double', about: 'quadruples nothing' })).payload as { results: Msg[] };
    assert.equal(page.results[0]?.function_name, 'double');
    assert.equal(page.results[0]?.description, 'quadruples nothing');
  });

  it('refuses what is no text, and text without a function', async () => {
    await red.load([...surroundings(), register()]);
    red.send('register', { payload: 5 });
    red.send('register', { payload: 'x = 1' });
    const [number, text] = (await red.caught.take(2)).map(({ error }) => error as { code: string; message: string });
    assert.equal(number?.message, 'Source: msg.payload is 5. Give text.');
    assert.equal(text?.code, 'BAD_INPUT');
  });
});

describe('funcx-function', () => {
  const red = useRuntime();

  it('that holds an id which is none is refused by the nodes that use it, with its name', async () => {
    await red.load([...surroundings(), pythonFunction('', { mode: 'id', functionId: 'nope', name: 'scorer' }), run()]);
    red.send('run', { payload: 1 });
    const { error } = (await red.caught.first()) as { error: { message: string } };
    assert.match(error.message, /^Function id: that of scorer is "nope"\./);
  });
});

describe('funcx-search', () => {
  const red = useRuntime();

  it('finds what was registered, page by page, as search_function does', async () => {
    await red.load([
      ...surroundings(),
      register({ wires: [['out']] }),
      search({ limit: '2', offset: 'from', offsetType: 'msg' }),
    ]);
    for (const name of ['score_a', 'score_b', 'score_c'])
      red.send('register', { payload: `def ${name}(x):\n    return x\n` });
    await red.out.take(3);
    red.send('search', { payload: 'score', from: 2, topic: 'kept' });
    const [, , , out] = await red.out.take(4);
    const page = out?.payload as {
      results: Msg[];
      count: number;
      total: number;
      offset: number;
      has_next_page: boolean;
    };
    assert.deepEqual([page.count, page.total, page.offset, page.has_next_page], [1, 3, 2, false]);
    assert.match(String(page.results[0]?.function_uuid), UUID);
    assert.match(String(page.results[0]?.function_source), /def score_/);
    assert.equal(out?.topic, 'kept');
  });

  it('refuses an offset that is no count', async () => {
    await red.load([...surroundings(), search({ offset: 'from', offsetType: 'msg' })]);
    red.send('search', { payload: 'x', from: -1 });
    const { error } = (await red.caught.first()) as { error: { message: string } };
    assert.equal(error.message, 'Offset: msg.from is -1. Give a whole number, 0 or more.');
  });
});
