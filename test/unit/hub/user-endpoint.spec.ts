import assert from 'node:assert/strict';
import type { Session } from '../../../dist/lib/hub/broker/session.js';
import { type TaskLine, UserEndpoint } from '../../../dist/lib/hub/user-endpoint.js';
import type { PoolEvents } from '../../../dist/lib/hub/workers/pool.js';
import { batchOf, newId } from './batches.js';

const TASKS = 1000;

/** Nobody is there to take the tasks, and the broker confirms each in a later turn. */
class Line implements TaskLine {
  session: Session | undefined = {} as Session;
  sent = 0;
  onSent = () => {};
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

describe('the tasks of a user endpoint', () => {
  it('stay in the hub from the moment that it leaves the broker', async () => {
    const line = new Line();
    const settings = { user: { id: newId<string>(), username: 'alice' }, config: {}, python: undefined };
    const endpoint = new UserEndpoint(newId(), settings, '', line, EVENTS, { offlineAfterMs: 1000 });
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
});
