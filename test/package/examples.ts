import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../tools/build/layout';

export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly z?: string;
  readonly info?: string;
  readonly wires?: readonly (readonly string[])[];
}

export interface Example {
  readonly file: string;
  readonly flow: readonly FlowNode[];
}

/** The flows of Node-RED's Import menu. */
export function exampleFlows(): Example[] {
  const folder = join(root, 'examples');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ file, flow: JSON.parse(readFileSync(join(folder, file), 'utf8')) as FlowNode[] }));
}
