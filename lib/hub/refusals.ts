/** The service's refusals, in its codes and HTTP statuses. Source: globus-compute-common, `ResponseErrorCode`. */
import { ServiceError } from '../compute/errors.js';
import { MAX_SUBMISSION_BYTES } from '../compute/limits.js';

export function functionNotFound(id: string): ServiceError {
  return new ServiceError(
    'FUNCTION_NOT_FOUND',
    404,
    `Function ${id} is not registered here. Register it first, or choose another.`,
    [id],
  );
}

export function endpointNotFound(id: string): ServiceError {
  return new ServiceError(
    'ENDPOINT_NOT_FOUND',
    404,
    `Endpoint ${id} is not known here. Leave the endpoint empty to use the client's own.`,
    [id],
  );
}

export function taskNotFound(id: string): ServiceError {
  return new ServiceError(
    'TASK_NOT_FOUND',
    404,
    `Task ${id} is not known here: it never was, or its result was delivered or kept too long ago.`,
    [id],
  );
}

export function taskGroupNotFound(id: string): ServiceError {
  return new ServiceError('TASK_GROUP_NOT_FOUND', 404, `Task group ${id} is not known here.`, [id]);
}

export function invalidUuid(what: string, value: unknown): ServiceError {
  return new ServiceError('INVALID_UUID', 400, `${what} ${JSON.stringify(value)} is not a UUID.`, [String(value)]);
}

export function malformed(what: string): ServiceError {
  return new ServiceError('REQUEST_MALFORMED', 400, what, []);
}

/** Well-formed, and yet nothing that the endpoint can do. Source: the service's 422 for configurations that fail a schema. */
export function semanticallyInvalid(why: string): ServiceError {
  return new ServiceError('SEMANTICALLY_INVALID', 422, `Request payload failed validation: ${why}`, []);
}

export function endpointForbidden(id: string): ServiceError {
  return new ServiceError('ENDPOINT_ACCESS_FORBIDDEN', 403, `Endpoint ${id} belongs to somebody else.`, [id]);
}

export function endpointLocked(id: string, until: number): ServiceError {
  const time = new Date(until).toISOString();
  return new ServiceError('RESOURCE_LOCKED', 423, `Endpoint ${id} was stopped and can be started again at ${time}.`, [
    id,
  ]);
}

export function endpointInUse(id: string): ServiceError {
  return new ServiceError(
    'RESOURCE_CONFLICT',
    409,
    `An agent with the id ${id} is connected. Stop it first, or register this one under a name of its own.`,
    [id],
  );
}

export function tooManyUserEndpoints(id: string, most: number): ServiceError {
  return new ServiceError(
    'USER_ENDPOINTS_EXHAUSTED',
    429,
    `Endpoint ${id} runs ${most} users and configurations already, each with tasks or a process. Use one of those configurations, or wait.`,
    [id, most],
  );
}

export function brokerNotConfigured(what: string): ServiceError {
  return new ServiceError('BROKER_NOT_CONFIGURED', 501, `${what}: this hub was given no RabbitMQ.`, []);
}

export function brokerNotAvailable(what: string): ServiceError {
  return new ServiceError('BROKER_NOT_AVAILABLE', 503, `${what} now: the hub does not reach its RabbitMQ.`, []);
}

export function functionTooLarge(bytes: number): ServiceError {
  return new ServiceError(
    'FUNCTION_TOO_LARGE',
    413,
    `The function's code has ${bytes} bytes; the service's limit is ${MAX_SUBMISSION_BYTES}. Read large data inside the function instead.`,
    [bytes, MAX_SUBMISSION_BYTES],
  );
}

export function payloadTooLarge(tasks: number, bytes: number): ServiceError {
  const limit = `the service's limit is ${MAX_SUBMISSION_BYTES}`;
  return tasks === 1
    ? new ServiceError(
        'TASK_PAYLOAD_TOO_LARGE',
        413,
        `The task's arguments have ${bytes} bytes; ${limit}. Write the data to a file and pass its path.`,
        [bytes, MAX_SUBMISSION_BYTES],
      )
    : new ServiceError(
        'BATCH_RUN_TOO_LARGE',
        413,
        `The batch's arguments have ${bytes} bytes; ${limit}. Send fewer tasks at once.`,
        [bytes, MAX_SUBMISSION_BYTES],
      );
}

export function functionForbidden(id: string): ServiceError {
  return new ServiceError(
    'FUNCTION_ACCESS_FORBIDDEN',
    403,
    `Function ${id} is another user's. Ask its owner to register it as public or for a group that you are in.`,
    [id],
  );
}

export function functionNotPermitted(functionId: string, endpointId: string): ServiceError {
  return new ServiceError(
    'FUNCTION_NOT_PERMITTED',
    403,
    `Function ${functionId} is not on the list of functions that endpoint ${endpointId} runs. Ask the endpoint's owner to add it.`,
    [functionId, endpointId],
  );
}

export function taskGroupForbidden(id: string): ServiceError {
  return new ServiceError(
    'TASK_GROUP_ACCESS_FORBIDDEN',
    403,
    `Task group ${id} is another user's. Submit without one to get your own.`,
    [id],
  );
}

export function containerNotFound(id: string): ServiceError {
  return new ServiceError(
    'CONTAINER_NOT_FOUND',
    404,
    `Container ${id} is not known here. Containers are chosen in the endpoint's configuration.`,
    [id],
  );
}

export function containersNotPermitted(): ServiceError {
  return new ServiceError(
    'CONTAINER_SERVICE_NOT_PERMITTED',
    403,
    "This hub builds no containers. Choose one in the endpoint's configuration (container_type, container_uri).",
  );
}
