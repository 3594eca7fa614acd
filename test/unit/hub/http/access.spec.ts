/** What users of a hub see of each other, and of its operator. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { FunctionId, TaskGroupId, TaskId } from '../../../../dist/lib/index.js';
import { endOf } from '../fixture.js';
import { HttpLab, packed, registration, type User } from './fixture.js';

const GROUP = '6F1D2C30-b499-41ea-91c1-0a0ee5aecb35';
const SOURCE = 'def own(x):\n    return x\n';

describe('a user of the hub', () => {
  let lab: HttpLab;
  let alice: User;
  let bob: User;
  /** In a group with Bob. */
  let carol: User;

  before(async () => {
    lab = await HttpLab.open();
    alice = await lab.user('alice', [GROUP]);
    bob = await lab.user('bob');
    carol = await lab.user('carol', [GROUP.toLowerCase()]);
  });
  after(() => lab.clean());

  const submitUrl = () => `/v3/endpoints/${lab.endpoint}/submit`;
  const run = (user: User, id: string, status = 200, more: object = {}) =>
    user.post(submitUrl(), { tasks: { [id]: [packed(1)] }, ...more }, status);

  describe('may run a function', () => {
    let own: string;

    before(async () => {
      own = await alice.register(SOURCE);
    });

    it('of his own', async () => {
      assert.equal((await run(alice, own)).endpoint_id, lab.endpoint);
    });

    it("and nobody else's, whose code he is not shown either", async () => {
      assert.equal((await run(bob, own, 403)).code, 'FUNCTION_ACCESS_FORBIDDEN');
      assert.equal((await bob.get(`/v2/functions/${own}`, 403)).code, 'FUNCTION_ACCESS_FORBIDDEN');
      assert.equal((await bob.get(`/v2/functions/${own.toUpperCase()}`, 403)).code, 'FUNCTION_ACCESS_FORBIDDEN');
    });

    it('that is public', async () => {
      const open = await alice.register(SOURCE, { public: true });
      assert.equal((await run(bob, open)).endpoint_id, lab.endpoint);
      assert.equal((await bob.get(`/v2/functions/${open}`)).function_name, 'own');
    });

    it('that is for a group which he is in', async () => {
      const shared = await alice.register(SOURCE, { group: GROUP });
      assert.equal((await run(carol, shared)).endpoint_id, lab.endpoint);
      assert.equal((await run(bob, shared, 403)).code, 'FUNCTION_ACCESS_FORBIDDEN');
    });

    it('only if he may run all of a submission', async () => {
      const mine = await bob.register(SOURCE);
      const tasks = { [mine]: [packed(1)], [own]: [packed(1)] };
      assert.equal((await bob.post(submitUrl(), { tasks }, 403)).code, 'FUNCTION_ACCESS_FORBIDDEN');
    });

    it("and the operator's only where it is shared", async () => {
      const operators = await lab.lab.function('def of_the_operator():\n    return 1\n');
      assert.equal((await run(alice, operators, 403)).code, 'FUNCTION_ACCESS_FORBIDDEN');
      const body = { ...registration('def shared():\n    return 1\n'), public: true };
      const { function_uuid } = await lab.lab.hub.registerFunction(body);
      assert.equal((await run(alice, function_uuid)).endpoint_id, lab.endpoint);
    });

    it('by its own id: the same code of two users is two functions', async () => {
      const again = await bob.register(SOURCE);
      assert.notEqual(again, own);
      assert.equal(await alice.register(SOURCE), own);
      assert.equal(await bob.register(SOURCE), again);
    });

    it('that was registered before a restart by the same rules', async () => {
      const other = await HttpLab.open();
      try {
        const owner = await other.user('owner');
        const stranger = await other.user('stranger');
        const id = await owner.register(SOURCE);
        await other.lab.client.close();
        await other.lab.hub.close();
        await other.lab.reopen();
        const { hub } = other.lab;
        const as = ({ id, credentials }: User) => hub.as({ id, username: credentials.clientId });
        assert.equal((await as(owner).getFunction(id)).function_uuid, id);
        await assert.rejects(as(stranger).getFunction(id), { code: 'FUNCTION_ACCESS_FORBIDDEN', httpStatus: 403 });
      } finally {
        await other.clean();
      }
    });
  });

  it('can delete his own functions alone, public ones of others not either', async () => {
    const open = await alice.register('def keep(): pass', { public: true });
    assert.deepEqual((await bob.request('DELETE', `/v2/functions/${open}`)).body, { result: 403 });
    assert.equal((await alice.get(`/v2/functions/${open}`)).function_uuid, open);
    assert.deepEqual((await alice.request('DELETE', `/v2/functions/${open}`)).body, { result: 302 });
  });

  it('finds by search what he may run', async () => {
    await alice.register('def needle_own(): pass');
    await alice.register('def needle_open(): pass', { public: true });
    await alice.register('def needle_group(): pass', { group: GROUP });
    const found = async ({ id }: User, groups: string[] = []) => {
      const page = await lab.lab.hub.as({ id, username: '', groups }).searchFunctions('needle', 0, 10);
      assert.equal(page.total, page.results.length);
      return page.results.map((hit) => hit.function_name).sort();
    };
    assert.deepEqual(await found(alice), ['needle_group', 'needle_open', 'needle_own']);
    assert.deepEqual(await found(bob), ['needle_open']);
    assert.deepEqual(await found(carol, [GROUP.toLowerCase()]), ['needle_group', 'needle_open']);
    assert.equal((await lab.lab.hub.searchFunctions('needle', 0, 10)).total, 3);
  });

  describe('sees his own tasks alone', () => {
    let taskId: string;
    let groupId: string;

    before(async () => {
      const reply = await run(alice, await alice.register(SOURCE));
      groupId = reply.task_group_id;
      [taskId] = Object.values(reply.tasks).flat() as [string];
      await endOf(lab.lab.client, taskId as TaskId);
    });

    it("and another's as if it had never been", async () => {
      assert.equal((await alice.get(`/v2/tasks/${taskId}`)).task_id, taskId);
      const refused = await bob.get(`/v2/tasks/${taskId}`, 404);
      const unknown = await bob.get(`/v2/tasks/${randomUUID()}`, 404);
      assert.equal(refused.code, 'TASK_NOT_FOUND');
      assert.equal(refused.code, unknown.code);
    });

    it("among many, another's as one that is not known", async () => {
      const { results } = await bob.post('/v2/batch_status', { task_ids: [taskId] });
      assert.deepEqual(results, { [taskId]: { task_id: taskId, status: 'failed', reason: 'Unknown task id' } });
    });

    it('and can neither list nor join the task group of another', async () => {
      assert.equal((await bob.get(`/v2/taskgroup/${groupId}`, 403)).code, 'TASK_GROUP_ACCESS_FORBIDDEN');
      const refused = await run(bob, await bob.register(SOURCE), 403, { task_group_id: groupId });
      assert.equal(refused.code, 'TASK_GROUP_ACCESS_FORBIDDEN');
    });

    it("and nothing of the operator's", async () => {
      const group = randomUUID() as unknown as TaskGroupId;
      const id = await lab.lab.function('def f():\n    return 1\n');
      const reply = await lab.lab.hub.submit(lab.lab.endpoint, { tasks: { [id]: [packed()] }, task_group_id: group });
      const [task] = reply.tasks[id] as [TaskId];
      await alice.get(`/v2/tasks/${task}`, 404);
      await alice.get(`/v2/taskgroup/${group}`, 404);
      const refused = await run(alice, await alice.register(SOURCE), 404, { task_group_id: group });
      assert.equal(refused.code, 'TASK_GROUP_NOT_FOUND');
    });

    it('after a restart too', async () => {
      const other = await HttpLab.open();
      try {
        const owner = await other.user('owner');
        const id = await owner.register(SOURCE);
        const reply = await owner.post(`/v3/endpoints/${other.endpoint}/submit`, { tasks: { [id]: [packed(1)] } });
        const task = reply.tasks[id][0] as TaskId;
        await endOf(other.lab.client, task);
        await other.lab.client.close();
        await other.lab.hub.close();
        await other.lab.reopen();
        const as = (id: string) => other.lab.hub.as({ id, username: '' });
        assert.equal((await as(owner.id).getTask(task)).status, 'success');
        await assert.rejects(as(randomUUID()).getTask(task), { code: 'TASK_NOT_FOUND' });
        await assert.rejects(as(randomUUID()).taskGroup(reply.task_group_id), { code: 'TASK_GROUP_ACCESS_FORBIDDEN' });
      } finally {
        await other.clean();
      }
    });
  });

  describe('on an endpoint that is not public', () => {
    let closed: HttpLab;
    let user: User;

    before(async () => {
      closed = await HttpLab.open({}, { public: false });
      user = await closed.user('user');
    });
    after(() => closed.clean());

    it('sees nothing of it', async () => {
      assert.deepEqual(await user.get('/v2/endpoints?role=any'), []);
      for (const url of [
        `/v2/endpoints/${closed.endpoint}`,
        `/v2/endpoints/${closed.endpoint}/status`,
        `/v3/endpoints/${closed.endpoint}/allowed_functions`,
      ]) {
        assert.equal((await user.get(url, 403)).code, 'ENDPOINT_ACCESS_FORBIDDEN');
      }
    });

    it('runs nothing, not even what he may run', async () => {
      const id = await user.register(SOURCE);
      const refused = await user.post(`/v3/endpoints/${closed.endpoint}/submit`, { tasks: { [id]: [packed(1)] } }, 403);
      assert.equal(refused.code, 'ENDPOINT_ACCESS_FORBIDDEN');
    });
  });

  it('can neither delete, lock nor register anew an endpoint that is not his, be it public', async () => {
    for (const [method, url, body] of [
      ['DELETE', `/v2/endpoints/${lab.endpoint}`],
      ['DELETE', `/v3/endpoints/${lab.endpoint}`],
      ['POST', `/v2/endpoints/${lab.endpoint}/lock`],
      ['POST', `/v3/endpoints/${lab.endpoint}/lock`],
      ['PUT', `/v3/endpoints/${lab.endpoint}`, { endpoint_name: 'mine', metadata: {} }],
      ['POST', '/v2/endpoints', { endpoint_name: 'mine', endpoint_uuid: lab.endpoint }],
    ] as const) {
      const { status, body: answer } = await alice.request(method, url, body);
      assert.deepEqual([status, answer.code], [403, 'ENDPOINT_ACCESS_FORBIDDEN'], `${method} ${url}`);
    }
  });

  describe('on an endpoint with a list of functions', () => {
    it('runs those alone, and is shown them', async () => {
      const allowed: FunctionId[] = [];
      const open = { ...registration('def listed(x):\n    return x\n'), public: true };
      const limited = await HttpLab.open();
      try {
        const user = await limited.user('user');
        allowed.push((await limited.lab.hub.registerFunction(open)).function_uuid as FunctionId);
        await limited.lab.openEndpoint({ allowedFunctions: allowed });
        const url = `/v3/endpoints/${limited.endpoint}/submit`;
        const own = await user.register(SOURCE);
        const refused = await user.post(url, { tasks: { [own]: [packed(1)] } }, 403);
        assert.deepEqual([refused.code, refused.error_args], ['FUNCTION_NOT_PERMITTED', [own, limited.endpoint]]);
        await user.post(url, { tasks: { [allowed[0] as string]: [packed(1)] } });
        assert.deepEqual(await user.get(`/v3/endpoints/${limited.endpoint}/allowed_functions`), {
          endpoint_id: limited.endpoint,
          restricted: true,
          functions: allowed,
        });
      } finally {
        await limited.clean();
      }
    });
  });
});
