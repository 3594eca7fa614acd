/**
 * What requests hold and answers look like. Requests are checked by these schemas, and the OpenAPI document is made of them.
 * Source: the service's OpenAPI document, version 2 and 3 of its operations.
 */

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly [keyword: string]: unknown;
}

type Properties = Readonly<Record<string, JsonSchema>>;

export const uuid: JsonSchema = { type: 'string', format: 'uuid' };
export const text: JsonSchema = { type: 'string' };
export const flag: JsonSchema = { type: 'boolean' };
export const number: JsonSchema = { type: 'number' };
export const integer: JsonSchema = { type: 'integer' };
const anyObject: JsonSchema = { type: 'object' };

export function list(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

export function mapOf(additionalProperties: JsonSchema): JsonSchema {
  return { type: 'object', additionalProperties };
}

/** Fields that may be left out may also be null, as in pydantic. */
function orNull(schema: JsonSchema): JsonSchema {
  const { type } = schema;
  if (typeof type !== 'string') return schema;
  return { ...schema, type: [type, 'null'] };
}

/** Unknown fields are ignored, as the service does. */
export function object(required: Properties, optional: Properties = {}): JsonSchema {
  const withNull = Object.fromEntries(Object.entries(optional).map(([name, schema]) => [name, orNull(schema)]));
  return { type: 'object', required: Object.keys(required), properties: { ...required, ...withNull } };
}

/** An answer: what may be left out is left out, not null. */
export function answer(required: Properties, optional: Properties = {}): JsonSchema {
  return { type: 'object', required: Object.keys(required), properties: { ...required, ...optional } };
}

export function inPath(...names: readonly string[]): JsonSchema {
  return object(Object.fromEntries(names.map((name) => [name, uuid])));
}

// Functions

const functionFields = { function_name: text, function_code: text };

export const registerFunctionV3 = object(
  { ...functionFields, meta: object({ python_version: text, sdk_version: text, serde_identifier: text }) },
  { description: text, group: uuid, public: flag, ha_endpoint_id: uuid },
);

export const registerFunctionV2 = object(functionFields, {
  entry_point: text,
  description: text,
  metadata: object({}, { python_version: text, sdk_version: text }),
  container_uuid: uuid,
  group: uuid,
  public: flag,
});

export const functionRegistered = answer({ function_uuid: uuid }, { ha_warning: text });

export const functionInfo = answer(
  { function_uuid: uuid, function_code: text, metadata: answer({}, { python_version: text, sdk_version: text }) },
  { function_name: text, description: text },
);

export const stats = answer({ total_function_invocations: integer });

/** The HTTP status of a deletion, in the body of an answer that is always 200. */
export const deleted = answer({ result: integer });

// Endpoints

/** Source: globus-compute-endpoint, which accepts these names. */
const endpointName: JsonSchema = { type: 'string', minLength: 1, maxLength: 128 };

/** Texts of files that agents send along; the largest is a template of a few kB. Unit: characters. */
const MAX_FILE_CHARS = 1024 * 1024;
const file: JsonSchema = { type: 'string', maxLength: MAX_FILE_CHARS };

const endpointMetadata = object(
  {},
  {
    config: anyObject,
    endpoint_config: file,
    user_config_template: file,
    user_config_schema: anyObject,
    description: text,
    ip_address: text,
    hostname: text,
    local_user: text,
    sdk_version: text,
    endpoint_version: text,
    python_version: text,
  },
);

const endpointFields = {
  display_name: text,
  version: text,
  multi_user: flag,
  allowed_functions: list(uuid),
  authentication_policy: uuid,
};

export const registerEndpointV3 = object(
  { endpoint_name: endpointName, metadata: endpointMetadata },
  { ...endpointFields, high_assurance: flag, subscription_uuid: uuid, admins: list(uuid), public: flag },
);

export const registerEndpointV2 = object(
  { endpoint_name: endpointName, endpoint_uuid: uuid },
  { ...endpointFields, metadata: endpointMetadata },
);

const readQueue = answer({ connection_url: text, exchange: text, queue: text });
const writeQueue = answer({
  connection_url: text,
  exchange: text,
  queue: text,
  queue_publish_kwargs: answer({
    exchange: text,
    routing_key: text,
    mandatory: flag,
    properties: answer({ delivery_mode: integer }),
  }),
});

export const endpointRegistered = answer(
  { endpoint_id: uuid, result_queue_info: writeQueue, heartbeat_queue_info: writeQueue },
  { command_queue_info: readQueue, task_queue_info: readQueue, warnings: list(text) },
);

export const endpointList = list(answer({ uuid, name: text, display_name: text, owner: uuid }));

export const endpointInfo = answer(
  {
    uuid,
    name: text,
    display_name: text,
    multi_user: flag,
    high_assurance: flag,
    public: flag,
    subscription_admin_verified: flag,
  },
  {
    config: anyObject,
    endpoint_config: text,
    user_config_template: text,
    user_config_schema: anyObject,
    description: text,
    hostname: text,
    local_user: text,
    ip_address: text,
    endpoint_version: text,
    sdk_version: text,
    python_version: text,
    subscription_uuid: uuid,
  },
);

export const endpointStatus = answer(
  { status: text },
  {
    details: answer(
      { total_workers: integer, idle_workers: integer, pending_tasks: integer, outstanding_tasks: integer },
      { managers: integer },
    ),
  },
);

export const allowedFunctions = answer({ endpoint_id: uuid, restricted: flag }, { functions: list(uuid) });

export const lockedV2 = answer({
  endpoint_id: uuid,
  lock_expiration_timestamp: { type: 'string', format: 'date-time' },
});
export const lockedV3 = answer({ endpoint_id: uuid, lock_expiration_timestamp: number });

export const role: JsonSchema = object({}, { role: { type: 'string', enum: ['owner', 'any'], default: 'owner' } });

// Containers

export const registerContainer = object(
  { name: text, type: { type: 'string', enum: ['docker', 'singularity'] }, location: text },
  { description: text },
);

export const buildContainer = object(
  { name: text, apt: list(text), pip: list(text), conda: list(text) },
  { description: text, payload_url: { type: 'string', format: 'uri' } },
);

export const containerAndType = object({ container_uuid: uuid, container_type: text });

// Tasks

/** A name of a Python class, and not many of them. */
const serializers: JsonSchema = {
  type: 'array',
  maxItems: 32,
  items: { type: 'string', maxLength: 256, pattern: '^[A-Za-z_][A-Za-z0-9_.]*$' },
};

export const submitV3 = object(
  { tasks: { type: 'object', minProperties: 1, propertyNames: uuid, additionalProperties: list(text) } },
  {
    task_group_id: uuid,
    create_queue: flag,
    user_endpoint_config: anyObject,
    resource_specification: object(
      {},
      { num_nodes: integer, ranks_per_node: integer, num_ranks: integer, launcher_options: text },
    ),
    result_serializers: serializers,
    user_runtime: anyObject,
  },
);

export const submittedV3 = answer(
  { request_id: uuid, task_group_id: uuid, endpoint_id: uuid, tasks: mapOf(list(uuid)) },
  { ha_warning: text },
);

/** `[function, endpoint, packed arguments]` */
const taskOfV2: JsonSchema = { type: 'array', minItems: 3, maxItems: 3, items: text };

export const submitV2 = object(
  { tasks: { type: 'array', minItems: 1, items: taskOfV2 } },
  { task_group_id: uuid, create_websocket_queue: { ...flag, default: true } },
);

export const submittedV2 = answer(
  {
    response: text,
    results: list(
      answer(
        { status: text, http_status_code: integer },
        { task_uuid: uuid, reason: text, code: text, error_args: { type: 'array' } },
      ),
    ),
  },
  { task_group_id: uuid },
);

const taskFields = { status: text, result: text, completion_t: text, exception: text };

export const taskStatus = answer({ task_id: uuid }, { ...taskFields, details: anyObject });

/** More ids in one request than any client of the service asks for. */
const MAX_IDS = 10_000;

export const batchStatus = object({ task_ids: { type: 'array', maxItems: MAX_IDS, items: uuid } });

export const batchStatuses = answer({
  response: text,
  results: mapOf(answer({ task_id: uuid }, { ...taskFields, reason: text })),
});

export const taskGroup = answer(
  { taskgroup_id: uuid, tasks: list(answer({ id: uuid, created_at: { type: 'string', format: 'date-time' } })) },
  { create_websockets_queue: flag },
);

// The service itself

export const versionQuery = object({}, { service: { type: 'string', enum: ['api', 'all'] } });

export const version: JsonSchema = {
  anyOf: [text, answer({ api: text }, { min_sdk_version: text, min_ep_version: text, git_sha: text })],
};

export const authenticated = text;

export const resultConnection = answer({ queue_prefix: text, connection_url: { type: 'string', format: 'uri' } });

/** Ids of identities, separated by commas. */
export const idsQuery = object({}, { ids: { type: 'string', maxLength: 4096 } });

// Refusals

const problem = answer({ loc: list({ type: ['string', 'integer'] }), msg: text, type: text });
const errorFields = { status: text, code: text, error_args: { type: 'array' }, http_status_code: integer };

export const refusal = answer({ ...errorFields, detail: text, reason: text });

export const invalidV2 = answer({}, { detail: list(problem) });

export const invalidV3: JsonSchema = {
  anyOf: [answer({ ...errorFields, detail: list(problem), reason: list(problem) }), refusal],
};
