import assert from 'node:assert/strict';
import { placed, pythonFunction, run, surroundings, tab } from './support/flow';
import { useRuntime } from './support/runtime';

const REPR = 'def f(x):\n    return [type(x).__name__, x]\n';

describe('A field whose value can come from anywhere', () => {
  const red = useRuntime();

  /** What Python sees of an argument that is given in this way. */
  async function seen(value: string, type: string, msg: Record<string, unknown> = {}): Promise<unknown> {
    await red.load([...surroundings(), pythonFunction(REPR), row(value, type)]);
    return answerTo(msg);
  }

  async function answerTo(msg: Record<string, unknown>): Promise<unknown> {
    red.send('run', msg);
    const ended = await Promise.race([red.out.first(), red.caught.first()]);
    if (ended.error !== undefined) throw Object.assign(new Error(), ended.error);
    return ended.payload;
  }

  const row = (value: string, type: string) =>
    run({ argsMode: 'rows', args: [{ name: 'x', kind: 'positional', value, type }] });

  for (const [what, value, type, result] of [
    ['text', '5', 'str', ['str', '5']],
    ['a whole number', '5', 'num', ['int', 5]],
    ['a number', '0.5', 'num', ['float', 0.5]],
    ['a boolean', 'true', 'bool', ['bool', true]],
    ['JSON', '{"a":[1]}', 'json', ['dict', { a: [1] }]],
    ['bytes', '[104,105]', 'bin', ['bytes', Buffer.from('hi')]],
  ] as const) {
    it(`takes ${what} as it is written`, async () => {
      assert.deepEqual(await seen(value, type), result);
    });
  }

  it('reads properties of the message at any depth', async () => {
    await red.load([
      ...surroundings(),
      pythonFunction('def f(*x):\n    return list(x)\n'),
      run({
        argsMode: 'rows',
        args: ['payload', 'a.b.c', 'list[1].name', 'a["odd name"]', 'list[msg.index].name', 'msg.topic'].map(
          (value) => ({
            name: value,
            kind: 'positional',
            value,
            type: 'msg',
          }),
        ),
      }),
    ]);
    const msg = {
      payload: 1,
      topic: 't',
      index: 0,
      a: { b: { c: 2 }, 'odd name': 3 },
      list: [{ name: 'x' }, { name: 'y' }],
    };
    assert.deepEqual(await answerTo(msg), [1, 2, 'y', 3, 'x', 't']);
  });

  it('reads flow and global context', async () => {
    await red.load([
      ...surroundings(),
      pythonFunction('def f(x, y):\n    return [x, y]\n'),
      run({
        argsMode: 'rows',
        args: [
          { name: 'x', kind: 'positional', value: 'limit', type: 'flow' },
          { name: 'y', kind: 'positional', value: 'site.name', type: 'global' },
        ],
      }),
    ]);
    const context = red.node('run').context();
    context.flow.set('limit', 10);
    context.global.set('site', { name: 'lab' });
    assert.deepEqual(await answerTo({}), [10, 'lab']);
    context.flow.set('limit', 20);
    red.send('run', {});
    assert.deepEqual((await red.out.take(2))[1]?.payload, [20, 'lab']);
  });

  it('reads environment variables, those of the flow too', async () => {
    const flow = surroundings().map((node) =>
      node === tab ? { ...tab, env: [{ name: 'SITE', value: 'lab', type: 'str' }] } : node,
    );
    await red.load([...flow, pythonFunction(REPR), row('SITE', 'env')]);
    assert.deepEqual(await answerTo({}), ['str', 'lab']);
  });

  it('evaluates JSONata with the message, its context functions included', async () => {
    await red.load([...surroundings(), pythonFunction(REPR), row('$sum(payload) + $flowContext("offset")', 'jsonata')]);
    red.node('run').context().flow.set('offset', 100);
    assert.deepEqual(await answerTo({ payload: [1, 2, 3] }), ['int', 106]);
  });

  it('evaluates JSONata for many messages at once without mixing them up', async () => {
    await red.load([...surroundings(), pythonFunction(REPR), row('payload * 2', 'jsonata')]);
    for (let i = 0; i < 100; i++) red.send('run', { payload: i, index: i });
    for (const { payload, index } of await red.out.take(100)) assert.deepEqual(payload, ['int', Number(index) * 2]);
  });

  for (const [what, value, type, message] of [
    ['broken JSON', '{"a":', 'json', /^Argument x: the value "{\\"a\\":" cannot be read: /],
    ['a number that is none', 'five', 'num', /^Argument x: the value "five" cannot be read: it is not a number$/],
    ['a broken expression', '$sum(', 'jsonata', /^Argument x: the expression \$sum\( cannot be read: /],
    ['a broken path', 'a..b', 'msg', /^Argument x: msg\.a\.\.b cannot be read: /],
  ] as const) {
    it(`with ${what} makes every message end in an error that names it`, async () => {
      await assert.rejects(seen(value, type), { code: 'BAD_INPUT', message });
    });
  }

  it('whose expression fails ends in a caught error, and the next message is done', async () => {
    await red.load([...surroundings(), pythonFunction(REPR), row('$number(payload)', 'jsonata')]);
    await assert.rejects(answerTo({ payload: 'not a number' }), {
      code: 'BAD_INPUT',
      message: /^Argument x: the expression/,
    });
    red.send('run', { payload: '7' });
    assert.deepEqual((await red.out.first()).payload, ['int', 7]);
  });
});

describe('A client that is chosen for each instance of a subflow', () => {
  const red = useRuntime();

  const instance = (id: string, chosen: string) => ({
    ...placed('subflow:sub', id),
    name: '',
    env: [{ name: 'CLIENT', value: chosen, type: 'conf-type' }],
  });

  it('is the one whose endpoint runs the tasks of that instance', async () => {
    await red.load([
      ...surroundings({ cwd: '/' }),
      { ...surroundings({ cwd: red.userDir })[1], id: 'second' } as never,
      pythonFunction('def f(x):\n    import os\n    return os.getcwd()\n'),
      {
        id: 'sub',
        type: 'subflow',
        name: 'runner',
        in: [{ x: 1, y: 1, wires: [{ id: 'inner' }] }],
        out: [{ x: 1, y: 1, wires: [{ id: 'inner', port: 0 }] }],
        env: [{ name: 'CLIENT', type: 'conf-type', value: '', ui: { type: 'conf-types' } }],
      },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: how Node-RED writes it
      run({ id: 'inner', z: 'sub', client: '${CLIENT}', wires: [[]] }),
      instance('one', 'client'),
      instance('two', 'second'),
    ]);
    red.send('one', { payload: 1, topic: 'one' });
    red.send('two', { payload: 1, topic: 'two' });
    const messages = await red.out.take(2);
    const folders = Object.fromEntries(messages.map(({ topic, payload }) => [topic, payload]));
    assert.deepEqual(folders, { one: '/', two: red.userDir });
  });
});
