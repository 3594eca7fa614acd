/** Node-RED's runtime in this process, with the compiled nodes, for one `describe`. */
import type { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Node, NodeAPI, NodeInitializer, NodeStatus } from 'node-red';
import helper from 'node-red-node-test-helper';
import type { FlowNode } from './flow';
import { Inbox } from './inbox';

export const root = resolve(__dirname, '../../..');

export const TYPES = [
  'funcx-client',
  'funcx-function',
  'funcx-register',
  'funcx-run',
  'funcx-batch-run',
  'funcx-get-result',
  'funcx-results',
  'funcx-search',
] as const;

/** Which Node-RED is tested: the name of its package. */
export const NODE_RED = process.env.NR_PKG ?? 'node-red';
const requireOfNodeRed = createRequire(require.resolve(`${NODE_RED}/package.json`));
const { events }: { events: EventEmitter } = requireOfNodeRed('@node-red/util');

helper.init(require.resolve(NODE_RED));

export type Msg = Record<string, unknown>;

/** Starts a runtime for the tests of a suite; each test has a user directory of its own, and its flow is stopped after it. */
export function useRuntime(): Runtime {
  const runtime = new Runtime();
  before(() => helper.startServer());
  after(() => new Promise<void>((done) => void helper.stopServer(() => done())));
  beforeEach(() => runtime.begin());
  afterEach(() => runtime.end());
  return runtime;
}

export class Runtime {
  userDir = '';
  readonly #inboxes = new Map<string, Inbox>();
  readonly #cleanUps: (() => void)[] = [];

  begin(): void {
    this.userDir = mkdtempSync(join(tmpdir(), 'funcx-nodes-'));
    helper.settings({ userDir: this.userDir });
  }

  async end(): Promise<void> {
    await helper.unload();
    for (const cleanUp of this.#cleanUps.splice(0)) cleanUp();
    this.#inboxes.clear();
    rmSync(this.userDir, { recursive: true, force: true });
  }

  /** Starts a flow. @param core node sets of Node-RED itself that it needs, as `sequence/17-split.js` */
  async load(flow: readonly FlowNode[], core: readonly string[] = []): Promise<void> {
    await helper.load([...TYPES.map(nodeSet), ...core.map(coreNodeSet)], flow.map((node) => ({ ...node })) as never);
    this.#listen(flow);
  }

  /** Deploys another flow, as the editor does. */
  async deploy(flow: readonly FlowNode[], type: 'full' | 'flows' | 'nodes'): Promise<void> {
    // A deploy comes by HTTP: never within the turn of the loop in which Node-RED hands a message to its next node.
    await new Promise(setImmediate);
    await helper.setFlows(flow.map((node) => ({ ...node })) as never, type);
    this.#listen(flow);
  }

  /** Stops the flow, as the end of Node-RED does. It can be loaded again, with the same user directory. */
  async stop(): Promise<void> {
    await helper.unload();
  }

  node(id: string): Node {
    return helper.getNode(id);
  }

  send(id: string, msg: Msg): void {
    this.node(id).receive(msg as never);
  }

  /** What arrived at a sink. It is kept across deploys. */
  inbox(id: string): Inbox {
    let inbox = this.#inboxes.get(id);
    if (inbox === undefined) {
      inbox = new Inbox();
      this.#inboxes.set(id, inbox);
    }
    return inbox;
  }

  get out(): Inbox {
    return this.inbox('out');
  }

  get caught(): Inbox {
    return this.inbox('caught');
  }

  /** The statuses that a node shows from now on; the node need not be there yet. */
  statuses(id: string): Inbox<NodeStatus> {
    const inbox = new Inbox<NodeStatus>();
    const listener = (event: { id: string; status?: NodeStatus }) => {
      if (event.id === id && event.status !== undefined) inbox.put(event.status);
    };
    events.on('node-status', listener);
    this.#cleanUps.push(() => events.off('node-status', listener));
    return inbox;
  }

  /** What `RED.events` emits under a name from now on. */
  events(name: string): Inbox {
    const inbox = new Inbox();
    const listener = (event: Msg) => inbox.put(event);
    events.on(name, listener);
    this.#cleanUps.push(() => events.off(name, listener));
    return inbox;
  }

  get request(): ReturnType<typeof helper.request> {
    return helper.request();
  }

  #listen(flow: readonly FlowNode[]): void {
    for (const { id, type } of flow) {
      const node = helper.getNode(id) as (Node & { listening?: boolean }) | null;
      if (type !== 'helper' || !node || node.listening) continue;
      node.listening = true;
      node.on('input', (msg, _send, done) => {
        this.inbox(id).put(msg);
        done();
      });
    }
  }
}

/** A compiled node set. The helper's `RED._` only repeats keys: this one reads the catalogue that is shipped. */
function nodeSet(type: string): NodeInitializer {
  const initialize: NodeInitializer = require(join(root, 'dist/nodes', type, `${type}.js`));
  return (RED: NodeAPI) => {
    RED._ = translate as NodeAPI['_'];
    return initialize(RED);
  };
}

function coreNodeSet(file: string): NodeInitializer {
  return requireOfNodeRed(`@node-red/nodes/core/${file}`);
}

const MODULE = '@funcx/node-red-funcx/';

function translate(key: string, values: Record<string, string | number> = {}): string {
  const [set = '', path = ''] = key.slice(MODULE.length).split(':');
  const file = join(root, 'nodes', set, 'locales/en-US', `${set}.json`);
  const catalogue: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const text = path.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown>)?.[name], catalogue);
  if (typeof text !== 'string') throw new Error(`The catalogue of ${set} has no text for ${path}.`);
  return text.replace(/__(\w+)__/g, (_, name: string) => String(values[name]));
}
