/** The hub's contract over HTTP, before it listens anywhere. */
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import type { Hub } from '../hub.js';
import type { UserHub } from '../user-hub.js';
import { authenticate, tokenOf } from './authentication.js';
import { BodyBudget } from './body-budget.js';
import { errorHandler, noSuchOperation } from './errors.js';
import { describeRoutes, serveDocument } from './openapi.js';
import { type RateLimit, RateLimiter, SERVICE_RATE_LIMIT } from './rate-limit.js';
import { authRoutes } from './routes/auth.js';
import { containerRoutes } from './routes/containers.js';
import { endpointRoutes } from './routes/endpoints.js';
import { functionRoutes } from './routes/functions.js';
import { serviceRoutes } from './routes/service.js';
import { taskRoutes } from './routes/tasks.js';
import { COMPUTE } from './scopes.js';

/** The hub as the user of a request may use it. */
export type UserOf = (request: FastifyRequest) => UserHub;

export interface AppOptions {
  readonly hub: Hub;
  /** Requests that one client may send. @default that of the service, 20 in 10 seconds */
  readonly rateLimit?: RateLimit | false;
  /** How long a client may take. */
  readonly patience?: Partial<Patience>;
  /** Told of what must not happen; a client is answered 500 then. @default a warning of the process */
  readonly onFault?: (error: Error) => void;
}

/** How long clients are waited for. Unit: milliseconds. */
export interface Patience {
  /** Until the headers of a request are there, also on a new connection. @default 10 seconds */
  readonly headers: number;
  /** Until the whole request is there. @default 60 seconds */
  readonly request: number;
  /** While nothing moves on the connection in the middle of a request or its answer. @default 120 seconds */
  readonly silence: number;
  /** Between two requests on one connection. @default 20 seconds */
  readonly betweenRequests: number;
}

const PATIENCE: Patience = { headers: 10_000, request: 60_000, silence: 120_000, betweenRequests: 20_000 };

/** Most bodies are ids; operations that take more say so. Unit: bytes. */
const BODY_BYTES = 64 * 1024;

/** All headers together. Unit: bytes. */
const HEADER_BYTES = 16 * 1024;

export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { hub } = options;
  const patience = { ...PATIENCE, ...options.patience };
  const app = fastify({
    bodyLimit: BODY_BYTES,
    requestTimeout: patience.request,
    connectionTimeout: patience.silence,
    keepAliveTimeout: patience.betweenRequests,
    forceCloseConnections: 'idle',
    http: {
      headersTimeout: patience.headers,
      requestTimeout: patience.request,
      connectionsCheckingInterval: Math.min(1000, patience.headers),
      maxHeaderSize: HEADER_BYTES,
      insecureHTTPParser: false,
    },
    routerOptions: { maxParamLength: 64 },
    // Only what was declared is taken, as it is: a number is not made of a text.
    ajv: { customOptions: { coerceTypes: false, useDefaults: true, removeAdditional: false, allowUnionTypes: true } },
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
  });
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler(errorHandler(options.onFault ?? ((error) => process.emitWarning(error))));
  app.decorateRequest('token', undefined);
  acceptEmptyJson(app);

  const limit = options.rateLimit ?? SERVICE_RATE_LIMIT;
  const limiter = limit === false ? undefined : new RateLimiter(limit);
  const paths = describeRoutes(app);
  await app.register(async (auth) => authRoutes(auth, hub, limiter));
  await app.register(async (compute) => {
    admitOnly(compute, hub, limiter);
    const userOf: UserOf = (request) => hub.as(tokenOf(request).identity);
    serviceRoutes(compute, userOf);
    functionRoutes(compute, userOf);
    endpointRoutes(compute, userOf);
    taskRoutes(compute, userOf);
    containerRoutes(compute);
    serveDocument(compute, paths, (await hub.version()).api);
    // In here, so that strangers are not told what is there and what is not.
    compute.setNotFoundHandler(() => {
      throw noSuchOperation();
    });
  });
  await app.ready();
  return app;
}

/** Lets in who has a token, has not asked too often, and has not too much on its way. Before a body is read. */
function admitOnly(app: FastifyInstance, hub: Hub, limiter: RateLimiter | undefined): void {
  const budget = new BodyBudget();
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.addHook('onRequest', authenticate(hub.users.tokens, COMPUTE));
  app.addHook('onRequest', async (request, reply) => {
    const { id } = tokenOf(request).identity;
    limiter?.admit(id);
    budget.take(id, request, reply);
  });
}

/** Clients say that a body is JSON where there is none. */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, String(body), done);
  });
}
