/** The fields of a client's dialog, as the hub and the client take them. */
import { createHash } from 'node:crypto';
import type { ClientOptions } from '../../lib/client.js';
import { InputError } from '../../lib/compute/errors.js';
import type { TaskGroupId } from '../../lib/compute/ids.js';
import { SDK_PORT } from '../../lib/hub/hub-service.js';
import type { LocalEndpointOptions } from '../../lib/hub/local-endpoint.js';
import type { ClientConfig, ClientCredentials } from '../shared/types.js';
import type { Sharing } from './shared-hub.js';

export interface ClientSettings {
  /** What to start; empty for the `python3` on PATH. */
  readonly python: string;
  readonly endpoint: Omit<LocalEndpointOptions, 'python'>;
  readonly client: Omit<ClientOptions, 'service' | 'endpointId'>;
}

export const DEFAULT_QUEUE_LIMIT = 100_000;

/** @throws InputError naming the field that cannot be used */
export function settingsOf(config: ClientConfig): ClientSettings {
  const envAllow = (config.envAllow ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return {
    python: (config.python ?? '').trim(),
    endpoint: {
      // The node's id: the endpoint keeps its own id when the node is renamed, and after a restart.
      name: config.id,
      displayName: config.name || 'local',
      ...(envAllow.length > 0 && { envAllow }),
      ...(config.cwd && { cwd: config.cwd }),
      ...optional('workers', 'Workers', config.workers, 'processes'),
      ...optional('timeLimit', 'Time limit', config.timeLimit, 'seconds'),
      ...optional('memoryLimit', 'Memory limit', config.memoryLimit, 'MB'),
      ...optional('restartAfter', 'Restart after', config.restartAfter, 'tasks'),
      ...optional('idleShutdown', 'Idle shutdown', config.idleShutdown, 'seconds', 0),
    },
    client: {
      taskGroupId: taskGroupOf(config.id),
      integers: config.integers === 'text' ? 'text' : 'bigint',
      queueLimit: numberOf('Queue limit', config.queueLimit, 'tasks') ?? DEFAULT_QUEUE_LIMIT,
      inFlight: numberOf('In flight', config.inFlight, 'tasks'),
      whenFull: config.whenFull ?? 'error',
    },
  };
}

/**
 * How the client wants the hub to be shared with others; undefined where it does not.
 *
 * @throws InputError naming the field that cannot be used
 */
export function sharingOf(config: ClientConfig, credentials: ClientCredentials | undefined): Sharing | undefined {
  const amqp = (credentials?.amqp ?? '').trim();
  const port = numberOf('Port', config.port, 'a port', 1);
  const management = (credentials?.management ?? '').trim();
  if (amqp === '' && management !== '') {
    throw new InputError(
      'Management: it is of use only with RabbitMQ. Give its URL in the client, too, or leave both empty.',
    );
  }
  if (amqp === '' && port === undefined) return undefined;
  if (amqp !== '' && !(/^amqps?:\/\//.test(amqp) && URL.canParse(amqp))) {
    throw new InputError(
      'RabbitMQ: the URL has to begin with amqp:// or amqps://, as in amqps://user:password@host/vhost, with %40 for an @ ' +
        'in the password, for example. Change it in the client.',
    );
  }
  if (management !== '' && !(/^https?:\/\//.test(management) && URL.canParse(management))) {
    throw new InputError('Management: the URL has to begin with http:// or https://. Change it in the client.');
  }
  if (port !== undefined && (!Number.isInteger(port) || port > 65_535)) {
    throw new InputError(`Port: ${port} is none. Expected a number from 1 to 65535.`);
  }
  return {
    port: port ?? SDK_PORT,
    amqp: amqp === '' ? undefined : amqp,
    management: management === '' ? undefined : management,
  };
}

/** One task group a client for good, so that results that came while it was closed are found again. */
function taskGroupOf(nodeId: string): TaskGroupId {
  const hex = createHash('sha256').update(`task group of ${nodeId}`).digest('hex');
  // A UUID of version 8, whose content is the maker's own. Source: RFC 9562, section 5.8.
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  ) as TaskGroupId;
}

function optional<Name extends string>(
  name: Name,
  field: string,
  text: string | undefined,
  unit: string,
  least?: number,
): { [key in Name]?: number } {
  const value = numberOf(field, text, unit, least);
  return (value === undefined ? {} : { [name]: value }) as { [key in Name]?: number };
}

function numberOf(field: string, text: string | undefined, unit: string, least = Number.MIN_VALUE): number | undefined {
  const trimmed = String(text ?? '').trim();
  if (trimmed === '') return undefined;
  const value = Number(trimmed);
  if (Number.isFinite(value) && value >= least) return value;
  const expected = least === 0 ? 'a number of' : 'a positive number of';
  throw new InputError(
    `${field}: ${JSON.stringify(trimmed)} is not ${expected} ${unit}. Change it in the client, or leave it empty.`,
  );
}
