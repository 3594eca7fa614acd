import assert from 'node:assert/strict';
import type { Task } from '../../../dist/lib/hub/batch.js';
import { type Session, SessionLost } from '../../../dist/lib/hub/broker/session.js';
import { type TaskLine, UserEndpoint } from '../../../dist/lib/hub/user-endpoint.js';
import type { PoolEvents } from '../../../dist/lib/hub/workers/pool.js';
import { batchOf, newId } from './batches.js';

const TASKS = 1000;

/** Nobody is there to take the tasks, and the broker confirms each in a later turn. */
class Line implements TaskLine {
  session: Session | undefined = {} as Session;
  sent = 0;
  onSent: () => void = () => {};
  inspect = async () => ({ consumers: 1, waiting: 0 });
  waiting = async () => new Set<string>();
  purge = async () => {};
  isAgentThere = async () => false;
  start = async () => {};
  seen = () => {};
  missing = () => {};

  async send(): Promise<void> {
    this.sent++;
    this.onSent();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const EVENTS: PoolEvents = { moved: () => {}, ended: () => {}, functionOf: () => ({ key: 1, code: '' }) };

function open(line: Line): UserEndpoint {
  const settings = { user: { id: newId<string>(), username: 'alice' }, config: {}, python: undefined };
  return new UserEndpoint(newId(), settings, '', line, EVENTS, { offlineAfterMs: 1000 });
}

describe('the tasks of a user endpoint', () => {
  it('stay in the hub from the moment that it leaves the broker', async () => {
    const line = new Line();
    const endpoint = open(line);
    const left = new Promise<void>((resolve) => {
      line.onSent = () => {
        line.session = undefined;
        resolve();
      };
    });
    endpoint.submit(batchOf(Array<string>(TASKS).fill('')));
    await left;
    await endpoint.settled();
    assert.ok(line.sent < TASKS / 2, `${line.sent} were sent`);
    assert.equal(endpoint.unsent, TASKS - line.sent);
  });

  it('wait no more when a result comes though their confirmation was lost', async () => {
    const line = new Line();
    const endpoint = open(line);
    line.onSent = () => {
      line.session = undefined;
      throw new SessionLost();
    };
    const batch = batchOf(['', '', '']);
    endpoint.submit(batch);
    await endpoint.settled();
    assert.equal(endpoint.unsent, 3);
    const ending = { status: 'success', result: '', output: '', start: 0, end: 0, worker: {} } as const;
    endpoint.ended(batch.tasks[1] as Task, ending);
    assert.equal(endpoint.unsent, 2);
    line.onSent = () => {};
    line.session = {} as Session;
    line.sent = 0;
    endpoint.resume(false);
    await endpoint.settled();
    assert.deepEqual([line.sent, endpoint.unsent], [2, 0]);
  });
});
