/** The tests of the worker that are written in Python: `test/worker/`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { PYTHON } from './fixture.js';

const ROOT = path.join(__dirname, '../../..');

describe('the worker, as Python sees it', () => {
  it('passes its own tests', () => {
    const run = spawnSync(PYTHON, ['-m', 'unittest', 'discover', '-s', path.join(ROOT, 'test/worker')], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: path.join(ROOT, 'dist/lib/hub/workers') },
    });
    assert.match(run.stderr, /^Ran \d{2,} tests/m);
    assert.equal(run.status, 0, run.stderr);
  }).timeout(60_000);
});
