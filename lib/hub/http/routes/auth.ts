/**
 * Signing in, as much of Globus Auth as the SDK and the agent need with a client's id and secret.
 * Source: Globus Auth API reference; RFC 6749 (token), RFC 7662 (introspection), RFC 7009 (revocation).
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Hub } from '../../hub.js';
import type { Identity } from '../../identity.js';
import { TOKEN_SECONDS } from '../../tokens.js';
import { authenticate, tokenOf } from '../authentication.js';
import { Busy } from '../errors.js';
import type { RateLimiter } from '../rate-limit.js';
import * as schemas from '../schemas.js';
import { AUTH, byResourceServer, COMPUTE, USUAL_SCOPE } from '../scopes.js';

const FORM_BYTES = 16 * 1024;
const RETRY_SECONDS = 1;

/** OAuth's error answer. Source: RFC 6749, section 5.2. */
class OAuthError extends Error {
  constructor(
    readonly error: 'invalid_request' | 'invalid_client' | 'invalid_scope' | 'unsupported_grant_type',
    message: string,
  ) {
    super(message);
  }
}

type Form = ReadonlyMap<string, string>;

/** @param limiter counts requests by the address they come from, as there is no client yet */
export function authRoutes(app: FastifyInstance, hub: Hub, limiter: RateLimiter | undefined): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_BYTES },
    (_request, body, done) => done(null, new Map(new URLSearchParams(String(body)))),
  );

  const inherited = app.errorHandler;
  app.setErrorHandler((error, request, reply) => {
    if (!(error instanceof OAuthError)) return inherited.call(app, error as never, request, reply);
    if (error.error === 'invalid_client') reply.header('www-authenticate', 'Basic realm="hub"');
    reply.code(error.error === 'invalid_client' ? 401 : 400);
    return reply.send({ error: error.error, error_description: error.message });
  });

  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    limiter?.admit(`address ${request.ip}`);
  });

  app.post(
    '/v2/oauth2/token',
    { schema: { summary: 'A token for a client id and secret', security: [{ client: [] }] } },
    async (request) => {
      const form = formOf(request);
      const client = await authenticateClient(hub, request, form);
      const grant = form.get('grant_type');
      if (grant !== 'client_credentials') {
        throw new OAuthError('unsupported_grant_type', 'This hub knows the grant type client_credentials alone.');
      }
      return tokenReply(hub, client, form.get('scope') || USUAL_SCOPE);
    },
  );

  app.post(
    '/v2/oauth2/token/introspect',
    { schema: { summary: "What one of the client's tokens is for", security: [{ client: [] }] } },
    async (request) => {
      const form = formOf(request);
      const client = await authenticateClient(hub, request, form);
      const token = hub.users.tokens.verify(form.get('token') ?? '');
      if (token === undefined || token.identity.id !== client.id) return { active: false };
      return {
        active: true,
        scope: token.scope,
        sub: client.id,
        username: client.username,
        client_id: client.id,
        aud: [token.resourceServer],
        iat: Math.floor(token.issuedAt / 1000),
        exp: Math.floor(token.expiresAt / 1000),
        token_type: 'Bearer',
      };
    },
  );

  app.post(
    '/v2/oauth2/token/revoke',
    { schema: { summary: "End one of the client's tokens", security: [{ client: [] }] } },
    async (request) => {
      const form = formOf(request);
      const client = await authenticateClient(hub, request, form);
      const text = form.get('token') ?? '';
      if (hub.users.tokens.verify(text)?.identity.id === client.id) await hub.users.tokens.revoke(text);
      return { active: false };
    },
  );

  app.register(async (signedIn) => {
    signedIn.addHook('onRequest', authenticate(hub.users.tokens, AUTH));

    signedIn.get('/v2/oauth2/userinfo', { schema: { summary: 'Who the caller is' } }, async (request) => {
      const { id, username } = tokenOf(request).identity;
      const person = { name: username, email: '', organization: '' };
      return { sub: id, preferred_username: username, ...person, identity_set: [{ sub: id, username, ...person }] };
    });

    signedIn.get<{ Querystring: { ids?: string | null } }>(
      '/v2/api/identities',
      { schema: { summary: 'The caller, if he is among those that are asked for', querystring: schemas.idsQuery } },
      async (request) => {
        const { id, username } = tokenOf(request).identity;
        const asked = (request.query.ids ?? '').split(',').includes(id);
        return { identities: asked ? [{ id, username, name: username, email: '', status: 'used' }] : [] };
      },
    );
  });
}

function formOf(request: FastifyRequest): Form {
  if (!(request.body instanceof Map)) throw new OAuthError('invalid_request', 'The body has to be a form.');
  return request.body as Form;
}

/** By HTTP Basic, or by fields of the form. */
async function authenticateClient(hub: Hub, request: FastifyRequest, form: Form): Promise<Identity> {
  const { clientId, clientSecret } = basicCredentials(request) ?? {
    clientId: form.get('client_id') ?? '',
    clientSecret: form.get('client_secret') ?? '',
  };
  const client = await hub.users.clients.authenticate(clientId, clientSecret);
  if (client === 'busy') throw new Busy('TOO_MANY_REQUESTS', 503, 'Too many clients sign in at once.', RETRY_SECONDS);
  if (client === undefined) throw new OAuthError('invalid_client', 'The client id or its secret is wrong.');
  return client;
}

function basicCredentials({ headers }: FastifyRequest): { clientId: string; clientSecret: string } | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(headers.authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return { clientId: text.slice(0, Math.max(0, colon)), clientSecret: text.slice(colon + 1) };
}

/** One token a resource server: that of the service itself outside, others beside it. */
async function tokenReply(hub: Hub, client: Identity, scope: string): Promise<object> {
  const asked = byResourceServer(scope);
  if (typeof asked === 'string') throw new OAuthError('invalid_scope', 'This hub knows nothing of one of the scopes.');
  const tokens: object[] = [];
  for (const server of [COMPUTE, AUTH]) {
    const scopes = asked.get(server)?.join(' ');
    if (scopes === undefined) continue;
    tokens.push({
      access_token: await hub.users.tokens.issue(client, server.name, scopes),
      scope: scopes,
      expires_in: TOKEN_SECONDS,
      token_type: 'Bearer',
      resource_server: server.name,
    });
  }
  const [first, ...others] = tokens;
  if (first === undefined) throw new OAuthError('invalid_scope', 'The request names no scope.');
  return { ...first, other_tokens: others };
}
