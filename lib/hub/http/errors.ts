/**
 * Refusals as the service answers them. Source: the service's OpenAPI document (`ErrorResponse`, `ValidationErrorResponse`,
 * and FastAPI's `HTTPValidationError` of the v2 operations).
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { FuncXError, ServiceError } from '../../compute/errors.js';
import { functionTooLarge, malformed, payloadTooLarge } from '../refusals.js';
import { type Problem, problemOf } from './validation.js';

/** After this long there may be room again. Unit: seconds. */
const RETRY_SECONDS = 2;

/** The hub can do nothing now; asking again may help. */
const PASSING: ReadonlySet<string> = new Set(['QUEUE_FULL', 'STORE_FAILED', 'CLOSED']);

/** The client may ask again when it has waited. Unit: seconds. */
export class Busy extends ServiceError {
  constructor(
    code: string,
    httpStatus: 429 | 503,
    message: string,
    readonly retryAfter: number,
  ) {
    super(code, httpStatus, message);
  }
}

export function unauthenticated(): ServiceError {
  return new ServiceError('USER_UNAUTHENTICATED', 401, 'The request has no valid token. Sign in again.');
}

export function insufficientScope(needed: string): ServiceError {
  return new ServiceError('INSUFFICIENT_AUTH_SCOPE', 403, `The token lacks the scope ${needed}.`);
}

export function noSuchOperation(): ServiceError {
  return new ServiceError('NOT_FOUND', 404, 'There is no such operation.');
}

/** `status:"Failed"` and the rest of the service's error body. */
export function errorBody(error: ServiceError, detail: string | readonly Problem[] = error.message): object {
  return {
    status: 'Failed',
    code: error.code,
    error_args: error.errorArgs,
    http_status_code: error.httpStatus,
    detail,
    reason: detail,
  };
}

export function refuse(reply: FastifyReply, error: ServiceError): FastifyReply {
  const wait = error instanceof Busy ? error.retryAfter : RETRY_SECONDS;
  if (error.httpStatus === 429 || error instanceof Busy) reply.header('retry-after', String(wait));
  if (error.httpStatus === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(error.httpStatus).send(errorBody(error));
}

/** @param onFault told of what must not happen; the client learns nothing of it */
export function errorHandler(onFault: (error: Error) => void) {
  return (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = problemOf(error);
    if (problem !== undefined) return refuseInvalid(request, reply, problem);
    const refusal = refusalOf(error, request);
    if (refusal === undefined) onFault(error);
    // What is left of a body that was not wanted is not read.
    if (!request.raw.complete) reply.header('connection', 'close');
    return refuse(
      reply,
      refusal ?? new ServiceError('INTERNAL_ERROR', 500, 'Something went wrong in the hub; its log says what.'),
    );
  };
}

/** v3 puts the problems into its own error body, v2 is FastAPI's. */
function refuseInvalid(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  reply.code(422);
  if (!request.url.startsWith('/v3/')) return reply.send({ detail: [problem] });
  const error = new ServiceError('SEMANTICALLY_INVALID', 422, '');
  return reply.send(errorBody(error, [problem]));
}

function refusalOf(error: FastifyError | Error, request: FastifyRequest): ServiceError | undefined {
  if (error instanceof ServiceError) return error;
  if (error instanceof FuncXError) {
    if (PASSING.has(error.code))
      return new Busy(error.code, 503, 'The hub cannot store anything now. Ask again.', RETRY_SECONDS);
    return error.code === 'BAD_INPUT' ? malformed(error.message) : undefined;
  }
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (status === undefined || status < 400 || status >= 500) return undefined;
  if (status === 413) return tooLarge(request);
  return new ServiceError('REQUEST_MALFORMED', status, NAMED[status] ?? 'The request is malformed.');
}

/** Messages of our own: the framework's repeat what was sent. */
const NAMED: Readonly<Record<number, string>> = {
  415: 'The body has to be JSON, with the content type application/json.',
};

function tooLarge(request: FastifyRequest): ServiceError {
  const bytes = Number(request.headers['content-length'] ?? 0);
  const { url = '' } = request.routeOptions;
  if (url.endsWith('/functions')) return functionTooLarge(bytes);
  if (url.endsWith('/submit')) return payloadTooLarge(1, bytes);
  return new ServiceError('REQUEST_MALFORMED', 413, 'The body is too large.');
}
