/** Interpreters that are not there, or are not what they should be: tasks fail with what to do, and soon. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { FunctionId, FuncXError } from '../../../dist/lib/index.js';
import { Lab, outcomeOf, outcomesOf, PYTHON, WAIT_FOR_ANSWER } from './fixture.js';

const SAME = 'def same(x):\n    return x';

describe('the interpreter of an endpoint', () => {
  let lab: Lab;
  let same: FunctionId;

  before(async () => {
    lab = await Lab.open();
    same = await lab.function(SAME);
  });
  after(() => lab.clean());

  /** A program in the place of Python. */
  function script(name: string, text: string): string {
    const file = lab.path(name);
    writeFileSync(file, text);
    chmodSync(file, 0o755);
    return file;
  }

  async function failure(): Promise<FuncXError> {
    const outcomes = await outcomesOf(lab.client, same, [{ args: [1] }, { args: [2] }, { args: [3] }]);
    const errors = outcomes.map((outcome) => {
      assert.ok(outcome.status === 'failed');
      return outcome.error;
    });
    assert.equal(new Set(errors.map(({ message }) => message)).size, 1);
    return errors[0] as FuncXError;
  }

  afterEach('tasks run as soon as it is right', async () => {
    await lab.openEndpoint({ workers: 3 });
    assert.equal(await lab.result(SAME, 4), 4);
  });

  it('that is missing fails every task, and says what was looked for and what to install', async () => {
    await lab.openEndpoint({ python: '/nowhere/python3', workers: 3 });
    const error = await failure();
    assert.equal(error.code, 'PYTHON_NOT_FOUND');
    assert.match(error.message, /\/nowhere\/python3 was not found.*Install Python 3\.8/);
  });

  it('that may not be executed fails every task', async () => {
    writeFileSync(lab.path('plain'), 'text');
    await lab.openEndpoint({ python: lab.path('plain'), workers: 3 });
    const error = await failure();
    assert.equal(error.code, 'PYTHON_NOT_FOUND');
    assert.match(error.message, /may not be executed/);
  });

  it('that is another program fails every task with what that has said', async () => {
    await lab.openEndpoint({
      python: script('other', '#!/bin/sh\necho "no such option: $0" >&2\nexit 2\n'),
      workers: 3,
    });
    const error = await failure();
    assert.equal(error.code, 'WORKER_LOST');
    assert.match(error.message, /could not be started.*exit code 2.*no such option/s);
  });

  it('that is too old fails every task, and shows why', async () => {
    const python2 = '#!/bin/sh\necho "SyntaxError: invalid syntax (worker.py, line 40)" >&2\nexit 1\n';
    await lab.openEndpoint({ python: script('python2', python2), workers: 3 });
    assert.match((await failure()).message, /could not be started.*SyntaxError/s);
  });

  it('that says nothing and ends fails every task', async () => {
    await lab.openEndpoint({ python: '/bin/true', workers: 3 });
    const error = await failure();
    assert.equal(error.code, 'WORKER_LOST');
    assert.match(error.message, /exit code 0/);
  });

  it('that fails once is tried again', async () => {
    const flag = lab.path('tried');
    const text = `#!/bin/sh\nif mkdir ${flag} 2>/dev/null; then exit 1; fi\nexec ${PYTHON} "$@"\n`;
    await lab.openEndpoint({ python: script('flaky', text), workers: 1 });
    assert.equal(await lab.result(SAME, 5), 5);
  });

  it('that vanishes while a task runs lets that task end, and fails none as long as it runs', async () => {
    const python = script('vanishing', `#!/bin/sh\nexec ${PYTHON} "$@"\n`);
    await lab.openEndpoint({ python, workers: 2 });
    const bell = await lab.bell();
    const wait = await lab.function(WAIT_FOR_ANSWER);
    const first = outcomeOf(lab.client, wait, { args: [bell.path, 'first'] });
    const visitor = await bell.next();
    rmSync(python);
    const second = outcomeOf(lab.client, wait, { args: [bell.path, 'second'] });
    visitor.answer();
    assert.equal((await first).status, 'success');
    (await bell.next()).answer();
    assert.equal((await second).status, 'success');
  });

  it('starts in the working folder, which must be there', async () => {
    await lab.openEndpoint({ cwd: lab.path('missing'), workers: 3 });
    const error = await failure();
    assert.equal(error.code, 'BAD_INPUT');
    assert.match(error.message, /The working folder .*missing does not exist/);
    mkdirSync(lab.path('missing'));
    assert.equal(await lab.result('def f():\n    import os\n    return os.getcwd()'), lab.path('missing'));
  });

  it('is python3 of the PATH where nothing is said', async () => {
    const id = await lab.hub.localEndpoint({ name: 'default', cwd: lab.folder, workers: 1 });
    const outcome = await new Promise((resolve) =>
      lab.client.submit({ functionId: same, endpointId: id, args: [6] }, (o) =>
        resolve(o.status === 'success' && o.result),
      ),
    );
    assert.equal(outcome, 6);
    await lab.hub.closeEndpoint(id);
  });
});
