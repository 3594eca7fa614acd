/** The OpenAPI document of the hub, made of the schemas by which requests are checked. */
import type { FastifyInstance, RouteOptions } from 'fastify';
import * as schemas from './schemas.js';

declare module 'fastify' {
  interface FastifySchema {
    /** What the operation does, in a line. */
    summary?: string;
    /** How the caller shows who he is, where not by a token. */
    security?: readonly Readonly<Record<string, readonly string[]>>[];
  }
}

interface DocumentedSchema {
  readonly summary?: string;
  readonly params?: schemas.JsonSchema;
  readonly querystring?: schemas.JsonSchema;
  readonly body?: schemas.JsonSchema;
  readonly response?: Readonly<Record<string, schemas.JsonSchema>>;
  readonly security?: readonly object[];
}

type Paths = Record<string, Record<string, object>>;

const DOCUMENT_URL = '/openapi.json';

/** Notes every operation that is added to the app from now on. */
export function describeRoutes(app: FastifyInstance): Paths {
  const paths: Paths = {};
  app.addHook('onRoute', (route) => {
    if (route.url === DOCUMENT_URL || route.url === '*') return;
    const path = route.url.replace(/:(\w+)/g, '{$1}');
    for (const method of [route.method].flat()) {
      if (method === 'HEAD') continue;
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(route, path) };
    }
  });
  return paths;
}

export function serveDocument(app: FastifyInstance, paths: Paths, version: string): void {
  app.get(DOCUMENT_URL, async () => ({
    openapi: '3.1.0',
    info: {
      title: 'funcX hub',
      version,
      description:
        "Operations of the Globus Compute web service, and of Globus Auth those that a client's sign-in needs.",
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        client: { type: 'http', scheme: 'basic', description: 'Client id and secret' },
      },
    },
  }));
}

function operation(route: RouteOptions, path: string): object {
  const { summary, params, querystring, body, response = {}, security } = (route.schema ?? {}) as DocumentedSchema;
  const isV3 = path.startsWith('/v3/');
  const responses: Record<string, object> = {};
  for (const [status, schema] of Object.entries(response)) responses[status] = json('The answer', schema);
  if (response['200'] === undefined && !summary?.startsWith('Refused')) responses['200'] = json('The answer', {});
  if (params !== undefined || querystring !== undefined || body !== undefined) {
    responses['422'] = json('What is wrong with the request', isV3 ? schemas.invalidV3 : schemas.invalidV2);
  }
  responses.default = json('Why it was refused', schemas.refusal);
  return {
    ...(summary !== undefined && { summary }),
    ...(security !== undefined && { security }),
    parameters: [...parameters('path', params), ...parameters('query', querystring)],
    ...(body !== undefined && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses,
  };
}

function json(description: string, schema: object): object {
  return { description, content: { 'application/json': { schema } } };
}

function parameters(place: 'path' | 'query', schema: schemas.JsonSchema | undefined): object[] {
  const properties = (schema?.properties ?? {}) as Readonly<Record<string, schemas.JsonSchema>>;
  return Object.entries(properties).map(([name, of]) => ({ name, in: place, required: place === 'path', schema: of }));
}
