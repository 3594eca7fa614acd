/** Clients, their secrets and their tokens. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { TokenBook } from '../../../../dist/lib/hub/tokens.js';
import type { ClientCredentials } from '../../../../dist/lib/index.js';
import { basic, COMPUTE_SCOPE, HttpLab, type User } from './fixture.js';

/** Source: globus-compute-endpoint 4.15, what it signs in for when it starts. */
const AGENT_SCOPE = 'openid urn:globus:auth:scope:auth.globus.org:manage_projects';

describe('signing in to the hub', () => {
  let lab: HttpLab;
  let credentials: ClientCredentials;

  before(async () => {
    lab = await HttpLab.open();
    credentials = await lab.lab.hub.issueClient('alice');
  });
  after(() => lab.clean());

  const get = (token: string, url = '/v2/authenticate') =>
    lab.send({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });

  async function tokenFor(scope = COMPUTE_SCOPE): Promise<string> {
    return (await lab.signIn(credentials, { scope })).body.access_token;
  }

  describe('with an id and a secret', () => {
    it('gives a token, as Globus Auth does', async () => {
      const { status, headers, body } = await lab.signIn(credentials);
      assert.equal(status, 200);
      const { access_token, ...rest } = body;
      assert.deepEqual(rest, {
        scope: COMPUTE_SCOPE,
        expires_in: 172_800,
        token_type: 'Bearer',
        resource_server: 'funcx_service',
        other_tokens: [],
      });
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal((await get(access_token)).status, 200);
    });

    it('gives one token for each service that is asked for', async () => {
      const { body } = await lab.signIn(credentials, { scope: `${AGENT_SCOPE} ${COMPUTE_SCOPE}` });
      const [other] = body.other_tokens;
      assert.equal(body.resource_server, 'funcx_service');
      assert.equal(other.resource_server, 'auth.globus.org');
      assert.equal(other.scope, AGENT_SCOPE);
      assert.notEqual(other.access_token, body.access_token);
    });

    it('also takes them as fields of the form', async () => {
      const fields = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: credentials.clientId,
        client_secret: credentials.clientSecret,
      });
      assert.equal((await lab.form('/v2/oauth2/token', fields)).status, 200);
    });

    for (const [what, change] of [
      ['another secret', { clientSecret: 'x'.repeat(43) }],
      ['no secret', { clientSecret: '' }],
      ['an id that is not known', { clientId: '6f1d2c30-b499-41ea-91c1-0a0ee5aecb35' }],
      ['an id that is none', { clientId: "' OR 1=1 --" }],
      ['neither', { clientId: '', clientSecret: '' }],
    ] as const) {
      it(`refuses ${what}, with the same words for all`, async () => {
        const { status, body } = await lab.signIn({ ...credentials, ...change });
        assert.equal(status, 401);
        assert.deepEqual(body, {
          error: 'invalid_client',
          error_description: 'The client id or its secret is wrong.',
        });
      });
    }

    it('refuses other grants and unknown scopes', async () => {
      const { status, body } = await lab.signIn(credentials, { grant_type: 'authorization_code' });
      assert.deepEqual([status, body.error], [400, 'unsupported_grant_type']);
      const unknown = await lab.signIn(credentials, { scope: 'urn:of:nothing' });
      assert.deepEqual([unknown.status, unknown.body.error], [400, 'invalid_scope']);
    });

    it('refuses a body that is no form, and one that is too large', async () => {
      const authorization = basic(credentials.clientId, credentials.clientSecret);
      const json = await lab.send({
        method: 'POST',
        url: '/v2/oauth2/token',
        headers: { authorization },
        payload: { grant_type: 'client_credentials' },
      });
      assert.equal(json.status, 415);
      const large = new URLSearchParams({ scope: 'x'.repeat(17 * 1024) });
      assert.equal((await lab.form('/v2/oauth2/token', large, authorization)).status, 413);
    });
  });

  describe('a token', () => {
    it('is for one service: that of the compute service tells not who one is, and the other way round', async () => {
      const compute = await tokenFor();
      const auth = await tokenFor(AGENT_SCOPE);
      for (const [token, url] of [
        [compute, '/v2/oauth2/userinfo'],
        [auth, '/v2/authenticate'],
      ] as const) {
        const { status, body } = await get(token, url);
        assert.deepEqual([status, body.code], [403, 'INSUFFICIENT_AUTH_SCOPE']);
      }
    });

    it('tells who one is, as the agent wants to know', async () => {
      const auth = await tokenFor(AGENT_SCOPE);
      const { body } = await get(auth, '/v2/oauth2/userinfo');
      assert.equal(body.sub, credentials.clientId);
      assert.equal(body.preferred_username, 'alice');
      assert.deepEqual(
        body.identity_set.map(({ sub }: { sub: string }) => sub),
        [credentials.clientId],
      );
      const { identities } = (await get(auth, `/v2/api/identities?ids=${credentials.clientId}`)).body;
      assert.deepEqual(
        [identities[0].id, identities[0].username, identities[0].email],
        [credentials.clientId, 'alice', ''],
      );
      const other = await lab.lab.hub.issueClient('other');
      assert.deepEqual((await get(auth, `/v2/api/identities?ids=${other.clientId}`)).body, { identities: [] });
    });

    it('can be looked into by its client, and by no other', async () => {
      const token = await tokenFor();
      const fields = new URLSearchParams({ token });
      const authorization = basic(credentials.clientId, credentials.clientSecret);
      const { body } = await lab.form('/v2/oauth2/token/introspect', fields, authorization);
      const { iat, exp, ...rest } = body;
      assert.deepEqual(rest, {
        active: true,
        scope: COMPUTE_SCOPE,
        sub: credentials.clientId,
        username: 'alice',
        client_id: credentials.clientId,
        aud: ['funcx_service'],
        token_type: 'Bearer',
      });
      assert.equal(exp - iat, 172_800);
      const other = await lab.lab.hub.issueClient('curious');
      const seen = await lab.form('/v2/oauth2/token/introspect', fields, basic(other.clientId, other.clientSecret));
      assert.deepEqual(seen.body, { active: false });
      assert.equal((await lab.form('/v2/oauth2/token/introspect', fields)).status, 401);
    });

    it('ends when its client says so, and not when another does', async () => {
      const token = await tokenFor();
      const fields = new URLSearchParams({ token });
      const other = await lab.lab.hub.issueClient('hostile');
      await lab.form('/v2/oauth2/token/revoke', fields, basic(other.clientId, other.clientSecret));
      assert.equal((await get(token)).status, 200);
      await lab.form('/v2/oauth2/token/revoke', fields, basic(credentials.clientId, credentials.clientSecret));
      assert.equal((await get(token)).status, 401);
    });

    it('ends with its client', async () => {
      const client = await lab.lab.hub.issueClient('leaving');
      const token = (await lab.signIn(client)).body.access_token;
      assert.equal((await get(token)).status, 200);
      assert.equal(await lab.lab.hub.users.clients.revoke(client.clientId), true);
      assert.equal((await get(token)).status, 401);
      assert.equal((await lab.signIn(client)).status, 401);
      assert.equal(await lab.lab.hub.users.clients.revoke(client.clientId), false);
    });

    it('ends after two days, and is forgotten then', async () => {
      let now = Date.now();
      const { hub } = lab.lab;
      const book = await TokenBook.open(hub.store, hub.users.clients, () => now);
      const text = await book.issue({ id: credentials.clientId, username: 'alice' }, 'funcx_service', COMPUTE_SCOPE);
      now += 172_800_000 - 1;
      assert.equal(book.verify(text)?.identity.id, credentials.clientId);
      now += 1;
      assert.equal(book.verify(text), undefined);
      await book.issue({ id: credentials.clientId, username: 'alice' }, 'funcx_service', COMPUTE_SCOPE);
      const rows = await hub.store.all('SELECT id FROM tokens WHERE id = ?', [text.slice(0, text.indexOf('.'))]);
      assert.deepEqual(rows, []);
    });

    it('of a client that asks for ever more ends, the oldest first', async () => {
      const { hub } = lab.lab;
      const many = await hub.issueClient('many');
      const identity = { id: many.clientId, username: 'many' };
      const issuing = Array.from({ length: 1001 }, () =>
        hub.users.tokens.issue(identity, 'funcx_service', COMPUTE_SCOPE),
      );
      const tokens = await Promise.all(issuing);
      assert.equal(hub.users.tokens.verify(tokens[0] as string), undefined);
      assert.equal(hub.users.tokens.verify(tokens[1] as string)?.identity.id, many.clientId);
      assert.equal(hub.users.tokens.verify(tokens[1000] as string)?.identity.id, many.clientId);
    });
  });

  it('survives a restart of the hub: clients, secrets and tokens', async () => {
    const other = await HttpLab.open();
    try {
      const client = await other.lab.hub.issueClient('Zoë ✓', { groups: ['6F1D2C30-b499-41ea-91c1-0a0ee5aecb35'] });
      const token = (await other.signIn(client)).body.access_token;
      await other.lab.client.close();
      await other.lab.hub.close();
      await other.lab.reopen();
      const { users } = other.lab.hub;
      const identity = { id: client.clientId, username: 'Zoë ✓', groups: ['6f1d2c30-b499-41ea-91c1-0a0ee5aecb35'] };
      assert.deepEqual(users.tokens.verify(token)?.identity, identity);
      assert.deepEqual(await users.clients.authenticate(client.clientId, client.clientSecret), identity);
      assert.deepEqual(
        (await users.clients.list()).map(({ name }) => name),
        ['Zoë ✓'],
      );
    } finally {
      await other.clean();
    }
  });

  it("leaves neither a secret nor a token in the hub's file", async () => {
    const token = await tokenFor();
    await lab.lab.hub.store.flush();
    for (const file of [lab.lab.file, `${lab.lab.file}-wal`]) {
      const bytes = readFileSync(file);
      assert.equal(bytes.includes(credentials.clientSecret), false);
      for (const part of token.split('.').slice(1)) assert.equal(bytes.includes(part), false);
    }
  });

  describe('as a client that is issued', () => {
    for (const [what, name, groups] of [
      ['without a name', ' ', []],
      ['with a name that is too long', 'n'.repeat(129), []],
      ['with a group that is no UUID', 'n', ['staff']],
    ] as const) {
      it(`${what} is refused`, async () => {
        await assert.rejects(lab.lab.hub.issueClient(name, { groups }), { code: 'BAD_INPUT' });
      });
    }

    it('checks one secret after another, and refuses when too many wait', async () => {
      const { clients } = lab.lab.hub.users;
      const { clientId, clientSecret } = credentials;
      const answers = await Promise.all(Array.from({ length: 40 }, () => clients.authenticate(clientId, clientSecret)));
      assert.equal(answers.filter((answer) => answer === 'busy').length, 8);
      assert.equal(answers.filter((answer) => typeof answer === 'object').length, 32);
    });
  });
});

