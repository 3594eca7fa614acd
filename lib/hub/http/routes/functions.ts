/** Functions: registering, looking up, deleting. */
import type { OpenAPI } from '@globus/sdk/services/compute';
import type { FastifyInstance } from 'fastify';
import type { FunctionId } from '../../../compute/ids.js';
import { MAX_SUBMISSION_BYTES } from '../../../compute/limits.js';
import type { FunctionRegistration } from '../../../compute/service.js';
import { containerNotFound, semanticallyInvalid } from '../../refusals.js';
import type { UserOf } from '../app.js';
import { type Nullable, withoutNulls } from '../nulls.js';
import * as schemas from '../schemas.js';

type RegistrationV2 = Nullable<
  OpenAPI.components['schemas']['compute_web_service__schemas__v2__function__RegisterFunctionRequest']
>;

/** A body of the largest function: text may take twice its size as JSON. Unit: bytes. */
const BODY_BYTES = 2 * MAX_SUBMISSION_BYTES + 64 * 1024;

export function functionRoutes(app: FastifyInstance, userOf: UserOf): void {
  app.post<{ Body: Nullable<FunctionRegistration> }>(
    '/v3/functions',
    {
      bodyLimit: BODY_BYTES,
      schema: {
        summary: 'Register a function',
        body: schemas.registerFunctionV3,
        response: { 200: schemas.functionRegistered },
      },
    },
    async (request) => {
      const body = withoutNulls(request.body) as FunctionRegistration;
      if (body.ha_endpoint_id !== undefined) {
        throw semanticallyInvalid('no endpoint of this hub is a high-assurance one; leave ha_endpoint_id out.');
      }
      return userOf(request).registerFunction(body);
    },
  );

  app.post<{ Body: RegistrationV2 }>(
    '/v2/functions',
    {
      bodyLimit: BODY_BYTES,
      schema: {
        summary: 'Register a function, as clients before 3.4 do',
        body: schemas.registerFunctionV2,
        response: { 200: schemas.functionRegistered },
      },
    },
    async (request) => {
      const { function_name, function_code, description, metadata, container_uuid, group, ...rest } = request.body;
      if (typeof container_uuid === 'string') throw containerNotFound(container_uuid);
      return userOf(request).registerFunction({
        function_name,
        function_code,
        meta: {
          python_version: metadata?.python_version ?? '',
          sdk_version: metadata?.sdk_version ?? '',
          serde_identifier: '',
        },
        ...(typeof description === 'string' && { description }),
        ...(typeof group === 'string' && { group }),
        public: rest.public === true,
      });
    },
  );

  app.get<{ Params: { function_uuid: FunctionId } }>(
    '/v2/functions/:function_uuid',
    {
      schema: {
        summary: 'A function that the caller may run',
        params: schemas.inPath('function_uuid'),
        response: { 200: schemas.functionInfo },
      },
    },
    (request) => userOf(request).getFunction(request.params.function_uuid),
  );

  app.delete<{ Params: { function_uuid: FunctionId } }>(
    '/v2/functions/:function_uuid',
    {
      schema: {
        summary: "Delete one of the caller's functions",
        params: schemas.inPath('function_uuid'),
        response: { 200: schemas.deleted },
      },
    },
    (request) => userOf(request).deleteFunction(request.params.function_uuid),
  );
}
