/** The console of an endpoint: its fields, and which of them were asked for. Source: the service's OpenAPI document. */
import type { ConsoleUserEndpoint } from '../../compute/service.js';
import { malformed } from '../refusals.js';
import { answer, flag, integer, type JsonSchema, list, mapOf, number, object, text, uuid } from './schemas.js';

export const consoleQuery = object({}, { user_endpoint_id: uuid, include_fields: text });

const node = answer(
  {},
  {
    total_worker_count: integer,
    idle_duration_seconds: number,
    python_version: text,
    endpoint_version: text,
    sdk_version: text,
  },
);

/** What an answer is not valid without: it is there whatever was asked for. */
const REQUIRED = { user_endpoint_id: uuid, active: flag } satisfies Partial<Record<Field, JsonSchema>>;

const OPTIONAL: Readonly<Record<Exclude<Field, keyof typeof REQUIRED>, JsonSchema>> = {
  python_version: text,
  endpoint_version: text,
  client_sdk_versions: list(text),
  posix_pid: integer,
  posix_username: text,
  start_time_iso: { type: 'string', format: 'date-time' },
  start_time_unix: number,
  last_heartbeat_unix: number,
  total_worker_count: integer,
  idle_worker_count: integer,
  total_node_count: integer,
  node_info: mapOf(list(node)),
  running_task_count: integer,
  queued_task_count: integer,
  executed_task_count: integer,
  engine_type: text,
  provider_type: text,
  account: text,
  queue: text,
  config: text,
};

export const consoleAnswer = answer({ user_endpoints: list(answer(REQUIRED, OPTIONAL)) });

type Field = keyof ConsoleUserEndpoint;

const FIELDS: ReadonlySet<string> = new Set([...Object.keys(REQUIRED), ...Object.keys(OPTIONAL)]);

/** Large, so that it has to be asked for. */
const ON_REQUEST = 'config';

/** Of a name that is none, so much is repeated. Unit: characters. */
const SHOWN_CHARS = 64;

/**
 * @param asked names of fields, separated by commas; empty: all but `config`
 * @throws ServiceError REQUEST_MALFORMED for a name of no field
 */
export function chosenFields(asked: string): ReadonlySet<string> {
  if (asked.trim() === '') return new Set([...FIELDS].filter((field) => field !== ON_REQUEST));
  const names = asked.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !FIELDS.has(name));
  if (unknown !== undefined) {
    const shown = JSON.stringify(unknown.slice(0, SHOWN_CHARS));
    throw malformed(`include_fields names ${shown}, which is no field. The fields are: ${[...FIELDS].join(', ')}.`);
  }
  return new Set([...Object.keys(REQUIRED), ...names]);
}

export function onlyFields(endpoint: ConsoleUserEndpoint, fields: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(endpoint).filter(([field]) => fields.has(field)));
}
