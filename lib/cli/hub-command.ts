/** `hub`: runs a hub alone until it is told to stop. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { FuncXError, InputError } from '../compute/errors.js';
import { Hub } from '../hub/hub.js';
import { HubService } from '../hub/hub-service.js';
import { findPython } from '../hub/interpreter.js';
import { introduction, type Pool, type Started } from './hub-introduction.js';
import { HUB_USAGE, type HubCommandOptions, hubOptions } from './hub-options.js';

/** Name of the local pool, which keeps its id by it. */
const POOL = 'local';

/** @returns the exit code */
export async function runHub(args: readonly string[]): Promise<number> {
  let options: HubCommandOptions | undefined;
  try {
    options = hubOptions(args, process.env);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(`${error.message}\n\nnpx @funcx/node-red-funcx hub --help says what there is.`);
    return 2;
  }
  if (options === undefined) {
    console.log(HUB_USAGE);
    return 0;
  }
  // From here on: a signal that comes while the hub starts stops it, too.
  const asked = stopAsked();
  try {
    await serve(options, asked);
    return 0;
  } catch (error) {
    if (!(error instanceof FuncXError)) throw error;
    console.error(error.message);
    return 1;
  }
}

async function serve(options: HubCommandOptions, asked: Promise<unknown>): Promise<void> {
  mkdirSync(options.data, { recursive: true, mode: 0o700 });
  const hub = await Hub.open({
    file: join(options.data, 'hub.db'),
    ...(options.amqp !== undefined && {
      broker: { url: options.amqp, ...(options.management !== undefined && { managementUrl: options.management }) },
    }),
    onDamaged: ({ movedTo }) =>
      console.error(`The store was damaged. An empty one takes its place; it is kept as ${movedTo}.`),
  });
  hub.on('failing', (error) => console.error(`Tasks and results cannot be stored at the moment: ${error.message}`));
  hub.on('recovered', () => console.error('Tasks and results can be stored again.'));
  hub.on('agents', ({ message }) => console.error(message));
  try {
    const pool = await openPool(hub, options);
    const service = await HubService.open(hub, { ...options, folder: options.data });
    try {
      tell({ url: service.url, pool, ...service.client }, options);
      if (options.issue !== undefined) await issue(hub, options.issue, options.json);
      await asked;
    } finally {
      await service.close();
    }
  } finally {
    await hub.close(options.grace * 1000);
  }
}

async function openPool(hub: Hub, options: HubCommandOptions): Promise<Pool | undefined> {
  if (options.workers === 0) return undefined;
  const python = await findPython(options.python);
  const workers = options.workers ?? availableParallelism();
  const id = await hub.localEndpoint({ name: POOL, workers, python: python.executable, public: true });
  return { id, workers, python };
}

function tell(started: Started, options: HubCommandOptions): void {
  const { url, pool, environment } = started;
  console.log(
    options.json ? JSON.stringify({ url, endpoint: pool?.id ?? null, environment }) : introduction(started, options),
  );
}

async function issue(hub: Hub, name: string, json: boolean): Promise<void> {
  const { clientId, clientSecret } = await hub.issueClient(name);
  console.log(
    json
      ? JSON.stringify({ issued: name, id: clientId, secret: clientSecret })
      : `\nFor ${name}, this once:\n\n  export GLOBUS_COMPUTE_CLIENT_ID=${clientId}\n  export GLOBUS_COMPUTE_CLIENT_SECRET=${clientSecret}`,
  );
}

/** Resolves with the first signal to stop. A second one ends the process at once. */
async function stopAsked(): Promise<void> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  // Whoever reads what is printed may go away; the hub stays.
  process.stdout.on('error', () => {});
  await Promise.race(signals.map((signal) => once(process, signal)));
  for (const signal of signals) process.once(signal, () => process.exit(1));
}
