/** What functions print: it comes with the task, and never in between what hub and worker say to each other. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { TaskOutcome } from '../../../dist/lib/index.js';
import { Lab } from './fixture.js';

describe('the output of a task', () => {
  let lab: Lab;

  before(async () => {
    lab = await Lab.open({ workers: 1 });
  });
  after(() => lab.clean());

  /** Runs it and then one that prints as is usual: nothing of the first may be left to the second. */
  async function outputOf(source: string, ...args: unknown[]): Promise<string | undefined> {
    const outcome = await lab.run(source, args);
    const next = await lab.run('def next():\n    print("next")\n    return 2');
    assert.equal(next.status === 'success' && next.result, 2);
    assert.equal(next.output, 'next\n');
    assert.equal(outcome.status, 'success');
    return outcome.output;
  }

  it('is what was printed, on both streams in their order', async () => {
    const source = `def f():
    import sys
    print("a ✓")
    print("b", file=sys.stderr)
    sys.stdout.write("c\\n")
    print("half a line", end="")`;
    assert.equal(await outputOf(source), 'a ✓\nb\nc\nhalf a line');
  });

  it('is absent where nothing was printed', async () => {
    const outcome = await lab.run('def f():\n    return 1');
    assert.equal(outcome.output, undefined);
  });

  it('comes with a failure as well', async () => {
    const outcome = await lab.run('def f():\n    print("before")\n    1 / 0');
    assert.equal(outcome.status, 'failed');
    assert.equal(outcome.output, 'before\n');
  });

  it('comes with the first call of a function whose top level prints', async () => {
    const source = 'print("loading")\ndef f():\n    print("running")';
    assert.equal(await outputOf(source), 'loading\nrunning\n');
    assert.equal(await outputOf(source), 'running\n');
  });

  it('has what subprocesses and C code print', async () => {
    const source = `def f():
    import ctypes, os, subprocess
    os.system("echo system")
    subprocess.run(["echo", "subprocess"])
    os.write(1, b"fd 1\\n")
    os.write(2, b"fd 2\\n")
    libc = ctypes.CDLL(None)
    libc.printf(b"printf\\n")
    libc.fflush(None)`;
    assert.equal(await outputOf(source), 'system\nsubprocess\nfd 1\nfd 2\nprintf\n');
  });

  it('has warnings', async () => {
    const source = 'def f():\n    import warnings\n    warnings.warn("careful")';
    assert.match((await outputOf(source)) ?? '', /UserWarning: careful/);
  });

  it('shows what is not text as well as it can', async () => {
    const source = 'def f():\n    import os\n    os.write(1, b"\\xff\\xfe|")\n    print("\\udcff\\0")';
    assert.equal(await outputOf(source), '\ufffd\ufffd|\\udcff\0\n');
  });

  it('keeps beginning and end of a megabyte, and says how much it has left out', async () => {
    const output = (await outputOf('def f():\n    print("begin" + "x" * 1_000_000 + "end")')) ?? '';
    assert.match(output, /^beginx+\n… 934473 bytes left out …\nx+end\n$/);
    assert.equal(Buffer.byteLength(output.replace(/\n….*…\n/, '')), 64 * 1024);
  });

  it('is cut nowhere up to the limit', async () => {
    assert.equal(((await outputOf('def f():\n    print("x" * 65535)')) ?? '').length, 65536);
  });

  describe('is captured again after a function that', () => {
    for (const [what, statement, output] of [
      ['has closed sys.stdout', 'sys.stdout.close()', undefined],
      ['has put something else in the place of sys.stdout', 'sys.stdout = io.StringIO(); print("lost")', undefined],
      [
        'has put None in the place of sys.stdout and sys.stderr',
        'sys.stdout = sys.stderr = None; print("lost")',
        undefined,
      ],
      ['has detached the buffer of sys.stdout', 'sys.stdout.detach().write(b"raw\\n")', 'raw\n'],
      [
        'has wrapped sys.stdout',
        'sys.stdout = io.TextIOWrapper(sys.stdout.buffer, "latin-1"); print("ü", flush=True)',
        '\ufffd\n',
      ],
      ['has closed fd 1', 'print("before"); os.close(1)', 'before\n'],
      ['has closed fd 1 and 2', 'os.close(1); os.close(2)', undefined],
      ['has printed into the closed fd 1', 'os.close(1)\n    try: print("late")\n    except OSError: pass', 'late\n'],
      ['has sent fd 1 elsewhere', 'os.dup2(os.open("/dev/null", os.O_WRONLY), 1); print("lost")', undefined],
      [
        'has redirected and put back',
        'b = io.StringIO()\n    with contextlib.redirect_stdout(b): print("in")\n    print("out")',
        'out\n',
      ],
      [
        'has printed into a closed stream',
        'sys.stdout.close()\n    try: print("lost")\n    except ValueError: pass',
        undefined,
      ],
    ] as const) {
      it(what, async () => {
        assert.equal(await outputOf(`def f():\n    import contextlib, io, os, sys\n    ${statement}`), output);
      });
    }

    it('has sent fd 1 to a file, which stays as it is', async () => {
      const file = lab.path('log');
      writeFileSync(file, 'kept\n');
      const source = `def f(file):
    import os
    log = os.open(file, os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    print("to the log")`;
      assert.equal(await outputOf(source, file), undefined);
      assert.deepEqual(lab.marks('log'), ['kept', 'to the log']);
    });
  });

  it('that floods is cut again and again while the task runs', async () => {
    const source = `def flood():
    import os
    last = shrunk = 0
    for _ in range(400_000):
        print("x" * 999)
        size = os.fstat(1).st_size
        shrunk += size < last
        last = size
        if shrunk == 3:
            return "cut"
    return "%d MB on disk" % (last // 1_000_000)`;
    assert.equal(await lab.result(source), 'cut');
  });

  it('of a task whose worker is lost is in its error', async () => {
    const outcome: TaskOutcome = await lab.run('def f():\n    import os\n    print("last words")\n    os._exit(3)');
    assert.ok(outcome.status === 'failed');
    assert.equal(outcome.error.code, 'WORKER_LOST');
    assert.match(outcome.error.message, /exit code 3.*last words/s);
    assert.equal(outcome.output, 'last words');
  });
});
