/** The limits of the service over HTTP. Source: Globus Compute documentation, "Limits". */
import assert from 'node:assert/strict';
import { RateLimiter } from '../../../../dist/lib/hub/http/rate-limit.js';
import { packBuffers, type ServiceError, type TaskId } from '../../../../dist/lib/index.js';
import { Lab, PYTHON, WAIT_FOR_ANSWER } from '../fixture.js';
import { HttpLab, packed, registration, type User } from './fixture.js';

const MB = 1024 * 1024;

describe('the rate limit', () => {
  let lab: HttpLab;

  before(async () => {
    lab = await HttpLab.open({ rateLimit: { requests: 20, seconds: 10 } });
  });
  after(() => lab.clean());

  it('lets a client send 20 requests in 10 seconds, then tells when to come again', async () => {
    const alice = await lab.user('alice');
    for (let i = 0; i < 20; i++) await alice.get('/v2/authenticate');
    const { status, headers, body } = await alice.request('GET', '/v2/authenticate');
    assert.deepEqual([status, body.code], [429, 'TOO_MANY_REQUESTS']);
    assert.match(String(headers['retry-after']), /^([1-9]|10)$/);
  });

  it('counts each client by itself, with all its tokens', async () => {
    const bob = await lab.user('bob');
    for (let i = 0; i < 20; i++) await bob.get('/v2/authenticate');
    const { body } = await lab.signIn(bob.credentials);
    const headers = { authorization: `Bearer ${body.access_token}` };
    assert.equal((await lab.send({ method: 'GET', url: '/v2/authenticate', headers })).status, 429);
    await (await lab.user('carol')).get('/v2/authenticate');
  });

  it('counts who signs in by the address, and those who have no token not at all', async () => {
    const other = await HttpLab.open({ rateLimit: { requests: 3, seconds: 10 } });
    try {
      const wrong = { clientId: '6f1d2c30-b499-41ea-91c1-0a0ee5aecb35', clientSecret: 'x' };
      const answers = [];
      for (let i = 0; i < 4; i++) answers.push((await other.signIn(wrong)).status);
      assert.deepEqual(answers, [401, 401, 401, 429]);
      for (let i = 0; i < 5; i++) assert.equal((await other.send({ method: 'GET', url: '/v2/version' })).status, 401);
    } finally {
      await other.clean();
    }
  });

  it('moves with the time: what came longer ago counts no more', () => {
    let now = 0;
    const limiter = new RateLimiter({ requests: 2, seconds: 10 }, () => now);
    const retryAfter = () => {
      try {
        limiter.admit('client');
        return 0;
      } catch (error) {
        return (error as ServiceError & { retryAfter: number }).retryAfter;
      }
    };
    assert.equal(retryAfter(), 0);
    now = 4000;
    assert.equal(retryAfter(), 0);
    assert.equal(retryAfter(), 6);
    now = 9999;
    assert.equal(retryAfter(), 1);
    now = 10_000;
    assert.equal(retryAfter(), 0);
    assert.equal(retryAfter(), 4);
  });

  it('is refused where it makes no sense', () => {
    assert.throws(() => new RateLimiter({ requests: 0, seconds: 10 }), { code: 'BAD_INPUT' });
  });
});

describe('a user', () => {
  const USER = { id: '0b3390f4-ca5f-496d-a7b9-9e4faed46bff', username: 'alice' };
  let lab: Lab;

  before(async () => {
    lab = await Lab.open();
  });
  after(() => lab.clean());

  it('may have only so much waiting, over a restart too', async () => {
    const bell = await lab.bell();
    const file = lab.path('limited.db');
    const open = async () => {
      const hub = await lab.openHub({ file, userLimits: { tasks: 3, characters: 1000 } });
      const endpoint = await hub.localEndpoint({ name: 'lab', python: PYTHON, workers: 1, public: true });
      const user = hub.as(USER);
      const body = registration(`def wait(bell, text=''):\n    return wait_for_answer(bell)\n${WAIT_FOR_ANSWER}`);
      const { function_uuid } = await user.registerFunction(body);
      const submit = (count: number, text = '', as = user) =>
        as.submit(endpoint, { tasks: { [function_uuid]: Array(count).fill(packed(bell.path, text)) } });
      return { hub, submit };
    };
    const refused = { code: 'TOO_MANY_TASKS', httpStatus: 429 };

    const first = await open();
    await assert.rejects(first.submit(1, 'x'.repeat(1000)), refused);
    await assert.rejects(first.submit(4), refused);
    const reply = await first.submit(3);
    await assert.rejects(first.submit(1), refused);
    const visitor = await bell.next();
    await first.hub.close();
    visitor.answer();

    // One was cut off with the hub; two run now, one after another.
    const second = await open();
    await assert.rejects(second.submit(2), refused);
    (await bell.next()).answer();
    (await bell.next()).answer();
    for (const id of Object.values(reply.tasks).flat() as TaskId[]) {
      while ((await second.hub.getTask(id)).completion_t === undefined) await new Promise(setImmediate);
    }
    await second.submit(3);
  });
});

describe('a body', () => {
  let lab: HttpLab;
  let user: User;
  let size: string;

  before(async () => {
    lab = await HttpLab.open();
    user = await lab.user('alice');
    size = await user.register('def size(x):\n    return len(x)\n');
  });
  after(() => lab.clean());

  const submit = (args: string[], status: number) =>
    user.post(`/v3/endpoints/${lab.endpoint}/submit`, { tasks: { [size]: args } }, status);

  it('of 9 MB goes through, in any writing', async function () {
    this.timeout(30_000);
    for (const text of ['x'.repeat(9 * MB), '"'.repeat(4 * MB), 'é'.repeat(4 * MB)]) await submit([packed(text)], 200);
  });

  it('of a function that is too large is refused as such', async () => {
    const code = packBuffers([`st\nf:${'#'.repeat(10 * MB)}`]);
    for (const function_code of [code, code + code]) {
      const body = await user.post('/v3/functions', { ...registration('def f(): pass'), function_code }, 413);
      assert.equal(body.code, 'FUNCTION_TOO_LARGE');
    }
  });

  it('of arguments that are too large is refused as such', async () => {
    assert.equal((await submit([packed('x'.repeat(11 * MB))], 413)).code, 'TASK_PAYLOAD_TOO_LARGE');
    assert.equal((await submit(Array(2).fill(packed('x'.repeat(6 * MB))), 413)).code, 'BATCH_RUN_TOO_LARGE');
    assert.equal((await submit([packed('x'.repeat(30 * MB))], 413)).code, 'TASK_PAYLOAD_TOO_LARGE');
  });

  it('of an operation that needs little is refused when it is not', async () => {
    const url = `/v3/endpoints/${lab.endpoint}/lock`;
    const { status, body } = await user.request('POST', url, { x: 'x'.repeat(100_000) });
    assert.deepEqual([status, body.code], [413, 'REQUEST_MALFORMED']);
  });
});
