/** The example that `npm start` runs, and what it says while it runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build/layout';

export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly [property: string]: unknown;
}

const FILE = join(root, 'examples/sensor anomalies.json');

/** What Python returns for one reading. */
export interface Verdict {
  readonly date: string;
  readonly station: string;
  readonly verdict: 'learning' | 'normal' | 'anomaly';
  readonly summary: string;
}

export interface MainJob {
  /** The example, as it is stored. */
  readonly text: string;
  /** Id of the node that runs the function. */
  readonly runId: string;
  /** How many readings the flow holds. */
  readonly readings: number;
}

export function readMainJob(): MainJob {
  const text = readFileSync(FILE, 'utf8');
  const flow = JSON.parse(text) as FlowNode[];
  const data = String(only(flow, 'template').template);
  return { text, runId: only(flow, 'funcx-run').id, readings: data.trim().split('\n').length - 1 };
}

export function isVerdict(value: unknown): value is Verdict {
  return typeof value === 'object' && value !== null && 'verdict' in value && 'station' in value;
}

function only(flow: readonly FlowNode[], type: string): FlowNode {
  const [node, ...others] = flow.filter((candidate) => candidate.type === type);
  if (node === undefined || others.length > 0) throw new Error(`${FILE} has to have one ${type} node`);
  return node;
}
