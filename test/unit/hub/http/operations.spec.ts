/** The operations of the service over HTTP, in its shapes. Source of the shapes: the service's OpenAPI document. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { packBuffers } from '../../../../dist/lib/index.js';
import { HttpLab, packed, registration, type User } from './fixture.js';

const ECHO = 'def echo(x):\n    return x\n';

/** What the SDK 4.15 sends beside the tasks. */
const AS_THE_SDK = {
  create_queue: false,
  result_serializers: ['globus_compute_sdk.serialize.JSONData'],
  user_runtime: { globus_compute_sdk_version: '4.15.0', globus_sdk_version: '4.9.0', python_version: '3.11.2' },
};

/** What the SDK 1.0 sends of an image, and of one that is to be built. Source: its `sdk/client.py`, `container_spec.py`. */
const IMAGE = { name: 'c', location: 'docker://python:3.11', description: '', type: 'docker' };
const BUILD = { name: 'c', description: null, apt: [], pip: ['numpy'], conda: ['python=3.7'], payload_url: null };

describe('the hub over HTTP', () => {
  let lab: HttpLab;
  let user: User;
  let echo: string;

  before(async () => {
    lab = await HttpLab.open();
    user = await lab.user('alice');
    echo = await user.register(ECHO);
  });
  after(() => lab.clean());

  const submit = (tasks: object, more: object = {}) =>
    user.post(`/v3/endpoints/${lab.endpoint}/submit`, { tasks, ...AS_THE_SDK, ...more });

  /** A task when it has ended. */
  async function ended(id: string): Promise<Record<string, unknown>> {
    for (;;) {
      const { results } = await user.post('/v2/batch_status', { task_ids: [id] });
      if (results[id].completion_t !== undefined) return results[id];
      await new Promise(setImmediate);
    }
  }

  describe('tells of itself', () => {
    it('its version as a text, and with the oldest clients where these are asked for', async () => {
      const version = await user.get('/v2/version');
      assert.match(version, /^\d+\.\d+\.\d+$/);
      assert.equal(await user.get('/v2/version?service=api'), version);
      const all = await user.get('/v2/version?service=all');
      assert.equal(all.api, version);
      for (const oldest of [all.min_sdk_version, all.min_ep_version]) assert.match(oldest, /^\d+\.\d+\.\d+$/);
    });

    it('that a token is valid', async () => {
      assert.equal(await user.get('/v2/authenticate'), 'OK');
    });
  });

  describe('registers functions', () => {
    it('as the SDK sends them, and gives them back', async () => {
      const { function_uuid } = await user.post('/v3/functions', {
        ...registration(ECHO),
        description: 'says it again',
      });
      assert.deepEqual(await user.get(`/v2/functions/${function_uuid}`), {
        function_uuid,
        function_name: 'echo',
        description: 'says it again',
        function_code: packBuffers([`st\necho:${ECHO}`]),
        metadata: { python_version: '3.11.2', sdk_version: '4.15.0' },
      });
    });

    it('as clients before 3.4 send them, with null for what they leave out', async () => {
      const { meta, ...body } = registration('def old(x):\n    return x\n');
      const old = {
        ...body,
        entry_point: 'old',
        description: null,
        metadata: { python_version: '3.7.1' },
        group: null,
      };
      const { function_uuid } = await user.post('/v2/functions', old);
      const { metadata, ...info } = await user.get(`/v2/functions/${function_uuid}`);
      assert.deepEqual(info, { function_uuid, ...body });
      assert.equal(metadata.python_version, '3.7.1');
    });

    // Source of the bodies: Globus Compute SDK 4.15, `serialize/concretes.py`.
    for (const [what, buffer] of [
      [
        'dill of its source',
        '04\ngASVQwAAAAAAAACMCHNvdXJjZXI0lIwyZGVmIHNvdXJjZXI0KCk6CiAgICAjIHZlcnlmaW5kYWJsZTA0CiAgICByZXR1cm4gMQqUhpQu\n',
      ],
      ['its source', 'sd\nsourcer5:def sourcer5():\n    # veryfindablesd\n    return 1\n'],
    ] as const) {
      it(`and finds them by ${what}`, async () => {
        const function_code = packBuffers([buffer]);
        await user.post('/v3/functions', { ...registration(ECHO), function_name: `by ${what}`, function_code });
        const word = `veryfindable${buffer.slice(0, 2)}`;
        const page = await lab.lab.hub.searchFunctions(word, 0, 10);
        assert.deepEqual(
          page.results.map((hit) => [hit.function_name, hit.author]),
          [[`by ${what}`, 'alice']],
        );
      });
    }

    it('that hold no source, which are kept as they are', async () => {
      const function_code = packBuffers(['01\ngASVBQAAAAAAAABLAoWULg==\n']);
      const { function_uuid } = await user.post('/v3/functions', { ...registration(ECHO), function_code });
      assert.equal((await user.get(`/v2/functions/${function_uuid}`)).function_code, function_code);
    });

    it('and deletes them: the HTTP status of the deletion is in the body', async () => {
      const id = await user.register('def gone(): pass');
      const remove = async () => (await user.request('DELETE', `/v2/functions/${id}`)).body;
      assert.deepEqual(await remove(), { result: 302 });
      assert.deepEqual(await remove(), { result: 404 });
      assert.equal((await user.get(`/v2/functions/${id}`, 404)).code, 'FUNCTION_NOT_FOUND');
    });
  });

  describe('shows endpoints', () => {
    it('in a list of their own, and with public ones where these are asked for', async () => {
      assert.deepEqual(await user.get('/v2/endpoints'), []);
      const [entry] = await user.get('/v2/endpoints?role=any');
      assert.deepEqual([entry.uuid, entry.name, entry.owner], [lab.endpoint, 'lab', lab.lab.hub.operator.id]);
    });

    it('with what everybody may know of them', async () => {
      const info = await user.get(`/v2/endpoints/${lab.endpoint}`);
      assert.deepEqual([info.uuid, info.name, info.public, info.multi_user], [lab.endpoint, 'lab', true, false]);
      assert.equal((await user.get(`/v2/endpoints/${lab.endpoint}/status`)).status, 'online');
      assert.deepEqual(await user.get(`/v3/endpoints/${lab.endpoint}/allowed_functions`), {
        endpoint_id: lab.endpoint,
        restricted: false,
      });
    });
  });

  describe('runs functions', () => {
    it('and answers with ids in the order of the arguments', async () => {
      const reply = await submit({ [echo]: ['a', 'b', 'c'].map((text) => packed(text)) });
      assert.deepEqual(Object.keys(reply).sort(), ['endpoint_id', 'request_id', 'task_group_id', 'tasks']);
      assert.equal(reply.endpoint_id, lab.endpoint);
      const results = [];
      for (const id of reply.tasks[echo]) results.push((await ended(id)).result);
      assert.deepEqual(results, ['11\n"a"', '11\n"b"', '11\n"c"']);
    });

    it('and shows a task with its result, times and place', async () => {
      const reply = await submit({ [echo]: [packed('✓😀')] });
      const [id] = reply.tasks[echo];
      await ended(id);
      const task = await user.get(`/v2/tasks/${id}`);
      assert.deepEqual([task.task_id, task.status, JSON.parse(task.result.slice(3))], [id, 'success', '✓😀']);
      assert.ok(Number(task.completion_t) > 1e9);
      assert.equal(task.details.endpoint_id, lab.endpoint);
      assert.ok(task.details.task_transitions['execution-end'] >= task.details.task_transitions['execution-start']);
    });

    it('and shows an exception with its traceback', async () => {
      const failing = await user.register('def failing():\n    raise ValueError("boom ✓")\n');
      const reply = await submit({ [failing]: [packed()] });
      const task = await ended(reply.tasks[failing][0]);
      assert.equal(task.status, 'failed');
      assert.match(String(task.exception), /^Traceback[\s\S]*ValueError: boom ✓\n?$/);
      assert.equal(task.result, undefined);
    });

    it('of a task group, which can be joined and listed', async () => {
      const first = await submit({ [echo]: [packed(1)] });
      const second = await submit({ [echo]: [packed(2), packed(3)] }, { task_group_id: first.task_group_id });
      assert.equal(second.task_group_id, first.task_group_id);
      const group = await user.get(`/v2/taskgroup/${first.task_group_id}`);
      assert.equal(group.taskgroup_id, first.task_group_id);
      const ids = group.tasks.map(({ id }: { id: string }) => id);
      assert.deepEqual(ids.sort(), [...first.tasks[echo], ...second.tasks[echo]].sort());
    });

    it('and keeps results to be asked for again', async () => {
      const reply = await submit({ [echo]: [packed('again')] });
      const [id] = reply.tasks[echo];
      const first = await ended(id);
      await lab.lab.hub.durable();
      assert.deepEqual(await ended(id), first);
    });

    it('on several endpoints in one request, each task accepted or refused by itself', async () => {
      const unknown = randomUUID();
      const tasks = [
        [echo, lab.endpoint, packed('first')],
        [echo, unknown, packed('nowhere')],
        [unknown, lab.endpoint, packed('nothing')],
        [echo, lab.endpoint, packed('last')],
      ];
      const { response, task_group_id, results } = await user.post('/v2/submit', { tasks }, 207);
      assert.equal(response, 'batch');
      assert.deepEqual(
        results.map((result: { status: string; http_status_code: number; code?: string }) => [
          result.status,
          result.http_status_code,
          result.code,
        ]),
        [
          ['Success', 200, undefined],
          ['Failed', 404, 'ENDPOINT_NOT_FOUND'],
          ['Failed', 404, 'FUNCTION_NOT_FOUND'],
          ['Success', 200, undefined],
        ],
      );
      const group = await user.get(`/v2/taskgroup/${task_group_id}`);
      assert.equal(group.tasks.length, 2);
      assert.match(String((await ended(results[3].task_uuid)).result), /^00\n/);
      const both = [tasks[0], tasks[3]];
      assert.equal((await user.post('/v2/submit', { tasks: both })).response, 'success');
    });
  });

  it('counts the tasks that were submitted', async () => {
    const before = (await user.get('/v2/stats')).total_function_invocations;
    await user.post(`/v3/endpoints/${lab.endpoint}/submit`, { tasks: { [echo]: [packed(1), packed(2), packed(3)] } });
    assert.deepEqual(await user.get('/v2/stats'), { total_function_invocations: before + 3 });
  });

  describe('refuses', () => {
    const id = randomUUID();
    for (const [method, url, status, code, sent] of [
      ['GET', '/v2/nothing', 404, 'NOT_FOUND'],
      ['POST', '/v2/functions/search', 404, 'NOT_FOUND'],
      ['GET', `/v2/functions/${id}`, 404, 'FUNCTION_NOT_FOUND'],
      ['GET', `/v2/tasks/${id}`, 404, 'TASK_NOT_FOUND'],
      ['GET', `/v2/taskgroup/${id}`, 404, 'TASK_GROUP_NOT_FOUND'],
      ['GET', `/v2/endpoints/${id}`, 404, 'ENDPOINT_NOT_FOUND'],
      ['GET', `/v2/endpoints/${id}/status`, 404, 'ENDPOINT_NOT_FOUND'],
      ['DELETE', `/v2/endpoints/${id}`, 404, 'ENDPOINT_NOT_FOUND'],
      ['POST', `/v3/endpoints/${id}/lock`, 404, 'ENDPOINT_NOT_FOUND'],
      ['GET', `/v3/endpoints/${id}/console`, 404, 'ENDPOINT_NOT_FOUND'],
      ['PUT', `/v3/endpoints/${id}/subscription-admin-verified`, 403, 'ENDPOINT_ACCESS_FORBIDDEN'],
      ['POST', '/v2/containers', 403, 'CONTAINER_SERVICE_NOT_PERMITTED', IMAGE],
      ['POST', '/v2/containers/build', 403, 'CONTAINER_SERVICE_NOT_PERMITTED', BUILD],
      ['GET', `/v2/containers/build/${id}`, 404, 'CONTAINER_NOT_FOUND'],
      ['GET', `/v2/containers/${id}/docker`, 404, 'CONTAINER_NOT_FOUND'],
      ['GET', `/v2/containers/${id}/singularity`, 404, 'CONTAINER_NOT_FOUND'],
    ] as const) {
      it(`${method} ${url.replace(id, '{unknown}')} with ${code}, in the service's shape`, async () => {
        const answer = await user.request(method, url, sent);
        assert.equal(answer.status, status, answer.text);
        const { detail, reason, error_args, ...rest } = answer.body;
        assert.deepEqual(rest, { status: 'Failed', code, http_status_code: status });
        assert.ok(Array.isArray(error_args));
        assert.ok(typeof detail === 'string' && detail !== '' && detail === reason);
      });
    }

    for (const [method, url, body, place] of [
      ['POST', '/v2/containers', { ...IMAGE, type: 'podman' }, ['body', 'type']],
      ['POST', '/v2/containers', { name: 'c', type: 'docker' }, ['body', 'location']],
      ['POST', '/v2/containers/build', { ...BUILD, pip: 'numpy' }, ['body', 'pip']],
      ['POST', '/v2/containers/build', { ...BUILD, payload_url: 'no address' }, ['body', 'payload_url']],
      ['GET', '/v2/containers/build/x', undefined, ['path', 'container_uuid']],
      ['GET', '/v2/containers/x/docker', undefined, ['path', 'container_uuid']],
    ] as const) {
      it(`a malformed ${method} ${url} for its ${place[1]}, before all else`, async () => {
        const answer = await user.request(method, url, body);
        assert.equal(answer.status, 422, answer.text);
        assert.deepEqual(answer.body.detail[0].loc, place);
      });
    }

    it('a function with a container, which there are none of', async () => {
      const { meta, ...old } = registration(ECHO);
      const body = await user.post('/v2/functions', { ...old, container_uuid: id }, 404);
      assert.equal(body.code, 'CONTAINER_NOT_FOUND');
    });

    it('a task group that is not known, as the service does', async () => {
      const body = { tasks: { [echo]: [packed(1)] }, task_group_id: id };
      const { code } = await user.post(`/v3/endpoints/${lab.endpoint}/submit`, body, 404);
      assert.equal(code, 'TASK_GROUP_NOT_FOUND');
    });
  });

  it('takes an empty body that says to be JSON for none', async () => {
    const headers = { authorization: `Bearer ${user.token}`, 'content-type': 'application/json' };
    const { body } = await user.send({
      method: 'POST',
      url: `/v3/endpoints/${lab.endpoint}/lock`,
      headers,
      payload: '',
    });
    assert.equal(body.code, 'ENDPOINT_ACCESS_FORBIDDEN');
  });
});
