/** What the bench can have the process of Node-RED do. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import type { NodeMessage } from 'node-red';
import type { ClientNode } from '../../nodes/shared/types.js';
import type { Way } from './flow';
import type { SinkNode, SourceNode } from './nodes';
import { type Payload, type PayloadKind, payload } from './payloads';
import type { FlowNode, HostSettings } from './protocol';

type Msg = NodeMessage & Record<string, unknown>;

/** The part of Node-RED that is used here; its own types leave it out. */
interface NodeRedModule {
  init(server: unknown, settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly events: NodeJS.EventEmitter;
  readonly nodes: { getNode(id: string): unknown; getType(type: string): unknown };
  readonly runtime: { readonly flows: { setFlows(options: object): Promise<unknown> } };
}

export interface Sending {
  readonly through: Way;
  readonly count: number;
}

export interface Memory {
  /** After a collection of garbage. Unit: bytes. */
  readonly heap: number;
  readonly rss: number;
}

export class Commands {
  #started: NodeRedModule | undefined;
  #userDir = '';
  readonly #session = new Session();
  /** A message that came when none was expected: the last measurement was wrong. */
  #stray: Error | undefined;

  /** Starts Node-RED as a user's is, but for its port, which is not opened. */
  async start({ nodeRed, userDir, nodesDir }: HostSettings): Promise<void> {
    const RED: NodeRedModule = require(nodeRed);
    this.#userDir = userDir;
    RED.init(createServer(), {
      userDir,
      nodesDir,
      flowFile: 'flows.json',
      credentialSecret: false,
      telemetry: { enabled: false },
      logging: { console: { level: 'warn', metrics: false, audit: false } },
    });
    // It starts its flows, which are none yet, after it has said that it is started.
    const flowsStarted = once(RED.events, 'flows:started');
    await RED.start();
    this.#started = RED;
    await flowsStarted;
  }

  async stop(): Promise<void> {
    await this.#started?.stop();
  }

  /** Deploys a flow in the place of the one before, and resolves when it runs. */
  async deploy(flow: readonly FlowNode[]): Promise<void> {
    const { events, runtime, nodes } = this.#RED;
    const unknown = flow.find(({ type }) => type !== 'tab' && nodes.getType(type) === undefined);
    if (unknown !== undefined)
      throw new Error(`Node-RED knows no ${unknown.type}. Is it, with its dialog, in the build?`);
    const started = once(events, 'flows:started');
    await runtime.flows.setFlows({ flows: { flows: flow.map((node) => ({ ...node })) } });
    await started;
    this.#idle();
  }

