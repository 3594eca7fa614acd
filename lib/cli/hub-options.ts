/** The options of `hub`, from the command line and from the environment. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { InputError } from '../compute/errors.js';
import { SDK_PORT } from '../hub/hub-service.js';

/** Requests of one client in 10 seconds. Source: Globus Compute docs, Limits. */
const RATE_LIMIT = 20;

/** Whoever stops services waits longer: systemd 90 seconds, Kubernetes 30. Unit: seconds. */
const GRACE = 10;

export interface HubCommandOptions {
  readonly port: number;
  readonly host: string;
  /** Absolute path of the folder that holds all that is kept. */
  readonly data: string;
  readonly amqp?: string;
  readonly management?: string;
  /** Worker processes of the local pool; 0: there is no pool. Undefined: one for each processor. */
  readonly workers?: number;
  readonly python?: string;
  /** Requests of one client in 10 seconds; 0: any number. */
  readonly rateLimit: number;
  /** Name of a user who gets a client id and secret. */
  readonly issue?: string;
  readonly json: boolean;
  /** How long running tasks may take to end when the hub is stopped. Unit: seconds. */
  readonly grace: number;
}

export const HUB_USAGE = `Usage: npx @funcx/node-red-funcx hub [OPTIONS]

Runs a hub: a funcX (Globus Compute) service of your own. It runs Python functions on this machine, and on other
machines where an endpoint agent is attached, for whoever uses the Python SDK with a client id that it has issued.
When it has started it prints the lines to paste for both. Ctrl-C stops it; at the next start it goes on where it was.
A second Ctrl-C does not wait for the functions that run.

  --data FOLDER       where functions, tasks and results are kept; ~/.funcx-hub
  --port N            listens on this port; ${SDK_PORT}, the only one that the SDK knows as "local"
  --host ADDRESS      listens on this address; 127.0.0.1, which nobody else can reach
  --amqp URL          a RabbitMQ, amqp(s)://USER:PASSWORD@HOST/VHOST: for endpoint agents, and for the SDK's Executor
  --management URL    its management API, http(s)://USER:PASSWORD@HOST:PORT: each agent and user gets an account that
                      sees nothing but its own
  --workers N         workers on this machine; one for each processor. 0: functions run on agents only
  --python PATH       the Python that they run, or the folder of a virtual environment; python3
  --rate-limit N      requests of a client in 10 seconds; ${RATE_LIMIT}, as the hosted service has it. 0: any number
  --grace SECONDS     when it is stopped, functions that run have so long to end; ${GRACE}
  --issue NAME        issues a client id and secret for one more user, and prints them this once
  --json              prints a line of JSON instead, for programs
  --help              says this

FUNCX_HUB_AMQP and FUNCX_HUB_MANAGEMENT hold the two URLs where nobody else may read their passwords.`;

/**
 * @returns undefined where help is wanted
 * @throws InputError when an option is unknown or has no usable value
 */
export function hubOptions(args: readonly string[], environment: NodeJS.ProcessEnv): HubCommandOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const amqp = urlOf('--amqp', values.amqp ?? environment.FUNCX_HUB_AMQP, ['amqp:', 'amqps:']);
  const management = urlOf('--management', values.management ?? environment.FUNCX_HUB_MANAGEMENT, ['http:', 'https:']);
  const workers = values.workers === undefined ? undefined : wholeNumber('--workers', values.workers, 1000);
  if (management !== undefined && amqp === undefined) throw new InputError('--management is of use only with --amqp.');
  return {
    port: values.port === undefined ? SDK_PORT : wholeNumber('--port', values.port, 65_535),
    host: values.host ?? '127.0.0.1',
    data: values.data === undefined ? join(homedir(), '.funcx-hub') : resolve(values.data),
    rateLimit: values['rate-limit'] === undefined ? RATE_LIMIT : wholeNumber('--rate-limit', values['rate-limit'], 1e9),
    grace: values.grace === undefined ? GRACE : wholeNumber('--grace', values.grace, 86_400),
    json: values.json ?? false,
    ...(amqp !== undefined && { amqp }),
    ...(management !== undefined && { management }),
    ...(workers !== undefined && { workers }),
    ...(values.python !== undefined && { python: values.python }),
    ...(values.issue !== undefined && { issue: nameOf(values.issue) }),
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        data: text,
        port: text,
        host: text,
        amqp: text,
        management: text,
        workers: text,
        python: text,
        'rate-limit': text,
        grace: text,
        issue: text,
        json: flag,
        help: flag,
      },
    }).values;
  } catch (error) {
    throw new InputError(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(option: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most) return value;
  throw new InputError(`${option} ${text}: expected a whole number from 0 to ${most}.`);
}

/** Says nothing of the URL: it has a password. */
function urlOf(option: string, text: string | undefined, protocols: readonly string[]): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text;
  throw new InputError(
    `${option}: expected a URL that begins with ${protocols.map((each) => `${each}//`).join(' or ')}.`,
  );
}

function nameOf(text: string): string {
  if (/^[\w.@-]{1,64}$/.test(text)) return text;
  throw new InputError('--issue: expected a name of at most 64 letters, digits, dots, @, - and _.');
}