describe('without a token', () => {
  let lab: HttpLab;
  let user: User;

  before(async () => {
    lab = await HttpLab.open();
    user = await lab.user('alice');
  });
  after(() => lab.clean());

  /** Every operation of the document, with ids in its path. */
  async function operations(): Promise<[method: string, url: string, secured: boolean][]> {
    const { paths } = await user.get('/openapi.json');
    return Object.entries(paths as Record<string, Record<string, { security?: object[] }>>).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]): [string, string, boolean] => [
        method.toUpperCase(),
        path.replace(/\{\w+\}/g, '6f1d2c30-b499-41ea-91c1-0a0ee5aecb35'),
        security === undefined,
      ]),
    );
  }

  it('no operation is answered but those that take an id and a secret', async () => {
    const open: string[] = [];
    const all = await operations();
    assert.ok(all.length > 25, String(all.length));
    for (const [method, url, secured] of [...all, ['GET', '/openapi.json', true], ['GET', '/nothing', true]] as const) {
      const { status, body } = await lab.send({ method: method as 'GET', url });
      if (!secured) open.push(url);
      else assert.deepEqual([status, body.code], [401, 'USER_UNAUTHENTICATED'], `${method} ${url}`);
    }
    assert.deepEqual(open, ['/v2/oauth2/token', '/v2/oauth2/token/introspect', '/v2/oauth2/token/revoke']);
  });

  it('nor with what is no token', async () => {
    const [id = '', secret = ''] = user.token.split('.');
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${id}`,
      `Bearer ${id}.`,
      `Bearer ${id}.${'A'.repeat(43)}`,
      `Bearer ${'A'.repeat(16)}.${secret}`,
      `Bearer ${user.token}x`,
      `Bearer ${user.token} x`,
      `Token ${user.token}`,
      `Basic ${user.token}`,
      user.token,
      basic(user.credentials.clientId, user.credentials.clientSecret),
    ]) {
      const { status } = await lab.send({ method: 'GET', url: '/v2/authenticate', headers: { authorization } });
      assert.equal(status, 401, authorization);
    }
  });

  it('nor with one in the address', async () => {
    const { status } = await lab.send({ method: 'GET', url: `/v2/authenticate?access_token=${user.token}` });
    assert.equal(status, 401);
  });

  it('a body is not even looked at', async () => {
    const { status } = await lab.send({
      method: 'POST',
      url: '/v3/functions',
      payload: '{',
      headers: { 'content-type': 'x' },
    });
    assert.equal(status, 401);
  });
});
