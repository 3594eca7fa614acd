/** One fault under load: messages go into a real Node-RED, something is killed or deployed, and what comes out is counted. */
import { once } from 'node:events';
import { readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NodeRed } from '../nodes/support/node-red';
import { SlowPython } from '../nodes/support/slow-python';
import { stored } from '../nodes/support/stored-messages';
import { FaultFlow, type FlowVariant } from './flow';

export interface Scenario {
  readonly fault: string;
  /** Type of the deploy, `-` for none. */
  readonly deploy: 'full' | 'flows' | 'nodes' | '-';
  readonly flow?: FlowVariant;
  readonly messages?: number;
  /** The messages are sent while the client opens, and it does not open before it is let. */
  readonly opening?: boolean;
  /** What happens while messages are under way. */
  disturb(load: Load): Promise<void>;
}

export interface Row {
  readonly fault: string;
  readonly deploy: string;
  readonly sent: number;
  /** Messages that came out, each counted once: with a result, or in an error that was caught. */
  readonly received: number;
  /** Of these, caught errors. */
  readonly errors: number;
  /** Came out more than once. */
  readonly repeated: number;
  /** Of these, without a mark on any but the first. */
  readonly unmarked: number;
  readonly lost: number;
  readonly problem?: string;
}

/** A line of the journal that the flow's last node writes. */
export interface Arrival {
  readonly id: number;
  readonly kind: 'result' | 'error';
  readonly redelivered: boolean;
}

const MESSAGES = 1000;

/** Everything must have come out by then. Unit: milliseconds. */
const PATIENCE_MS = 45_000;

/** A running Node-RED with messages under way. */
export class Load {
  readonly nodeRed = new NodeRed();
  readonly python = new SlowPython(this.nodeRed.userDir);
  flow: FaultFlow;
  readonly #journal: string;

  constructor(
    readonly messages: number,
    variant: FlowVariant,
    opening: boolean,
  ) {
    this.#journal = join(this.nodeRed.userDir, 'arrived.txt');
    writeFileSync(this.#journal, '');
    this.flow = new FaultFlow(this.#journal, variant);
    if (!opening) return;
    this.python.hold();
    this.flow = this.flow.changed({ properties: { client: { python: this.python.path } } });
  }

  async start(): Promise<void> {
    await this.nodeRed.start({ flow: this.flow.nodes, settings: "functionGlobalContext: { fs: require('fs') }" });
  }

  /** Sends the messages in one burst. Each was accepted when some have come out. */
  async send(): Promise<void> {
    await this.nodeRed.ask(`/send?n=${this.messages}`);
  }

  async deploy(type: string, flow: FaultFlow): Promise<void> {
    const headers = { 'Node-RED-Deployment-Type': type };
    const { status, body } = await this.nodeRed.ask('/flows', { body: flow.nodes, headers });
    if (status >= 300) throw new Error(`The deploy was refused: ${status} ${JSON.stringify(body)}`);
  }

  /** Its client opens, whatever kept it from that. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    await this.nodeRed.end(signal);
    this.python.release();
    await this.start();
  }

  arrivals(): Arrival[] {
    // What follows the last line feed is being written.
    const lines = readFileSync(this.#journal, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Arrival);
  }

  /** Waits until so many different messages have come out. */
  async arrived(count: number): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    const watcher = watch(this.#journal);
    try {
      while (new Set(this.arrivals().map(({ id }) => id)).size < count) {
        const left = deadline - Date.now();
        if (left <= 0) return;
        const signal = AbortSignal.timeout(Math.min(left, 1000));
        await once(watcher, 'change', { signal }).catch(() => {}); // No news for a while: look all the same.
      }
    } finally {
      watcher.close();
    }
  }
}

export async function run(scenario: Scenario): Promise<Row> {
  const { fault, deploy, messages = MESSAGES, opening = false, flow = {} } = scenario;
  const load = new Load(messages, flow, opening);
  let problem: string | undefined;
  try {
    await load.start();
    if (opening) {
      await load.python.asked();
      await load.send();
      await stored(load.nodeRed.userDir, messages);
    } else {
      await load.send();
      await load.arrived(Math.floor(messages / 10));
    }
    await scenario.disturb(load);
    await load.arrived(messages);
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  } finally {
    load.python.release();
    await load.nodeRed.end('SIGTERM').catch(() => {});
  }
  const arrivals = load.arrivals();
  const row = { fault, deploy, sent: messages, ...count(arrivals, messages) };
  await load.nodeRed.dispose();
  return problem === undefined ? row : { ...row, problem };
}

function count(arrivals: readonly Arrival[], messages: number) {
  const byId = new Map<number, Arrival[]>();
  for (const arrival of arrivals) byId.set(arrival.id, [...(byId.get(arrival.id) ?? []), arrival]);
  const all = [...byId.values()];
  const repeated = all.filter((each) => each.length > 1);
  return {
    received: byId.size,
    errors: all.filter(([first]) => first?.kind === 'error').length,
    repeated: repeated.length,
    unmarked: repeated.filter((each) => each.slice(1).some((again) => !again.redelivered)).length,
    lost: messages - byId.size,
  };
}
