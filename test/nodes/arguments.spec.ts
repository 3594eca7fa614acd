import assert from 'node:assert/strict';
import { pythonFunction, run, surroundings } from './support/flow';
import { type Msg, useRuntime } from './support/runtime';

const ECHO = 'def echo(*args, **kwargs):\n    return [list(args), kwargs]\n';

describe('The arguments of funcx-run', () => {
  const red = useRuntime();

  const load = (code: string, properties: Record<string, unknown> = {}) =>
    red.load([...surroundings(), pythonFunction(code), run(properties)]);

  async function resultOf(msg: Msg): Promise<unknown> {
    red.send('run', msg);
    return (await red.out.first()).payload;
  }

  async function errorOf(msg: Msg): Promise<{ message: string; code?: string }> {
    red.send('run', msg);
    return (await red.caught.first()).error as never;
  }

  describe('in rows', () => {
    const rows = (...args: [name: string, kind: string, value: string, type: string][]) => ({
      argsMode: 'rows',
      args: args.map(([name, kind, value, type]) => ({ name, kind, value, type })),
    });

    it('are passed in order, as the SDK passes them', async () => {
      await load(
        "def funcx_hello(firstname, lastname):\n    return 'Hello {} {}'.format(firstname, lastname)\n",
        rows(['firstname', 'positional', 'Bob', 'str'], ['lastname', 'positional', 'payload', 'msg']),
      );
      assert.equal(await resultOf({ payload: 'Smith' }), 'Hello Bob Smith');
    });

    it('that are left to their defaults make the ones after them go by name', async () => {
      await load(
        'def f(a, b="default", c="default", *, d="default"):\n    return [a, b, c, d]\n',
        rows(
          ['a', 'positional', '1', 'num'],
          ['b', 'positional', '', ''],
          ['c', 'positional', '3', 'num'],
          ['d', 'keyword', '', ''],
        ),
      );
      assert.deepEqual(await resultOf({}), [1, 'default', 3, 'default']);
    });

    it('can be a list and an object for *args and **kwargs', async () => {
      await load(
        ECHO,
        rows(
          ['args', 'var-positional', 'payload', 'msg'],
          ['k', 'keyword', '"v"', 'json'],
          ['kwargs', 'var-keyword', '{"__proto__": 1, "more": 2}', 'json'],
        ),
      );
      const [args, kwargs] = (await resultOf({ payload: [1, 2] })) as [unknown, object];
      assert.deepEqual(args, [1, 2]);
      assert.deepEqual(Object.entries(kwargs).sort(), [
        ['__proto__', 1],
        ['k', 'v'],
        ['more', 2],
      ]);
    });

    it('that can only go by position are refused after one that is left out', async () => {
      await load(
        'def f(a=1, b=2, /):\n    return b\n',
        rows(['a', 'positional-only', '', ''], ['b', 'positional-only', '5', 'num']),
      );
      const error = await errorOf({});
      assert.equal(error.code, 'BAD_INPUT');
      assert.match(error.message, /^Argument b: .*Give a a value too\./);
    });

    it('that are missing from the message are named, with where they were looked for', async () => {
      await load('def f(x):\n    return x\n', rows(['x', 'positional', 'reading.value', 'msg']));
      const error = await errorOf({ payload: 1 });
      assert.equal(error.code, 'BAD_INPUT');
      assert.match(error.message, /^Argument x: msg\.reading\.value is undefined\./);
    });
  });

  describe('from the message', () => {
    it('are one argument', async () => {
      await load(ECHO);
      assert.deepEqual(await resultOf({ payload: [1, 2] }), [[[1, 2]], {}]);
    });

    it('are a list of arguments', async () => {
      await load(ECHO, { messageAs: 'list' });
      assert.deepEqual(await resultOf({ payload: [1, [2]] }), [[1, [2]], {}]);
    });

    it('are keywords', async () => {
      await load(ECHO, { messageAs: 'keywords', message: 'options' });
      assert.deepEqual(await resultOf({ options: { a: 1, b: null } }), [[], { a: 1, b: null }]);
    });

    it('of the wrong shape are refused, naming the property, what it is, and what to give', async () => {
      await load(ECHO, { messageAs: 'list' });
      const error = await errorOf({ payload: 5 });
      assert.equal(error.code, 'BAD_INPUT');
      assert.equal(error.message, 'Arguments: msg.payload is 5. Give an array of arguments.');
    });
  });
});
