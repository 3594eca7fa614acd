/** Containers belong to an endpoint's configuration; the service's old operations for them are refused in its own words. */
import type { FastifyInstance } from 'fastify';
import { containerNotFound, containersNotPermitted } from '../../refusals.js';
import * as schemas from '../schemas.js';

export function containerRoutes(app: FastifyInstance): void {
  const refused = { schema: { summary: 'Refused: configure containers on the endpoint' } };

  for (const url of ['/v2/containers', '/v2/containers/build']) {
    app.post(url, refused, () => {
      throw containersNotPermitted();
    });
  }

  for (const url of ['/v2/containers/build/:container_uuid', '/v2/containers/:container_uuid/:container_type']) {
    app.get<{ Params: { container_uuid: string } }>(
      url,
      { schema: { summary: 'Refused: there are no containers here', params: schemas.inPath('container_uuid') } },
      (request) => {
        throw containerNotFound(request.params.container_uuid);
      },
    );
  }
}
