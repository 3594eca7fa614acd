import assert from 'node:assert/strict';
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../../../lib/compute/ids.js';
import { idOf, TaskBatch, type TaskRef } from '../../../lib/hub/batch.js';
import { Unanswered } from '../../../lib/hub/unanswered.js';
import { userEndpointReport } from '../../../lib/hub/user-endpoint-report.js';
import type { TaskEnding } from '../../../lib/hub/workers/ending.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe('tasks that an agent does not answer', () => {
  let now: number;
  let unanswered: Unanswered;
  beforeEach(() => {
    now = 0;
    unanswered = new Unanswered({ now: () => now });
  });

  it('are waited for as long as no connection broke, whatever they take', () => {
    const [quick, slow] = tasks('a', 2);
    unanswered.ended(quick, ran(1));
    now = 10 * HOUR_MS;
    assert.deepEqual(unanswered.missing([slow]), []);
  });

  it('are missing after a break when they take four times as long as the longest of their function', () => {
    const [known, slow] = tasks('a', 2);
    unanswered.ended(known, ran(60));
    unanswered.doubt([slow]);
    now = 4 * MINUTE_MS - 1;
    assert.deepEqual(unanswered.missing([slow]), []);
    now++;
    assert.deepEqual(unanswered.missing([slow]), [slow]);
    assert.deepEqual(unanswered.missing([slow]), []);
  });

  it('are given half a minute after a break, however quick they are', () => {
    const [known, next] = tasks('a', 2);
    unanswered.ended(known, ran(0.01));
    unanswered.doubt([next]);
    now = MINUTE_MS / 2 - 1;
    assert.deepEqual(unanswered.missing([next]), []);
    now++;
    assert.deepEqual(unanswered.missing([next]), [next]);
  });

  it('of a function of which none has ended are given an hour', () => {
    const [known] = tasks('a', 1);
    const [other] = tasks('b', 1);
    unanswered.ended(known, ran(0.01));
    unanswered.doubt([other]);
    now = HOUR_MS - 1;
    assert.deepEqual(unanswered.missing([other]), []);
    now++;
    assert.deepEqual(unanswered.missing([other]), [other]);
  });

  it('are waited for anew when another of them ends: they wait in line', () => {
    const [known, next, last] = tasks('a', 3);
    unanswered.ended(known, ran(1));
    unanswered.doubt([next, last]);
    now = MINUTE_MS / 2;
    unanswered.ended(next, ran(1));
    assert.deepEqual(unanswered.missing([last]), []);
    now = MINUTE_MS;
    assert.deepEqual(unanswered.missing([last]), [last]);
  });

  it('are waited for while the agent counts more tasks than it was given since', () => {
    const [known, old, young] = tasks('a', 3);
    unanswered.ended(known, ran(1));
    unanswered.doubt([old]);
    now = MINUTE_MS / 2;
    unanswered.reported(userEndpointReport({ outstanding_tasks: 2, heartbeat_period: 5 }), 2);
    assert.deepEqual(unanswered.missing([old, young]), []);
    now = MINUTE_MS;
    unanswered.reported(userEndpointReport({ outstanding_tasks: 1, heartbeat_period: 5 }), 2);
    assert.deepEqual(unanswered.missing([old, young]), [old]);
  });

  it('are not taken to be alive by a report of none, also when fewer are out than were doubted', () => {
    const [known, old, gone] = tasks('a', 3);
    unanswered.ended(known, ran(1));
    unanswered.doubt([old, gone]);
    now = MINUTE_MS / 2;
    unanswered.reported(userEndpointReport({ outstanding_tasks: 0, heartbeat_period: 5 }), 1);
    assert.deepEqual(unanswered.missing([old]), [old, gone]);
  });

  it('are missing when an agent that counts its tasks has none for two reports, and none went out', () => {
    const [only] = tasks('a', 1);
    unanswered.reported(userEndpointReport({ outstanding_tasks: 1, heartbeat_period: 30 }), 1);
    unanswered.reported(userEndpointReport({ outstanding_tasks: 0, heartbeat_period: 30 }), 1);
    now = MINUTE_MS - 1;
    assert.deepEqual(unanswered.missing([only]), []);
    unanswered.sent();
    unanswered.reported(userEndpointReport({ outstanding_tasks: 0, heartbeat_period: 30 }), 1);
    now += MINUTE_MS - 1;
    assert.deepEqual(unanswered.missing([only]), []);
    now++;
    assert.deepEqual(unanswered.missing([only]), [only]);
  });

  it('are waited for by an agent that has only ever reported none: its engine does not count', () => {
    const [only] = tasks('a', 1);
    unanswered.reported(userEndpointReport({ outstanding_tasks: 0, heartbeat_period: 5 }), 1);
    now = HOUR_MS;
    unanswered.reported(userEndpointReport({ outstanding_tasks: 0, heartbeat_period: 5 }), 1);
    assert.deepEqual(unanswered.missing([only]), []);
  });

  it('are sent three times more at most', () => {
    const [known, bad] = tasks('a', 2);
    unanswered.ended(known, ran(0.01));
    const sendings = Array.from({ length: 5 }, () => {
      unanswered.doubt([bad]);
      now += MINUTE_MS;
      return unanswered.missing([bad]).length;
    });
    assert.deepEqual(sendings, [1, 1, 1, 0, 0]);
  });

  it('of a process that has ended are no affair of the next', () => {
    const [known, old] = tasks('a', 2);
    unanswered.ended(known, ran(0.01));
    unanswered.doubt([old]);
    unanswered.begin();
    now = HOUR_MS;
    assert.deepEqual(unanswered.missing([old]), []);
  });
});

type Tasks<Count extends number> = Count extends 1
  ? [TaskRef]
  : Count extends 2
    ? [TaskRef, TaskRef]
    : [TaskRef, TaskRef, TaskRef];

function tasks<Count extends 1 | 2 | 3>(name: string, count: Count): Tasks<Count> {
  const ids = Array.from({ length: count }, (_, index) => `${name}${index}` as TaskId);
  const batch = new TaskBatch(
    name as FunctionId,
    'endpoint' as EndpointId,
    'group' as TaskGroupId,
    false,
    ids,
    ids.map(() => ''),
    0,
  );
  assert.deepEqual(batch.tasks.map(idOf), ids);
  return [...batch.tasks] as unknown as Tasks<Count>;
}

function ran(seconds: number): TaskEnding {
  const transitions = { 'execution-start': 1000, 'execution-end': 1000 + seconds };
  return { status: 'success', result: '11\n1', output: '', start: 0, end: 0, worker: {}, transitions };
}