  /** Sends all at once. Resolves when all have come back, each with its own value. Gives milliseconds. */
  burst({ through, count }: Sending): Promise<number> {
    const source = this.#source(through);
    const seen = new Uint8Array(count);
    const messages: Msg[] = Array.from({ length: count }, (_, n) => ({ payload: n, n }) as never);
    let missing = count;
    return this.#measuring((resolve, reject) => {
      this.#sink.arrived = ({ payload, n, funcx }) => {
        if (payload !== n || seen[n as number] !== 0) reject(new Error(`Message ${n} came with ${payload}.`));
        seen[n as number] = 1;
        if (--missing > 0) return;
        const elapsed = performance.now() - began;
        if (through !== 'pass' && !isSuccess(funcx)) reject(new Error('A message has no funcx property of success.'));
        resolve(elapsed);
      };
      const began = performance.now();
      for (const message of messages) source.send(message);
    });
  }

  /** Sends one after the other, the next when the one before came back. Gives milliseconds, one number a message. */
  inTurn({ through, count, carrying }: Sending & { readonly carrying: PayloadKind }): Promise<number[]> {
    const source = this.#source(through);
    const payloads = Array.from({ length: count }, (_, n) => payload(carrying, n));
    globalThis.gc?.();
    const latencies: number[] = [];
    return this.#measuring((resolve, reject) => {
      const send = (n: number) => {
        const sent = payloads[n] as Payload;
        const message = { payload: sent.value } as Msg;
        this.#sink.arrived = (msg) => {
          latencies.push(performance.now() - began);
          if (!sent.isSame(msg.payload)) reject(new Error(`Message ${n} did not come back with its own value.`));
          if (through !== 'pass' && !isSuccess(msg.funcx)) reject(new Error(`Message ${n} has no funcx of success.`));
          if (latencies.length === count) resolve(latencies);
          else send(n + 1);
        };
        const began = performance.now();
        source.send(message);
      };
      send(0);
    });
  }

  /** Sends one message and gives the payload that comes back. */
  ask({ through, payload }: { readonly through: Way; readonly payload: unknown }): Promise<unknown> {
    const source = this.#source(through);
    return this.#measuring((resolve) => {
      this.#sink.arrived = (msg) => resolve(msg.payload);
      source.send({ payload });
    });
  }

  /** Collects garbage, and lets what runs behind the scenes come to its end: timers, group commits. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc?.();
  }

  async memory(): Promise<Memory> {
    await this.settle();
    const { heapUsed, external, rss } = process.memoryUsage();
    return { heap: heapUsed + external, rss };
  }

  /** Sends messages whose tasks will not end for now. Resolves when they are on disk. */
  async leavePending({ through, count }: Sending): Promise<void> {
    const source = this.#source(through);
    const before = this.#pending;
    for (let n = 0; n < count; n++) source.send({ payload: n });
    await until(() => this.#pending >= before + count);
    await (await this.#client?.client())?.service.durable();
  }

  /** Resolves when no task of the client is pending. */
  async drain(): Promise<void> {
    this.#sink.arrived = () => {};
    await until(() => this.#pending === 0);
    this.#idle();
  }

  /** Bytes of as many messages when they are only kept: in memory, and as a structured clone. */
  async bareMessages(count: number): Promise<{ heap: number; stored: number }> {
    const before = await this.memory();
    const messages = Array.from({ length: count }, (_, n) => ({ payload: n, _msgid: randomBytes(8).toString('hex') }));
    const { heap } = await this.memory();
    return { heap: heap - before.heap, stored: messages.reduce((sum, msg) => sum + serialize(msg).length, 0) };
  }

  /** The flow is deployed, and a client takes up what is in its ledger. Gives milliseconds until it has. */
  async takeUp(flow: readonly FlowNode[], atLeast: number): Promise<number> {
    const began = performance.now();
    await this.deploy(flow);
    await until(() => this.#pending >= atLeast);
    return performance.now() - began;
  }

  /** From now on clients are opened without a ledger; for comparison only. */
  forgoLedger(): void {
    const { FuncXClient } = require(this.#package('lib/client.js')) as typeof import('../../lib/client.js');
    const open = FuncXClient.open;
    FuncXClient.open = ({ ledger: _without, ...options }) => open.call(FuncXClient, options);
  }

  /** Tasks of the client of the flow that have not ended; NaN until it is open. */
  get #pending(): number {
    return this.#client?.counts()?.pending ?? Number.NaN;
  }

  get #client(): ClientNode | null {
    return this.#RED.nodes.getNode('client') as ClientNode | null;
  }

  /** A file of the build that is measured. */
  #package(file: string): string {
    return join(this.#userDir, 'node_modules/@funcx/node-red-funcx/dist', file);
  }

  async startProfile(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.setSamplingInterval', { interval: 200 });
    await this.#session.post('Profiler.start');
  }

  async stopProfile(file: string): Promise<void> {
    const { profile } = await this.#session.post('Profiler.stop');
    this.#session.disconnect();
    writeFileSync(file, JSON.stringify(profile));
  }

  get #RED(): NodeRedModule {
    if (this.#started === undefined) throw new Error('Node-RED is not started.');
    return this.#started;
  }

  get #sink(): SinkNode {
    return this.#RED.nodes.getNode('sink') as SinkNode;
  }

  /** The source, wired to a node. One source and one sink for all ways, so that they cost all the same. */
  #source(through: Way): SourceNode {
    const source = this.#RED.nodes.getNode('source') as SourceNode;
    source.updateWires([[through]]);
    return source;
  }

  async #measuring<T>(work: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
    if (this.#stray !== undefined) throw this.#stray;
    try {
      return await new Promise<T>((resolve, reject) => {
        (this.#RED.nodes.getNode('caught') as SinkNode).arrived = ({ error }) =>
          reject(new Error(`A node failed: ${(error as { message?: string } | undefined)?.message}`));
        work(resolve, reject);
      });
    } finally {
      this.#idle();
    }
  }

  #idle(): void {
    const sink = this.#RED.nodes.getNode('sink') as SinkNode | null;
    // A flow that is about to be replaced has none.
    if (sink === null) return;
    sink.arrived = () => {
      this.#stray ??= new Error('A message came a second time, or after its round was over.');
    };
  }
}

/** Looks every few milliseconds: the client tells of no such event. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

function isSuccess(funcx: unknown): boolean {
  return (funcx as { status?: string } | undefined)?.status === 'success';
}
