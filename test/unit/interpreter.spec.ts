import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FuncXError } from '../../lib/compute/errors';
import { findPython, inspectSource, type SourceReport } from '../../lib/hub/interpreter';

describe('Finding a Python interpreter', () => {
  let folder: string;
  let path: string | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'funcx-python-'));
    path = process.env.PATH;
  });

  afterEach(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  });

  /** A program that stands where an interpreter is looked for. */
  function program(name: string, text: string): string {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${text}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  it('takes the python3 of PATH when nothing is said, and tells its version', async () => {
    const info = await findPython();
    const [executable, version] = execFileSync(
      'python3',
      ['-c', 'import sys, platform; print(sys.executable); print(platform.python_version())'],
      { encoding: 'utf8' },
    ).split('\n');
    assert.equal(info.executable, executable);
    assert.equal(info.version, version);
    assert.equal(info.implementation, 'CPython');
  });

  it('takes python where there is no python3', async () => {
    const { executable } = await findPython();
    program('python', `exec ${executable} "$@"`);
    process.env.PATH = folder;
    assert.equal((await findPython()).executable, executable);
  });

  it('accepts the directory of a virtual environment, and keeps to that environment', async () => {
    execFileSync('python3', ['-m', 'venv', '--without-pip', join(folder, 'venv')]);
    const info = await findPython(join(folder, 'venv'));
    assert.equal(info.executable, join(folder, 'venv/bin/python'));
  });

  it('accepts the path of an executable, with blanks around and in it', async () => {
    const { executable } = await findPython();
    const file = program('my python', `exec ${executable} "$@"`);
    assert.equal((await findPython(` ${file} `)).executable, executable);
  });

  it('tells the version of dill where it is installed, without importing it', async () => {
    const { executable } = await findPython();
    mkdirSync(join(folder, 'site/dill-0.3.9.dist-info'), { recursive: true });
    writeFileSync(join(folder, 'site/dill-0.3.9.dist-info/METADATA'), 'Name: dill\nVersion: 0.3.9\n');
    writeFileSync(join(folder, 'site/dill.py'), 'raise SystemExit("imported")\n');
    const file = program('with-dill', `PYTHONPATH=${folder}/site exec ${executable} "$@"`);
    assert.equal((await findPython(file)).dill, '0.3.9');
  });

  it('is not confused by what a sitecustomize prints', async () => {
    const { executable } = await findPython();
    mkdirSync(join(folder, 'site'));
    writeFileSync(join(folder, 'site/sitecustomize.py'), 'print("{ welcome", end="")\n');
    const file = program('chatty', `PYTHONPATH=${folder}/site exec ${executable} "$@"`);
    assert.equal((await findPython(file)).executable, executable);
  });

  it('says what was tried and what to install when there is none', async () => {
    process.env.PATH = folder;
    await assert.rejects(findPython(), (error: FuncXError) => {
      assert.equal(error.code, 'PYTHON_NOT_FOUND');
      assert.match(error.message, /python3: not found; python: not found/);
      assert.match(error.message, /[Ii]nstall/);
      return true;
    });
  });

  it('says which file is missing, and which directory has no interpreter in it', async () => {
    await assert.rejects(findPython(join(folder, 'nowhere')), /nowhere: not found/);
    await assert.rejects(findPython(folder), /bin\/python: not found; .*bin\/python3: not found/);
  });

  it('refuses a Python that is too old for the workers', async () => {
    const old = program(
      'python3',
      'echo \'{"executable": "/old", "version": "3.7.16", "implementation": "CPython", "dill": null}\'',
    );
    await assert.rejects(findPython(old), /No Python 3\.8 or later was found \(.*is Python 3\.7\.16\)/);
  });

  it('refuses a program that is no Python, with its own last words', async () => {
    await assert.rejects(
      findPython(program('broken', 'echo "cannot load libpython" >&2; exit 3')),
      /cannot load libpython/,
    );
    await assert.rejects(findPython(program('other', 'echo hello')), /does not answer as a Python does/);
  });

  it('never runs a path through a shell', async () => {
    const proof = join(folder, 'proof');
    await assert.rejects(findPython(`python3; touch ${proof}`), { code: 'PYTHON_NOT_FOUND' });
    assert.throws(() => execFileSync('ls', [proof], { stdio: 'ignore' }));
  });
});

