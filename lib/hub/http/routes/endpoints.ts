/** Endpoints: listing, status, and what agents and their owners do with them. */
import type { FastifyInstance } from 'fastify';
import type { EndpointId } from '../../../compute/ids.js';
import type { EndpointRegistration } from '../../../compute/service.js';
import { endpointForbidden } from '../../refusals.js';
import type { UserOf } from '../app.js';
import { chosenFields, consoleAnswer, consoleQuery, onlyFields } from '../console.js';
import { assertShallow } from '../free-form.js';
import { type Nullable, withoutNulls } from '../nulls.js';
import * as schemas from '../schemas.js';

/** An agent sends its configuration, a template and a schema. Unit: bytes. */
const BODY_BYTES = 4 * 1024 * 1024;

/** These are passed on as they are. */
const FREE_FIELDS = ['config', 'user_config_schema'];

interface OfEndpoint {
  Params: { endpoint_uuid: EndpointId };
}

export function endpointRoutes(app: FastifyInstance, userOf: UserOf): void {
  const params = schemas.inPath('endpoint_uuid');

  app.get<{ Querystring: { role: 'owner' | 'any' } }>(
    '/v2/endpoints',
    {
      schema: {
        summary: "The caller's endpoints; with `role=any` public ones too",
        querystring: schemas.role,
        response: { 200: schemas.endpointList },
      },
    },
    (request) => userOf(request).listEndpoints(request.query.role),
  );

  app.get<OfEndpoint>(
    '/v2/endpoints/:endpoint_uuid',
    { schema: { summary: 'An endpoint', params, response: { 200: schemas.endpointInfo } } },
    (request) => userOf(request).getEndpoint(request.params.endpoint_uuid),
  );

  app.get<OfEndpoint>(
    '/v2/endpoints/:endpoint_uuid/status',
    { schema: { summary: 'Whether an endpoint is online', params, response: { 200: schemas.endpointStatus } } },
    (request) => userOf(request).endpointStatus(request.params.endpoint_uuid),
  );

  app.get<OfEndpoint>(
    '/v3/endpoints/:endpoint_uuid/allowed_functions',
    { schema: { summary: 'What an endpoint runs', params, response: { 200: schemas.allowedFunctions } } },
    async (request) => {
      const { endpoint_uuid: endpoint_id } = request.params;
      const functions = await userOf(request).allowedFunctions(endpoint_id);
      return { endpoint_id, restricted: functions !== undefined, functions };
    },
  );

  app.post<{ Body: Nullable<EndpointRegistration> }>(
    '/v3/endpoints',
    {
      bodyLimit: BODY_BYTES,
      schema: {
        summary: 'Register an agent, and get where it finds its tasks',
        body: schemas.registerEndpointV3,
        response: { 200: schemas.endpointRegistered },
      },
    },
    (request) => userOf(request).registerEndpoint(registrationOf(request.body)),
  );

  app.put<OfEndpoint & { Body: Nullable<EndpointRegistration> }>(
    '/v3/endpoints/:endpoint_uuid',
    {
      bodyLimit: BODY_BYTES,
      schema: {
        summary: 'Register an agent again, as it does at each start',
        params,
        body: schemas.registerEndpointV3,
        response: { 200: schemas.endpointRegistered },
      },
    },
    (request) => userOf(request).registerEndpointAs(request.params.endpoint_uuid, registrationOf(request.body)),
  );

  for (const version of ['v2', 'v3'] as const) {
    app.delete<OfEndpoint>(
      `/${version}/endpoints/:endpoint_uuid`,
      { schema: { summary: 'Delete an endpoint for good', params, response: { 200: schemas.deleted } } },
      (request) => userOf(request).deleteEndpoint(request.params.endpoint_uuid),
    );

    app.post<OfEndpoint>(
      `/${version}/endpoints/:endpoint_uuid/lock`,
      {
        schema: {
          summary: 'Stop an agent from afar, and keep it from registering again for a while',
          params,
          response: { 200: version === 'v2' ? schemas.lockedV2 : schemas.lockedV3 },
        },
      },
      async (request) => {
        const { endpoint_id, lock_expiration_timestamp } = await userOf(request).lockEndpoint(
          request.params.endpoint_uuid,
        );
        if (version === 'v3') return { endpoint_id, lock_expiration_timestamp };
        const time = new Date(lock_expiration_timestamp * 1000).toISOString();
        return { endpoint_id, lock_expiration_timestamp: time };
      },
    );
  }

  app.post<{ Body: Nullable<EndpointRegistration & { endpoint_uuid: EndpointId }> }>(
    '/v2/endpoints',
    {
      bodyLimit: BODY_BYTES,
      schema: {
        summary: 'Register an agent, as older ones do',
        body: schemas.registerEndpointV2,
        response: { 200: schemas.endpointRegistered },
      },
    },
    (request) => {
      const { endpoint_uuid, ...body } = request.body;
      return userOf(request).registerEndpointAs(endpoint_uuid as EndpointId, registrationOf(body));
    },
  );

  app.get<OfEndpoint & { Querystring: { user_endpoint_id?: string | null; include_fields?: string | null } }>(
    '/v3/endpoints/:endpoint_uuid/console',
    {
      schema: {
        summary: "What the caller's endpoint has running, user endpoint by user endpoint",
        params,
        querystring: consoleQuery,
        response: { 200: consoleAnswer },
      },
    },
    async (request) => {
      const { user_endpoint_id, include_fields } = request.query;
      const fields = chosenFields(include_fields ?? '');
      const all = await userOf(request).endpointConsole(request.params.endpoint_uuid);
      const only = user_endpoint_id?.toLowerCase();
      const asked = only === undefined ? all : all.filter((one) => one.user_endpoint_id === only);
      return { user_endpoints: asked.map((one) => onlyFields(one, fields)) };
    },
  );

  app.put<OfEndpoint>(
    '/v3/endpoints/:endpoint_uuid/subscription-admin-verified',
    { schema: { summary: 'Refused: for administrators of a subscription, of which there are none here', params } },
    (request) => {
      throw endpointForbidden(request.params.endpoint_uuid);
    },
  );
}

function registrationOf(body: Nullable<EndpointRegistration>): EndpointRegistration {
  assertShallow('metadata', body.metadata);
  return withoutNulls(body, FREE_FIELDS) as EndpointRegistration;
}
