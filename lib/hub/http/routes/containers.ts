/**
 * Containers belong to an endpoint's configuration; the service's old operations for them are refused in its own words.
 * What is malformed is told first, as the service does, so that a client sees the same with every hub.
 */
import type { FastifyInstance } from 'fastify';
import { containerNotFound, containersNotPermitted } from '../../refusals.js';
import * as schemas from '../schemas.js';

export function containerRoutes(app: FastifyInstance): void {
  for (const [url, body] of [
    ['/v2/containers', schemas.registerContainer],
    ['/v2/containers/build', schemas.buildContainer],
  ] as const) {
    app.post(url, { schema: { summary: 'Refused: configure containers on the endpoint', body } }, () => {
      throw containersNotPermitted();
    });
  }

  for (const [url, params] of [
    ['/v2/containers/build/:container_uuid', schemas.inPath('container_uuid')],
    ['/v2/containers/:container_uuid/:container_type', schemas.containerAndType],
  ] as const) {
    app.get<{ Params: { container_uuid: string } }>(
      url,
      { schema: { summary: 'Refused: there are no containers here', params } },
      (request) => {
        throw containerNotFound(request.params.container_uuid);
      },
    );
  }
}
