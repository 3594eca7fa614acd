/**
 * What is wrong with a request, as the service tells it: FastAPI's list of places and messages.
 * Source: FastAPI with pydantic 1, whose words and types these are.
 */
import type { FastifySchemaValidationError } from 'fastify';

export interface Problem {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
}

interface ValidationFailure extends Error {
  readonly validation: readonly FastifySchemaValidationError[];
  readonly validationContext?: string;
}

/** Where the service says a part of the request is. */
const PLACES: Readonly<Record<string, string>> = {
  params: 'path',
  querystring: 'query',
  headers: 'header',
  body: 'body',
};

const WRONG_TYPE: Readonly<Record<string, readonly [message: string, type: string]>> = {
  string: ['str type expected', 'type_error.str'],
  integer: ['value is not a valid integer', 'type_error.integer'],
  number: ['value is not a valid float', 'type_error.float'],
  boolean: ['value could not be parsed to a boolean', 'type_error.bool'],
  array: ['value is not a valid list', 'type_error.list'],
  object: ['value is not a valid dict', 'type_error.dict'],
};

/** Undefined where the error is of another kind. */
export function problemOf(error: Error): Problem | undefined {
  if (isJsonFailure(error)) {
    return { loc: ['body'], msg: 'The body is not JSON', type: 'value_error.jsondecode' };
  }
  if (!isValidationFailure(error)) return undefined;
  const [failure] = error.validation;
  const place = PLACES[error.validationContext ?? 'body'] ?? 'body';
  if (failure === undefined) return { loc: [place], msg: 'invalid value', type: 'value_error' };
  const loc = [place, ...placesOf(failure.instancePath)];
  const { params } = failure;
  switch (failure.keyword) {
    case 'required':
      return { loc: [...loc, String(params.missingProperty)], msg: 'field required', type: 'value_error.missing' };
    case 'type': {
      const [type = ''] = [params.type].flat().map(String);
      const [msg, name] = WRONG_TYPE[type] ?? ['invalid type', 'type_error'];
      return { loc, msg, type: name };
    }
    case 'format':
      return { loc, msg: `value is not a valid ${String(params.format)}`, type: `type_error.${String(params.format)}` };
    case 'enum': {
      const permitted = (params.allowedValues as unknown[]).map((value) => `'${String(value)}'`).join(', ');
      return { loc, msg: `value is not a valid enumeration member; permitted: ${permitted}`, type: 'type_error.enum' };
    }
    default:
      return { loc, msg: failure.message ?? 'invalid value', type: `value_error.${failure.keyword.toLowerCase()}` };
  }
}

function isValidationFailure(error: Error): error is ValidationFailure {
  return 'validation' in error && Array.isArray(error.validation);
}

function isJsonFailure(error: Error): boolean {
  return 'code' in error && error.code === 'FST_ERR_CTP_INVALID_JSON_BODY';
}

/** A JSON pointer as the list of its steps; steps that are numbers are places in a list. */
function placesOf(pointer: string): (string | number)[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