describe('Inspecting a source text', () => {
  const inspect = (source: string): Promise<SourceReport> => inspectSource('python3', source);

  async function functionsOf(source: string) {
    const report = await inspect(source);
    assert.ok(report.ok);
    return report.functions;
  }

  it('tells the top-level functions in order, with line and docstring', async () => {
    const functions = await functionsOf(
      'import os\n\ndef a():\n    """Adds.\n\n    More."""\n    def inner(): pass\n\nclass C:\n    def method(self): pass\n\nasync def b():\n    pass\n',
    );
    assert.deepEqual(functions, [
      { name: 'a', line: 3, doc: 'Adds.\n\nMore.', async: false, parameters: [] },
      { name: 'b', line: 12, doc: '', async: true, parameters: [] },
    ]);
  });

  it('tells every kind of parameter, with default and annotation as they are written', async () => {
    const [f] = await functionsOf(
      "def f(a, b: 'int' = 0x10, /, c=[1, 2], *args: str, d, e={'k': (1,)}, **kw: object): pass\n",
    );
    assert.deepEqual(f?.parameters, [
      { name: 'a', kind: 'positional-only' },
      { name: 'b', kind: 'positional-only', default: '0x10', annotation: "'int'" },
      { name: 'c', kind: 'positional', default: '[1, 2]' },
      { name: 'args', kind: 'var-positional', annotation: 'str' },
      { name: 'd', kind: 'keyword' },
      { name: 'e', kind: 'keyword', default: "{'k': (1,)}" },
      { name: 'kw', kind: 'var-keyword', annotation: 'object' },
    ]);
  });

  it('reads names and defaults of any script', async () => {
    const [f] = await functionsOf("def größe(ж='😀'):\n    return ж\n");
    assert.equal(f?.name, 'größe');
    assert.deepEqual(f?.parameters, [{ name: 'ж', kind: 'positional', default: "'😀'" }]);
  });

  /** What the interpreter itself says of a source that it refuses. */
  function complaint(source: string): SourceReport {
    const program =
      'import json, sys\n' +
      'try: compile(sys.argv[1], "x", "exec")\n' +
      'except SyntaxError as e: print(json.dumps({"line": e.lineno, "column": e.offset, "message": e.msg}))';
    return { ok: false, error: JSON.parse(execFileSync('python3', ['-c', program, source], { encoding: 'utf8' })) };
  }

  it('tells line, column and message of a syntax error, as the interpreter does', async () => {
    const source = 'def f():\n    return 1 +\n';
    const report = await inspect(source);
    assert.deepEqual(report, complaint(source));
    assert.equal(!report.ok && report.error.line, 2);
  });

  it('finds errors that only compiling finds', async () => {
    const source = 'def f():\n    pass\nreturn 1\n';
    const report = await inspect(source);
    assert.deepEqual(report, complaint(source));
    assert.equal(!report.ok && report.error.line, 3);
  });

  it('reports null bytes and nesting that cannot be parsed instead of failing', async () => {
    for (const source of ['a\0b', `${'-'.repeat(200_000)}1`, `${'('.repeat(200_000)}`]) {
      assert.equal((await inspect(source)).ok, false);
    }
  });

  it('never runs the source', async () => {
    const proof = join(mkdtempSync(join(tmpdir(), 'funcx-inspect-')), 'proof');
    await inspect(`open(${JSON.stringify(proof)}, "w")\ndef f(x=open(${JSON.stringify(proof)}, "w")): pass\n`);
    assert.throws(() => execFileSync('ls', [proof], { stdio: 'ignore' }));
  });

  it('says which interpreter could not be asked', async () => {
    await assert.rejects(inspectSource('/nowhere/python', 'x'), {
      code: 'PYTHON_NOT_FOUND',
      message: /\/nowhere\/python.*not found/,
    });
  });
});
