import assert from 'node:assert/strict';
import {
  type EndpointId,
  type FunctionId,
  type FuncXError,
  RemoteException,
  ServiceError,
  TaskError,
  type TaskId,
  type TaskStatus,
} from '../../../dist/lib/index.js';
import { hasEnded, outcomeOf } from '../../../dist/lib/tasks/outcome.js';
import { newId } from './stand-in.js';

const ID = newId<TaskId>();
const FUNCTION = newId<FunctionId>();

function errorOf(status: Partial<TaskStatus>): FuncXError {
  const outcome = outcomeOf({ task_id: ID, ...status }, { functionId: FUNCTION }, 'bigint');
  assert.ok(outcome.status === 'failed');
  assert.equal(outcome.taskId, ID);
  return outcome.error;
}

describe('a task', () => {
  it('has ended when its status or its completion time says so, in either case of letters', () => {
    for (const status of ['success', 'failed', 'SUCCESS', 'Failed']) assert.ok(hasEnded({ task_id: ID, status }));
    assert.ok(hasEnded({ task_id: ID, completion_t: '1632876695.6450012' }));
    assert.ok(hasEnded({ task_id: ID, status: 'running', completion_t: '1' }));
    for (const status of ['received', 'waiting-for-ep', 'running', 'execution-end', 'something new']) {
      assert.ok(!hasEnded({ task_id: ID, status }));
    }
    assert.ok(!hasEnded({ task_id: ID }));
  });
});

describe('the outcome of a task', () => {
  it('has the result, and what is known of the task', () => {
    const endpointId = newId<EndpointId>();
    const details = {
      python_version: '3.11.7',
      endpoint_id: endpointId,
      output: 'printed',
      task_transitions: { 'execution-start': 1632876695.25, 'execution-end': 1632876695.5 },
    };
    const status = { task_id: ID, status: 'success', result: '11\n[1]', completion_t: '1632876695.6450012', details };
    const known = { functionId: FUNCTION, endpointId, submittedAt: 1632876695000 };
    assert.deepEqual(outcomeOf(status, known, 'bigint'), {
      status: 'success',
      result: [1],
      taskId: ID,
      functionId: FUNCTION,
      endpointId,
      taskGroupId: undefined,
      completedAt: new Date(1632876695645),
      timings: { queuedMs: 250, runMs: 250 },
      worker: details,
      output: 'printed',
    });
  });

  it('has no times where the service tells none, and none below zero', () => {
    const { timings } = outcomeOf({ task_id: ID, result: '11\n1' }, {}, 'bigint');
    assert.deepEqual(timings, { queuedMs: undefined, runMs: undefined });
    const transitions = { 'execution-start': 10, 'execution-end': 9.5 };
    const status = { task_id: ID, result: '11\n1', details: { task_transitions: transitions } };
    assert.deepEqual(outcomeOf(status, { submittedAt: 20_000 }, 'bigint').timings, { queuedMs: 0, runMs: 0 });
  });

  it('is a remote exception where the function has raised', () => {
    const error = errorOf({ exception: 'Traceback (most recent call last):\nValueError: boom\n' });
    assert.ok(error instanceof RemoteException);
    assert.deepEqual([error.pythonType, error.taskId, error.functionId], ['ValueError', ID, FUNCTION]);
  });

  it('is an error with its code where the task could not be run', () => {
    const error = errorOf({ error_code: 'WORKER_LOST', exception: 'The worker is gone.' });
    assert.ok(error instanceof TaskError && !(error instanceof RemoteException));
    assert.deepEqual([error.code, error.message], ['WORKER_LOST', 'The worker is gone.']);
  });

  it('is TASK_NOT_FOUND where the service does not know the task', () => {
    const error = errorOf({ status: 'failed', reason: 'Unknown task id' });
    assert.ok(error instanceof ServiceError);
    assert.deepEqual([error.code, error.httpStatus], ['TASK_NOT_FOUND', 404]);
  });

  it('is a failure for any other reason, and for none', () => {
    assert.match(errorOf({ status: 'failed', reason: 'it was abandoned' }).message, /it was abandoned/);
    assert.equal(errorOf({ status: 'failed' }).code, 'UNKNOWN_TASK_FAILURE');
    assert.match(errorOf({ status: 'success' }).message, /ended without a result/);
  });

  it('is an error, and not a throw, where the result cannot be read', () => {
    for (const result of ['', 'zz\n1', '11\n{', '00\n!!!!', '01\ngAU=']) {
      assert.equal(errorOf({ status: 'success', result }).code, 'NOT_DESERIALIZABLE', JSON.stringify(result));
    }
  });
});
