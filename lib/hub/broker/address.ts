/** Addresses of a broker. */
import type { Options } from 'amqplib';
import { InputError } from '../../compute/errors.js';

export interface Account {
  readonly username: string;
  readonly password: string;
}

const HEARTBEAT_SECONDS = 30;

/** Throws InputError, which does not repeat the URL, as it holds a password. */
export function brokerUrl(url: string, option: string): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new InputError(`${option} is not a URL; expected amqp://user:password@host:port/vhost.`);
  }
  if (parsed.protocol !== 'amqp:' && parsed.protocol !== 'amqps:') {
    throw new InputError(`${option} begins with ${parsed.protocol}; expected amqp:// or amqps://.`);
  }
  try {
    connectOptions(parsed);
  } catch {
    throw new InputError(`${option} has a % that begins no character; expected %25 for a % itself.`);
  }
  return parsed;
}

/** No path, or `/` alone, is the virtual host `/`, as the agents' library reads it. */
export function vhostOf(url: URL): string {
  return decodeURIComponent(url.pathname.slice(1)) || '/';
}

/** As amqplib takes it. */
export function connectOptions(url: URL): Options.Connect {
  return {
    protocol: url.protocol.slice(0, -1),
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || (url.protocol === 'amqps:' ? 5671 : 5672),
    username: decodeURIComponent(url.username) || 'guest',
    password: decodeURIComponent(url.password) || 'guest',
    vhost: vhostOf(url),
    heartbeat: HEARTBEAT_SECONDS,
  };
}

/** The address with an account in it, for an agent or a user. */
export function addressFor(url: URL, account: Account | undefined): string {
  const own = new URL(url);
  if (account !== undefined) {
    own.username = encodeURIComponent(account.username);
    own.password = encodeURIComponent(account.password);
  }
  own.pathname = `/${encodeURIComponent(vhostOf(url))}`;
  return own.toString();
}
