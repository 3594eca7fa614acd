/** Every way in which a function can end by itself, as the one who called it is told. */
import assert from 'node:assert/strict';
import { RemoteException, type TaskError } from '../../../dist/lib/index.js';
import { Lab } from './fixture.js';

/** Most characters of a result. Source: Globus Compute documentation, "Limits". */
const LIMIT = 10 * 1024 * 1024;

describe('a task of the hub', () => {
  let lab: Lab;

  before(async () => {
    lab = await Lab.open();
  });
  after(() => lab.clean());

  async function raised(source: string, ...args: unknown[]): Promise<RemoteException> {
    const error = await lab.error(source, ...args);
    assert.ok(error instanceof RemoteException, `${error.code}: ${error.message}`);
    return error;
  }

  /** The function's entry point is still answered after what a test has done to a worker. */
  afterEach('workers go on', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map((x) => lab.result('def same(x):\n    return x', x)));
    assert.deepEqual(answers, [1, 2, 3, 4]);
  });

  describe('that returns', () => {
    it('gives its result, its times, and what its worker says of itself', async () => {
      const before = Date.now();
      const outcome = await lab.run('def add(a, b):\n    return a + b', [1, 2]);
      const after = Date.now();
      assert.ok(outcome.status === 'success');
      assert.equal(outcome.result, 3);
      assert.equal(outcome.endpointId, lab.endpoint);
      const completed = outcome.completedAt?.getTime() ?? 0;
      assert.ok(before - 5 <= completed && completed <= after + 5, `${before} ${completed} ${after}`);
      assert.ok((outcome.timings?.runMs ?? -1) >= 0 && (outcome.timings?.queuedMs ?? -1) >= 0);
      assert.match(outcome.worker?.python_version ?? '', /^3\.\d+\.\d+/);
      assert.ok((outcome.worker?.os ?? '').length > 0);
    });

    it('gives None as null', async () => {
      assert.equal(await lab.result('def nothing():\n    pass'), null);
    });

    it('takes keyword arguments, *args and **kwargs', async () => {
      const source = 'def all(a, *args, b=2, **kwargs):\n    return [a, args, b, kwargs]';
      const outcome = await lab.run(source, [1, 2, 3], { b: 4, c: { d: 5 } });
      assert.ok(outcome.status === 'success');
      assert.deepEqual(outcome.result, [1, [2, 3], 4, { c: { d: 5 } }]);
    });

    it('may use imports and helpers beside the function', async () => {
      const source = [
        'import math',
        'from collections import Counter',
        'BASE = 2',
        'def helper(x):',
        '    return math.sqrt(x) * BASE',
        'def main(x):',
        '    import json',
        '    return [helper(x), json.dumps(Counter("aab"))]',
      ].join('\n');
      assert.deepEqual(await lab.result(source, 16), [8, '{"a": 2, "b": 1}']);
    });

    it('may define dataclasses, also with annotations that are text', async () => {
      const source = [
        'from __future__ import annotations',
        'from dataclasses import asdict, dataclass',
        '@dataclass',
        'class Point:',
        '    x: int',
        '    y: int = 2',
        'def main():',
        '    return asdict(Point(1))',
      ].join('\n');
      assert.deepEqual(await lab.result(source), { x: 1, y: 2 });
    });

    it('is not the main program, and has its entry point called though others are defined', async () => {
      const source =
        'if __name__ == "__main__":\n    raise SystemExit\ndef one():\n    return 1\ndef two():\n    return 2';
      const functionId = await lab.function(source, 'one');
      const id = await lab.client.run({ functionId });
      await new Promise((resolve) => lab.client.waitFor(id, resolve));
      assert.equal(await lab.client.getResult(id), 1);
    });
  });

  describe('that raises', () => {
    it('fails with the traceback as Python prints it, without frames of ours', async () => {
      const error = await raised('\n\ndef bad():\n    x = 1\n    raise ValueError("boom ✓")');
      // Seen with the real worker of Globus Compute 4.15.
      assert.equal(
        error.traceback,
        'Traceback (most recent call last):\n  File "<string>", line 5, in bad\nValueError: boom ✓\n',
      );
      assert.equal(error.code, 'REMOTE_EXCEPTION');
      assert.equal(error.message, 'ValueError: boom ✓');
      assert.equal(error.pythonType, 'ValueError');
      assert.equal(error.pythonMessage, 'boom ✓');
    });

    it('shows each of its own frames, and an exception of its own class by its bare name', async () => {
      const source = [
        'class Trouble(Exception):',
        '    pass',
        'def inner():',
        '    raise Trouble("deep")',
        'def outer():',
        '    inner()',
      ].join('\n');
      assert.equal(
        (await raised(source)).traceback,
        'Traceback (most recent call last):\n  File "<string>", line 6, in outer\n  File "<string>", line 4, in inner\nTrouble: deep\n',
      );
    });

    it('keeps the exception that was the cause', async () => {
      const { traceback, pythonType } = await raised(
        'def f():\n    try:\n        {}["k"]\n    except KeyError as e:\n        raise RuntimeError("no k") from e',
      );
      assert.match(traceback, /KeyError: 'k'\n\nThe above exception was the direct cause .*\n\nTraceback/);
      assert.equal(pythonType, 'RuntimeError');
    });

    for (const [what, statement, type] of [
      ['leaves Python', 'import sys; sys.exit(3)', 'SystemExit'],
      ['is interrupted', 'raise KeyboardInterrupt', 'KeyboardInterrupt'],
      ['calls itself for ever', 'f()', 'RecursionError'],
      ['raises a BaseException', 'raise BaseException("base")', 'BaseException'],
      ['raises StopIteration', 'next(iter([]))', 'StopIteration'],
      ['needs more memory than there is', 'bytearray(1 << 60)', 'MemoryError'],
      ['imports what is not there', 'import no_such_module', 'ModuleNotFoundError'],
      ['reads from its input, which is empty', 'input()', 'EOFError'],
      ['is called with the wrong arguments', 'f(1)', 'TypeError'],
    ] as const) {
      it(`fails when it ${what}, and its worker lives on`, async () => {
        const error = await raised(`def f():\n    ${statement}`);
        assert.equal(error.pythonType, type);
        assert.match(error.traceback, /^Traceback \(most recent call last\):\n {2}File "<string>", line 2, in f\n/);
        assert.doesNotMatch(error.traceback, /worker\.py|funcx_worker/);
      });
    }

    it('fails when its exception cannot even be shown', async () => {
      const source = [
        'class Mute(Exception):',
        '    def __str__(self):',
        '        raise SystemExit',
        'def f():',
        '    raise Mute',
      ].join('\n');
      assert.equal((await raised(source)).pythonType, 'Mute');
    });

    it('fails when its message has half a character, which comes escaped', async () => {
      const { pythonMessage } = await raised('def f():\n    raise ValueError("a\\udcffb")');
      assert.equal(pythonMessage, 'a\\udcffb');
    });

    it('keeps the beginning and the end of a message that is too large', async () => {
      const { traceback } = await raised('def f():\n    raise ValueError("a" * 11_000_000 + "the end")');
      assert.ok(traceback.length < LIMIT);
      assert.match(traceback.slice(0, 100), /^Traceback/);
      assert.match(traceback.slice(-100), /a+the end\n$/);
    });

    it('keeps a message of many lines together', async () => {
      const error = await raised('def f():\n    raise ValueError("first\\n  second: 2\\nthird: 3")');
      assert.equal(error.pythonType, 'ValueError');
      assert.equal(error.pythonMessage, 'first\n  second: 2\nthird: 3');
    });
  });

  describe('whose function cannot be made', () => {
    it('fails with the place of a syntax error', async () => {
      const error = await raised('def f(:\n    pass');
      assert.equal(error.pythonType, 'SyntaxError');
      assert.match(error.traceback, /File "<string>", line 1\n/);
      assert.doesNotMatch(error.traceback, /worker/);
    });

    it('fails with the exception of code at the top level', async () => {
      const error = await raised('import no_such_module\ndef f():\n    pass');
      assert.equal(error.message, "ModuleNotFoundError: No module named 'no_such_module'");
      assert.equal(
        error.traceback,
        'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\n' +
          "ModuleNotFoundError: No module named 'no_such_module'\n",
      );
    });

    it('fails when the entry point is missing, and names the functions there are', async () => {
      const functionId = await lab.function('def one(): pass\ndef two(): pass', 'three');
      const error = await new Promise<TaskError>((resolve) =>
        lab.client.submit(
          { functionId },
          (outcome) => outcome.status === 'failed' && resolve(outcome.error as TaskError),
        ),
      );
      assert.equal(error.code, 'FUNCTION_NOT_LOADABLE');
      assert.match(error.message, /'three'.*one, two/);
      assert.equal(error.functionId, functionId);
    });

    for (const [what, code] of [
      ['is no packed text', 'rubbish'],
      ['has an unknown identifier', '5\nzz\nab'],
      ['was pickled by dill, which is missing here', '7\n01\ngAU='],
      ['holds several buffers', '5\n11\n{}5\n11\n{}'],
    ] as const) {
      it(`fails when the registered code ${what}`, async () => {
        const meta = { python_version: '3.8.0', sdk_version: '3.3.0', serde_identifier: 'st' };
        const reply = await lab.hub.registerFunction({ function_name: 'f', function_code: code, meta });
        const error = await new Promise<TaskError>((resolve) =>
          lab.client.submit({ functionId: reply.function_uuid as never }, (outcome) => {
            if (outcome.status === 'failed') resolve(outcome.error as TaskError);
          }),
        );
        assert.equal(error.code, 'FUNCTION_NOT_LOADABLE', error.message);
      });
    }

    it('fails each time it is called, and not only the first time', async () => {
      const source = 'raise ValueError("never")\ndef f(): pass';
      assert.equal((await raised(source)).message, 'ValueError: never');
      assert.equal((await raised(source)).message, 'ValueError: never');
    });
  });

  describe('whose result cannot be sent', () => {
    for (const [what, source] of [
      ['a lambda', 'def f():\n    return lambda: 1'],
      ['a generator', 'def f():\n    return (x for x in [1])'],
      ['an instance of a class of the source', 'class Own:\n    pass\ndef f():\n    return Own()'],
      ['an open file', 'def f():\n    return open("/dev/null")'],
      ['a lock inside a list', 'def f():\n    import threading\n    return [1, {"lock": threading.Lock()}]'],
      ['a coroutine, of an async function', 'async def f():\n    return 1'],
    ] as const) {
      it(`fails for ${what}, and says what would work`, async () => {
        const error = await lab.error(source);
        assert.equal(error.code, 'RESULT_NOT_SERIALIZABLE');
        assert.match(error.message, /The result, of type \w+, .*Return plain data/s);
      });
    }

    it('fails for a result that is not JSON because it goes in a circle, and its worker lives on', async () => {
      const outcome = await lab.run('def f():\n    a = []\n    a.append(a)\n    return a');
      // Pickle can write it; whether it can be read is up to the reader. It must be one of the two.
      if (outcome.status === 'failed') assert.match(outcome.error.code, /NOT_(DE)?SERIALIZABLE/);
    });

    it('fails above the limit of the service, with both numbers', async () => {
      const error = await lab.error(`def f():\n    return "x" * ${LIMIT - 4}`);
      assert.equal(error.code, 'MAX_RESULT_SIZE_EXCEEDED');
      assert.match(error.message, new RegExp(`${LIMIT + 1} .*${LIMIT}`));
    });

    it('is whole just at the limit', async () => {
      const result = await lab.result(`def f():\n    return "x" * ${LIMIT - 5}`);
      assert.ok(typeof result === 'string' && result.length === LIMIT - 5 && /^x+$/.test(result));
    });

    it('counts bytes towards the limit', async () => {
      const error = await lab.error(`def f():\n    return [bytes(${LIMIT / 2}), bytes(${LIMIT / 2})]`);
      assert.equal(error.code, 'MAX_RESULT_SIZE_EXCEEDED');
    });
  });
});
