/** Starts a RabbitMQ, Node-RED with its hub, and two endpoint agents, and says what becomes of 1000 tasks. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Agent } from '../../test/interop/support/agent';
import { environmentIn, SDK_PORT } from '../../test/interop/support/hub';
import { RabbitMq } from '../../test/interop/support/rabbitmq';
import { LEVELS, type Message, startNodeRed } from '../start/node-red';
import { prepareUserFolder } from '../start/user-folder';
import { demoFlow, RUN, TASKS } from './flow';

const USAGE = `npm run demo:agents [-- --once]

Starts a RabbitMQ, a Node-RED whose hub lets agents in, and two endpoint agents (globus-compute-endpoint, from PyPI). A flow
spreads ${TASKS} tasks over both. All of it is on this machine, and gone with the end.

  --once  ends when the results are there`;

interface Result {
  readonly payload: { readonly worker: string };
  readonly funcx: { readonly endpointId: string };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { once: { type: 'boolean', default: false }, help: { type: 'boolean' } } });
  if (values.help) return console.log(USAGE);
  const closers: (() => Promise<void> | void)[] = [];
  const stopped = Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
  try {
    const done = demonstrate((close) => closers.push(close));
    await Promise.race([values.once ? done : done.then(() => stopped), stopped]);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function demonstrate(atEnd: (close: () => Promise<void> | void) => void): Promise<void> {
  const rabbitMq = new RabbitMq();
  atEnd(() => rabbitMq.dispose());
  await rabbitMq.start();
  console.log(`RabbitMQ           ${new URL(rabbitMq.url).host}`);

  const userDir = mkdtempSync(join(tmpdir(), 'funcx-demo-'));
  atEnd(() => rmSync(userDir, { recursive: true, force: true }));
  prepareUserFolder(userDir, '[]');
  let hubStarted = () => {};
  const started = new Promise<void>((resolve) => {
    hubStarted = resolve;
  });
  const report = new Report();
  const nodeRed = await startNodeRed(
    { userDir, port: undefined },
    {
      log: ({ level, type, msg }) => {
        if (String(msg).startsWith('The hub is at')) hubStarted();
        else if (level <= LEVELS.warn && type?.startsWith('funcx')) console.error(String(msg));
      },
      sent: (from, _to, msg) => {
        if (from === RUN) report.add(msg);
      },
    },
  );
  atEnd(() => nodeRed.stop());
  await deploy(nodeRed.url, demoFlow(rabbitMq.url, SDK_PORT, []));
  await started;
  console.log(`Node-RED           ${nodeRed.url}, its hub http://127.0.0.1:${SDK_PORT}`);

  const agents = ['north', 'south'].map((name) => new Agent(name));
  for (const agent of agents) atEnd(() => agent.dispose());
  const environment = environmentIn(join(userDir, 'funcx/client.sh'));
  await Promise.all(agents.map((agent) => agent.start(environment)));
  for (const { name, endpoint } of agents) console.log(`agent ${name.padEnd(12)} ${endpoint}`);

  const names = new Map(agents.map(({ name, endpoint }) => [String(endpoint), name]));
  await report.run(names, () => deploy(nodeRed.url, demoFlow(rabbitMq.url, SDK_PORT, [...names.keys()])));
  console.log(`\nThe flow is at ${nodeRed.url}. Its button spreads ${TASKS} more. Ctrl-C ends it all.`);
}

async function deploy(url: string, flow: readonly object[]): Promise<void> {
  const response = await fetch(`${url}/flows`, {
    method: 'POST',
    body: JSON.stringify(flow),
    headers: { 'content-type': 'application/json', 'Node-RED-Deployment-Type': 'nodes' },
  });
  if (!response.ok) throw new Error(`Node-RED refused the flow: ${response.status} ${await response.text()}`);
}

/** Counts results by agent and by worker. */
class Report {
  readonly #workers = new Map<string, Map<string, number>>();
  #results = 0;
  #whole = () => {};

  add(msg: Message): void {
    const { payload, funcx } = msg as unknown as Result;
    const workers = this.#workers.get(funcx.endpointId) ?? new Map<string, number>();
    this.#workers.set(funcx.endpointId, workers);
    workers.set(payload.worker, (workers.get(payload.worker) ?? 0) + 1);
    if (++this.#results === TASKS) this.#whole();
  }

  /** Starts the tasks, waits for their results, and prints where they came from. */
  async run(names: ReadonlyMap<string, string>, start: () => Promise<void>): Promise<void> {
    const whole = new Promise<void>((resolve) => {
      this.#whole = resolve;
    });
    const began = performance.now();
    await start();
    await whole;
    const seconds = (performance.now() - began) / 1000;
    console.log(`\n${this.#results} results in ${seconds.toFixed(1)} s, with the start of the workers:\n`);
    for (const [endpoint, workers] of this.#workers) {
      for (const [worker, count] of workers) {
        console.log(
          `  agent ${(names.get(endpoint) ?? endpoint).padEnd(8)} process ${worker.padEnd(20)} ${String(count).padStart(5)} tasks`,
        );
      }
    }
  }
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
