/** What `hub` prints when it has started: where it is, what it has, and the lines to paste on the machines of its users. */
import { SDK_PORT } from '../hub/hub-service.js';
import type { PythonInfo } from '../hub/interpreter.js';
import type { SdkEnvironment } from '../hub/own-client.js';
import type { HubCommandOptions } from './hub-options.js';

export interface Pool {
  readonly id: string;
  readonly workers: number;
  readonly python: PythonInfo;
}

export interface Started {
  readonly url: string;
  /** The workers on this machine. */
  readonly pool?: Pool | undefined;
  readonly environment: SdkEnvironment;
  /** The file with the environment. */
  readonly environmentFile: string;
  /** Whether client id and secret were issued just now. */
  readonly isFirst: boolean;
}

export function introduction(started: Started, options: HubCommandOptions): string {
  return [
    `The hub runs at ${started.url} and keeps what it has in ${options.data}. Ctrl-C stops it.`,
    '',
    poolLine(started),
    brokerLine(options),
    ...warnings(started, options),
    '',
    'For the Python SDK (globus-compute-sdk) and for agents, on this machine:',
    '',
    `  . ${quoted(started.environmentFile)}`,
    '',
    ...elsewhere(started, options),
    ...usage(started, options),
    'Functions that the hub runs may do all that you may do: give client ids to those only whom you trust so far.',
  ].join('\n');
}

function poolLine({ pool }: Started): string {
  if (pool === undefined) return 'This machine      runs no functions: --workers is 0';
  return `This machine      endpoint ${pool.id}, ${pool.workers} workers of Python ${pool.python.version}`;
}

function brokerLine({ amqp, management }: HubCommandOptions): string {
  if (amqp === undefined)
    return 'Other machines    none: endpoint agents, and the Executor of the SDK, need a RabbitMQ (--amqp)';
  const accounts = management === undefined ? 'one account for all of them' : 'an account for each of them';
  return `Other machines    by the RabbitMQ at ${new URL(amqp).host}, with ${accounts}`;
}

function warnings({ url, pool }: Started, { host, amqp, management }: HubCommandOptions): string[] {
  const found: string[] = [];
  if (portOf(url) !== SDK_PORT) {
    found.push(
      `Note              the SDK and agents know port ${SDK_PORT} alone: here, too, they need the tunnel below`,
    );
  }
  if (pool?.python.dill === null) {
    found.push(
      'Note              this Python lacks dill, with which the SDK sends functions unless told otherwise:',
      `                  ${pool.python.executable} -m pip install dill`,
    );
  }
  if (!['127.0.0.1', '::1', 'localhost'].includes(host)) {
    found.push('Note              others can reach this address, without encryption: put a proxy with TLS before it');
  }
  if (amqp !== undefined && management === undefined) {
    found.push("Note              agents and users get the hub's own account at the RabbitMQ: see --management");
  }
  return found;
}

/** The hub as another machine sees it: the SDK takes no other address than this, which a tunnel gives it. */
function elsewhere({ url, environment, isFirst, environmentFile }: Started, { amqp }: HubCommandOptions): string[] {
  const secret = 'GLOBUS_COMPUTE_CLIENT_SECRET';
  const auth = { GLOBUS_SDK_SERVICE_URL_AUTH: `http://127.0.0.1:${SDK_PORT}/` };
  const shown = { ...environment, ...auth, ...(!isFirst && { [secret]: `…  # it is in ${environmentFile}` }) };
  const broker = amqp === undefined ? '' : ` -L ${brokerPort(amqp)}:${new URL(amqp).hostname}:${brokerPort(amqp)}`;
  return [
    'On another machine, behind a tunnel to this one:',
    '',
    `  ssh -N -f -L ${SDK_PORT}:127.0.0.1:${portOf(url)}${broker} ${process.env.USER ?? 'you'}@THIS-MACHINE`,
    ...Object.entries(shown).map(([name, value]) => `  export ${name}=${value}`),
    '',
  ];
}

function usage({ pool }: Started, { amqp }: HubCommandOptions): string[] {
  const endpoint = pool?.id ?? 'ENDPOINT';
  const sdk =
    amqp === undefined
      ? `  python3 -c "from globus_compute_sdk import Client; print(Client().get_endpoints(role='any'))"`
      : `  python3 -c "from globus_compute_sdk import Executor; print(Executor('${endpoint}').submit(pow, 2, 10).result())"`;
  const attach = [
    'To attach an agent (globus-compute-endpoint), there:',
    '',
    '  globus-compute-endpoint configure NAME',
    '  globus-compute-endpoint start NAME',
    '',
  ];
  return ['Then, for example:', '', sdk, '', ...(amqp === undefined ? [] : attach)];
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

function brokerPort(amqp: string): string {
  const { port, protocol } = new URL(amqp);
  return port || (protocol === 'amqps:' ? '5671' : '5672');
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
