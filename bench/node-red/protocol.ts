/** What goes between the bench and the process of Node-RED. */
export type { Commands } from './commands';

/** A node as a flow file has it. */
export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly [property: string]: unknown;
}

export interface HostSettings {
  /** Package of Node-RED. */
  readonly nodeRed: string;
  readonly userDir: string;
  /** Of the bench's own nodes. */
  readonly nodesDir: string;
}

export interface Question {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}
