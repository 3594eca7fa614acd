/** The console of an endpoint, for its owner. Of attached agents: test/interop/broker/console.spec.ts */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { chosenFields } from '../../../../lib/hub/http/console.js';
import { outcomesOf, WAIT_FOR_ANSWER } from '../fixture.js';
import { HttpLab, type User } from './fixture.js';

describe('the console of an endpoint', () => {
  let lab: HttpLab;
  let user: User;

  beforeEach(async () => {
    lab = await HttpLab.open();
    user = await lab.user('alice');
  });
  afterEach(() => lab.clean());

  const consoleOf = (id: string, query = '') => `/v3/endpoints/${id}/console${query}`;

  it('is not for others, be the endpoint public', async () => {
    const answer = await user.get(consoleOf(lab.endpoint), 403);
    assert.deepEqual([answer.code, answer.error_args], ['ENDPOINT_ACCESS_FORBIDDEN', [lab.endpoint]]);
  });

  it('is not there for an endpoint that is not known, or for what is no id', async () => {
    assert.equal((await user.get(consoleOf(randomUUID()), 404)).code, 'ENDPOINT_NOT_FOUND');
    assert.deepEqual((await user.get(consoleOf('x'), 422)).detail[0].loc, ['path', 'endpoint_uuid']);
  });

  it('is not for who has no token', async () => {
    const { status, body } = await lab.send({ method: 'GET', url: consoleOf(lab.endpoint) });
    assert.deepEqual([status, body.code], [401, 'USER_UNAUTHENTICATED']);
  });

  for (const asked of ['pid', 'active,pid', 'active,', ',', 'ACTIVE', '__proto__', 'x'.repeat(5000)]) {
    it(`is refused with 400 where ${JSON.stringify(asked.slice(0, 20))} is asked for, and the fields are named`, async () => {
      const answer = await user.get(consoleOf(lab.endpoint, `?include_fields=${asked}`), 400);
      assert.deepEqual([answer.status, answer.code, answer.http_status_code], ['Failed', 'REQUEST_MALFORMED', 400]);
      assert.match(answer.detail, /is no field. The fields are: user_endpoint_id, active, .*, config\.$/);
      assert.ok(answer.detail.length < 600);
    });
  }

  for (const [query, place] of [
    ['?user_endpoint_id=x', 'user_endpoint_id'],
    ['?user_endpoint_id=', 'user_endpoint_id'],
    ['?include_fields=active&include_fields=config', 'include_fields'],
  ] as const) {
    it(`is refused with 422 for ${query}`, async () => {
      const answer = await user.get(consoleOf(lab.endpoint, query), 422);
      assert.deepEqual([answer.code, answer.detail[0].loc], ['SEMANTICALLY_INVALID', ['query', place]]);
    });
  }

  it('has all fields but the configuration, or those that are named; which one it is always', () => {
    const all = chosenFields('');
    assert.deepEqual([all.has('node_info'), all.has('config'), all.size], [true, false, 21]);
    assert.deepEqual(chosenFields(' '), all);
    assert.deepEqual([...chosenFields('config, queue')], ['user_endpoint_id', 'active', 'config', 'queue']);
  });

  it('shows the operator a pool of this machine as its own only user endpoint', async () => {
    const { hub, client } = lab.lab;
    const id = lab.lab.endpoint;
    const [idle, ...more] = await hub.endpointConsole(id);
    assert.deepEqual(more, []);
    const { start_time_iso, start_time_unix, ...rest } = idle ?? {};
    assert.equal(Date.parse(start_time_iso ?? '') / 1000, start_time_unix);
    const known = { posix_pid: process.pid, posix_username: os.userInfo().username, client_sdk_versions: [] };
    const none = { total_worker_count: 0, idle_worker_count: 0, executed_task_count: 0 };
    const tasks = { running_task_count: 0, queued_task_count: 0 };
    assert.deepEqual(rest, { user_endpoint_id: id, active: true, ...known, ...none, ...tasks });

    const bell = await lab.lab.bell();
    const waiting = await lab.lab.function(WAIT_FOR_ANSWER);
    const ended = outcomesOf(client, waiting, Array(3).fill({ args: [bell.path] }));
    const [first, second] = [await bell.next(), await bell.next()];
    const [busy] = await hub.endpointConsole(id);
    assert.match(busy?.python_version ?? '', /^3\.\d+\.\d+/);
    assert.deepEqual(
      [busy?.total_worker_count, busy?.idle_worker_count, busy?.running_task_count, busy?.queued_task_count],
      [2, 0, 2, 1],
    );
    first.answer();
    second.answer();
    (await bell.next()).answer();
    await ended;
    const [after] = await hub.endpointConsole(id);
    assert.deepEqual([after?.idle_worker_count, after?.running_task_count, after?.executed_task_count], [2, 0, 3]);
  });

  it('names the versions that tasks of a pool were submitted with', async () => {
    const id = await user.register('def echo(x=None):\n    return x\n');
    const body = { tasks: { [id]: ['5\n11\n[]5\n11\n{}'] }, user_runtime: { globus_compute_sdk_version: '4.15.0' } };
    await user.post(`/v3/endpoints/${lab.endpoint}/submit`, body);
    const [pool] = await lab.lab.hub.endpointConsole(lab.lab.endpoint);
    assert.deepEqual(pool?.client_sdk_versions, ['4.15.0']);
  });
});
