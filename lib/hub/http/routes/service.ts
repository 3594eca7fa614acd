/** Operations about the service itself. */
import type { FastifyInstance } from 'fastify';
import type { UserOf } from '../app.js';
import * as schemas from '../schemas.js';

export function serviceRoutes(app: FastifyInstance, userOf: UserOf): void {
  app.get<{ Querystring: { service?: 'api' | 'all' | null } }>(
    '/v2/version',
    {
      schema: {
        summary: 'Version of the service, and the oldest SDK and agent that it speaks with',
        querystring: schemas.versionQuery,
        response: { 200: schemas.version },
      },
    },
    async (request, reply) => {
      const version = await userOf(request).version();
      return request.query.service === 'all' ? version : jsonText(reply, version.api);
    },
  );

  app.get(
    '/v2/authenticate',
    { schema: { summary: 'Whether the token is valid', response: { 200: schemas.authenticated } } },
    async (_request, reply) => jsonText(reply, 'OK'),
  );

  app.get(
    '/v2/get_amqp_result_connection_url',
    {
      schema: {
        summary: "Where the caller's results are streamed from, with a new password",
        response: { 200: schemas.resultConnection },
      },
    },
    (request) => userOf(request).resultConnection(),
  );

  app.get(
    '/v2/stats',
    { schema: { summary: 'How many tasks were ever submitted, by all users', response: { 200: schemas.stats } } },
    async (request) => ({ total_function_invocations: userOf(request).invocations }),
  );
}

/** A text alone, which would be sent as plain text otherwise. */
function jsonText(reply: { type(type: string): { send(body: string): unknown } }, text: string): unknown {
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(text));
}
