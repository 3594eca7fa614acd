/** What other users of the hub get from its own workers: results as text, in the encoding that they ask for. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  deserialize,
  type FunctionId,
  packBuffers,
  type Submission,
  type TaskId,
  type TaskStatus,
} from '../../../dist/lib/index.js';
import { Lab, PYTHON } from './fixture.js';

const JSON_DATA = 'globus_compute_sdk.serialize.JSONData';
const DILL_DATA = 'globus_compute_sdk.serialize.DillDataBase64';
const ALL_DATA = 'globus_compute_sdk.serialize.AllDataStrategies';
const DILL_CODE = 'globus_compute_sdk.serialize.DillCode';
const USER = { id: randomUUID(), username: 'carol' };

/** Function code in an encoding that only Python writes. */
function encoded(expression: string): string {
  const program = `import base64, pickle\nprint(${expression}, end="")`;
  return packBuffers([execFileSync(PYTHON, ['-c', program], { encoding: 'utf8' })]);
}

describe('result_serializers of another user', () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.open();
  });
  after(() => lab.clean());

  async function register(function_code: string): Promise<FunctionId> {
    const meta = { python_version: '3.11.2', sdk_version: '4.15.0', serde_identifier: 'st' };
    return (await lab.hub.registerFunction({ function_name: 'f', function_code, meta })).function_uuid as FunctionId;
  }

  async function end(functionId: FunctionId, result_serializers?: readonly string[]): Promise<TaskStatus> {
    const body: Submission = {
      tasks: { [functionId]: [packBuffers(['11\n[]', '11\n{}'])] },
      ...(result_serializers && { result_serializers }),
    };
    const { tasks } = await lab.hub.submit(lab.endpoint, body, USER);
    const [id] = tasks[functionId] as TaskId[];
    for (;;) {
      const status = await lab.hub.getTask(id ?? assert.fail());
      if (status.completion_t !== undefined) return status;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  const returning = (expression: string) => register(packBuffers([`st\nf:def f():\n    return ${expression}\n`]));

  it('are obeyed: the first that can write the result', async () => {
    const tuple = await returning('(1, "é")');
    assert.equal((await end(tuple, [JSON_DATA, DILL_DATA])).result, '11\n[1, "\\u00e9"]');
    const defining = JSON_DATA.replace('.serialize.', '.serialize.concretes.');
    assert.equal((await end(tuple, [defining])).result, '11\n[1, "\\u00e9"]');
    const pickled = (await end(tuple, [DILL_DATA, JSON_DATA])).result ?? '';
    assert.match(pickled, /^00\n/);
    assert.deepEqual(deserialize(pickled), deserialize('00\ngARLAYwCw6mUhpQu\n'));
    assert.match((await end(tuple, [DILL_CODE, ALL_DATA])).result ?? '', /^13\n\d+\n11\n/);
  });

  it('default to what the contract has: a pickle', async () => {
    assert.match((await end(await returning('{"a": 1}'))).result ?? '', /^00\n/);
  });

  it('bring bytes as text alone', async () => {
    const bytes = await returning('b"abc"');
    const { result, result_buffers } = await end(bytes, [JSON_DATA, DILL_DATA]);
    assert.equal(result_buffers, undefined);
    assert.deepEqual(deserialize(result ?? ''), Buffer.from('abc'));
  });

  it('fail the task where none can be written, and say why of each', async () => {
    const set = await returning('{1}');
    const { status, error_code, exception } = await end(set, [JSON_DATA, 'mine.Strategy', DILL_CODE]);
    assert.equal(status, 'failed');
    assert.equal(error_code, 'RESULT_NOT_SERIALIZABLE');
    assert.match(exception ?? '', /JSONData: Object of type set is not JSON serializable/);
    assert.match(exception ?? '', /DillCode is for functions/);
    const unknown = await end(set, ['mine.Strategy', 'mine.Other']);
    assert.equal(unknown.error_code, 'RESULT_NOT_SERIALIZABLE');
    assert.match(unknown.exception ?? '', /this worker knows none of them, but .*JSONData/);
  });

  it('of one user leave the results of others as they are', async () => {
    const f = await returning('[1, b"x"]');
    const args = packBuffers(['11\n[]', '11\n{}']);
    const asked = { tasks: { [f]: Array(20).fill(args) }, result_serializers: [DILL_DATA] };
    const replies = await Promise.all([
      lab.hub.submit(lab.endpoint, asked, USER),
      lab.hub.submit(lab.endpoint, asked),
      lab.hub.submit(lab.endpoint, asked, USER),
    ]);
    const kinds: string[][] = [];
    for (const { tasks } of replies) {
      const ids = tasks[f] as TaskId[];
      for (;;) {
        const statuses = Object.values(await lab.hub.batchStatus(ids));
        if (statuses.every(({ completion_t }) => completion_t !== undefined)) {
          kinds.push([...new Set(statuses.map(({ result }) => result?.slice(0, 2) ?? ''))]);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    assert.deepEqual(kinds, [['00'], ['11'], ['00']]);
  });

  it('are refused where they are no import paths', async () => {
    const f = await returning('1');
    await assert.rejects(end(f, ['a b']), { code: 'REQUEST_MALFORMED' });
    await assert.rejects(end(f, Array(17).fill(JSON_DATA)), { code: 'REQUEST_MALFORMED' });
  });

  it('apply to functions in every encoding that is text inside', async () => {
    const source = "def f():\\n    return '✓:'\\n";
    const pair = `base64.encodebytes(pickle.dumps(("f", "${source}"))).decode()`;
    for (const expression of [
      `"03\\n" + ${pair}`,
      `"04\\n" + ${pair}`,
      `"10\\n" + ":".join(["01\\n", "bm8gcGlja2xl\\n", "04\\n", ${pair}, "st\\n", "f:${source}"])`,
    ]) {
      const { result, exception } = await end(await register(encoded(expression)), [JSON_DATA]);
      assert.equal(result, '11\n"\\u2713:"', exception);
    }
  });

  it('come with a clear refusal where the endpoint has no MPI', async () => {
    const f = await returning('1');
    const body = { tasks: { [f]: ['x'] }, resource_specification: { num_nodes: 1 } };
    await assert.rejects(lab.hub.submit(lab.endpoint, body, USER), { code: 'SEMANTICALLY_INVALID' });
  });
});
