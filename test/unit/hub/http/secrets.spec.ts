/** What a served hub gives away, and whom it believes. */
import assert from 'node:assert/strict';
import { HttpLab, type User } from './fixture.js';

describe('a served hub', () => {
  let lab: HttpLab;
  let user: User;

  before(async () => {
    lab = await HttpLab.open();
    user = await lab.user('alice');
  });
  after(() => lab.clean());

  it('gives no page in a browser a right to ask', async () => {
    const preflight = await user.send({
      method: 'OPTIONS',
      url: '/v3/functions',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    assert.equal(preflight.status, 401);
    const answer = await user.send({
      method: 'GET',
      url: '/v2/authenticate',
      headers: { origin: 'https://evil.example', authorization: `Bearer ${user.token}` },
    });
    assert.deepEqual(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
      [],
    );
  });

  it('believes no proxy that was not asked: addresses are those of the connection', async () => {
    const other = await HttpLab.open({ rateLimit: { requests: 2, seconds: 10 } });
    try {
      const statuses: number[] = [];
      for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
        const headers = { 'x-forwarded-for': address, 'content-type': 'application/x-www-form-urlencoded' };
        const answer = await other.send({ method: 'POST', url: '/v2/oauth2/token', headers, payload: 'a=b' });
        statuses.push(answer.status);
      }
      assert.deepEqual(statuses, [401, 401, 429]);
    } finally {
      await other.clean();
    }
  });

  describe('tells no secret', () => {
    it('in an answer to what went wrong inside: that is for its operator alone', async () => {
      const { hub } = lab.lab;
      const { version } = hub;
      hub.version = () => Promise.reject(new TypeError('password=swordfish in /home/operator'));
      try {
        const { status, body, text } = await user.request('GET', '/v2/version');
        assert.deepEqual([status, body.code], [500, 'INTERNAL_ERROR']);
        assert.doesNotMatch(text, /swordfish|operator|TypeError/);
        const [fault] = lab.faults.splice(0);
        assert.match(String(fault), /swordfish/);
        assert.equal(JSON.stringify({ ...fault }).includes(user.token), false);
      } finally {
        hub.version = version;
      }
    });

    it('in a refusal: neither token nor secret is repeated', async () => {
      for (const [url, token] of [
        ['/v2/functions/x', user.token],
        [`/v2/${user.token}`, user.token],
        [`/v2/endpoints?role=${user.token}`, user.token],
        ['/v2/version', `${user.token}x`],
      ] as const) {
        const { text } = await user.send({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });
        assert.equal(text.includes(user.token), false, text);
      }
      const { clientId, clientSecret } = user.credentials;
      const { text } = await lab.signIn({ clientId, clientSecret: `${clientSecret}x` }, { scope: clientSecret });
      assert.equal(text.includes(clientSecret), false);
      const wrongScope = await lab.signIn({ clientId, clientSecret }, { scope: clientSecret });
      assert.equal(wrongScope.text.includes(clientSecret), false);
    });
  });
});
