/** Requests that are not what the contract says. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { HttpLab, type Method, packed, registration, type User } from './fixture.js';

describe('a malformed request', () => {
  let lab: HttpLab;
  let user: User;
  let own: string;

  before(async () => {
    lab = await HttpLab.open();
    user = await lab.user('alice');
    own = await user.register('def own(x):\n    return x\n');
  });
  after(() => lab.clean());

  const submit = (body: object, status: number) => user.post(`/v3/endpoints/${lab.endpoint}/submit`, body, status);

  const raw = (url: string, payload: string | Buffer, type = 'application/json', method: Method = 'POST') =>
    user.send({ method, url, payload, headers: { authorization: `Bearer ${user.token}`, 'content-type': type } });

  describe('is told what is wrong and where', () => {
    it("in FastAPI's words for version 2", async () => {
      const { detail } = await user.post('/v2/functions', { function_name: 'f', function_code: 1 }, 422);
      assert.deepEqual(detail, [{ loc: ['body', 'function_code'], msg: 'str type expected', type: 'type_error.str' }]);
    });

    it("in the service's error body for version 3", async () => {
      const { meta, ...incomplete } = registration('def f(): pass');
      const answer = await user.post('/v3/functions', incomplete, 422);
      const problems = [{ loc: ['body', 'meta'], msg: 'field required', type: 'value_error.missing' }];
      assert.deepEqual(answer, {
        status: 'Failed',
        code: 'SEMANTICALLY_INVALID',
        error_args: [],
        http_status_code: 422,
        detail: problems,
        reason: problems,
      });
    });

    it('inside lists and mappings, and in the address', async () => {
      const inList = await user.post('/v2/batch_status', { task_ids: [randomUUID(), 'x'] }, 422);
      assert.deepEqual(inList.detail[0].loc, ['body', 'task_ids', 1]);
      const inMapping = await submit({ tasks: { [own]: [packed(1), 5] } }, 422);
      assert.deepEqual(inMapping.detail[0].loc, ['body', 'tasks', own, 1]);
      const inPath = await user.get('/v2/tasks/x', 422);
      assert.deepEqual(inPath.detail, [
        { loc: ['path', 'task_uuid'], msg: 'value is not a valid uuid', type: 'type_error.uuid' },
      ]);
      const inQuery = await user.get('/v2/endpoints?role=all', 422);
      assert.deepEqual(inQuery.detail[0].loc, ['query', 'role']);
    });
  });

  for (const [what, body] of [
    ['no task', { tasks: {} }],
    ['a function without a task', () => ({ tasks: { [own]: [] } })],
    ['a function that is no UUID', { tasks: { own: ['x'] } }],
    ['a task group that is no UUID', () => ({ tasks: { [own]: ['x'] }, task_group_id: 'g' })],
    ['arguments that are no list', () => ({ tasks: { [own]: 'x' } })],
    ['raw bytes beside the text', () => ({ tasks: { [own]: [{ text: 'x', tag: 't', buffers: [] }] } })],
    [
      'serializers that are no names of classes',
      () => ({ tasks: { [own]: ['x'] }, result_serializers: ['os.system("x")'] }),
    ],
    ['too many serializers', () => ({ tasks: { [own]: ['x'] }, result_serializers: Array(33).fill('a.B') })],
  ] as const) {
    it(`to submit with ${what} is refused`, async () => {
      const { status, body: answer } = await user.request(
        'POST',
        `/v3/endpoints/${lab.endpoint}/submit`,
        typeof body === 'function' ? body() : body,
      );
      assert.ok(status === 422 || (status === 400 && answer.code === 'REQUEST_MALFORMED'), JSON.stringify(answer));
    });
  }

  it('with a value that is nested too deeply is refused, wherever it is', async () => {
    const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    for (const depth of [100, 100_000]) {
      const tasks = `"tasks":{"${own}":[${JSON.stringify(packed(1))}]}`;
      const url = `/v3/endpoints/${lab.endpoint}/submit`;
      for (const field of ['user_endpoint_config', 'user_runtime']) {
        const { status, body } = await raw(url, `{${tasks},"${field}":${deep(depth)}}`);
        assert.deepEqual([status, body.code], [400, 'REQUEST_MALFORMED']);
      }
      const schema = `{"endpoint_name":"e","metadata":{"user_config_schema":${deep(depth)}}}`;
      assert.equal((await raw('/v3/endpoints', schema)).body.code, 'REQUEST_MALFORMED');
      assert.equal(
        (await raw('/v2/batch_status', `{"task_ids":${'['.repeat(depth)}${']'.repeat(depth)}}`)).status,
        422,
      );
    }
  });

  it('with a configuration that no agent could be given is refused', async () => {
    for (const field of ['user_endpoint_config', 'user_runtime']) {
      const answer = await submit({ tasks: { [own]: [packed(1)] }, [field]: { x: 'x'.repeat(65_536) } }, 400);
      assert.equal(answer.code, 'REQUEST_MALFORMED');
    }
  });

  for (const [what, payload] of [
    ['half of JSON', '{"function_name": "f'],
    ['names that would change a prototype', '{"__proto__": {"public": true}, "function_name": "f"}'],
    ['names that would change a constructor', '{"constructor": {"prototype": {"public": true}}}'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ['NaN, which is no JSON', '{"function_name": NaN}'],
  ] as const) {
    it(`whose body is ${what} is refused`, async () => {
      const { status, body } = await raw('/v3/functions', payload);
      assert.equal(status, 422);
      assert.deepEqual(body.detail, [{ loc: ['body'], msg: 'The body is not JSON', type: 'value_error.jsondecode' }]);
    });
  }

  for (const type of [
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
  ]) {
    it(`whose body is ${type} is refused`, async () => {
      const { status, body } = await raw('/v3/functions', 'x', type);
      assert.deepEqual([status, body.code], [415, 'REQUEST_MALFORMED']);
    });
  }

  for (const id of [
    "' OR 1=1 --",
    '%27%20OR%201%3D1',
    '..%2f..%2fetc%2fpasswd',
    '..',
    '%00',
    '%',
    '%ff',
    'x'.repeat(2000),
    '*',
    '6f1d2c30-b499-41ea-91c1-0a0ee5aecb35%0d%0aX: y',
    '6f1d2c30-b499-41ea-91c1-0a0ee5aecb35/../..',
  ]) {
    it(`for the id ${JSON.stringify(id.slice(0, 50))} is refused`, async () => {
      for (const url of [
        `/v2/functions/${id}`,
        `/v2/tasks/${id}`,
        `/v2/endpoints/${id}/status`,
        `/v2/taskgroup/${id}`,
      ]) {
        const { status, text } = await user.send({
          method: 'GET',
          url,
          headers: { authorization: `Bearer ${user.token}` },
        });
        assert.ok(status >= 400 && status < 500, `${url}: ${status} ${text}`);
      }
    });
  }

  it('of any other kind is refused as well, and never breaks the hub', async () => {
    const id = fc.constantFrom(randomUUID(), own, lab.endpoint, 'x');
    const url = fc.constantFrom<(id: string) => [Method, string]>(
      () => ['POST', '/v3/functions'],
      () => ['POST', '/v2/functions'],
      () => ['POST', '/v2/submit'],
      () => ['POST', '/v2/batch_status'],
      () => ['POST', '/v3/endpoints'],
      () => ['POST', '/v2/endpoints'],
      (id) => ['PUT', `/v3/endpoints/${id}`],
      (id) => ['POST', `/v3/endpoints/${id}/submit`],
      (id) => ['POST', `/v3/endpoints/${id}/lock`],
    );
    const fields = fc.constantFrom(
      'tasks',
      'task_ids',
      'function_name',
      'function_code',
      'meta',
      'metadata',
      'group',
      own,
    );
    const scalar = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null), id, fc.constant('5\n11\n{}'));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        scalar,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fields, tie('value'), { maxKeys: 4 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(url, id, fc.dictionary(fields, value), async (of, anId, body) => {
        const [method, path] = of(anId);
        const { status, body: answer } = await user.request(method, path, body);
        assert.ok(status < 500 || answer.code === 'BROKER_NOT_AVAILABLE', JSON.stringify(answer));
      }),
      { numRuns: 500 },
    );
  });
});
