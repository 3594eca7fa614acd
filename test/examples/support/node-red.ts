/** A real Node-RED in a process of its own, with this package linked into it, into which examples are imported. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { name as packageName } from '../../../package.json';
import { prepareUserFolder } from '../../../tools/start/user-folder';
import { Inbox } from '../../nodes/support/inbox';

export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly payload?: string;
  readonly wires?: readonly (readonly string[])[];
  readonly [property: string]: unknown;
}

type Notice =
  | { readonly url: string }
  | { readonly watching: true }
  | { readonly started: true }
  | { readonly complaint: string }
  | { readonly id: string; readonly msg: Record<string, unknown> };

/** Starts one Node-RED for the tests of a suite. */
export function useNodeRed(): NodeRed {
  const red = new NodeRed();
  before(async function () {
    this.timeout(60_000);
    await red.start();
  });
  after(() => red.stop());
  return red;
}

export class NodeRed {
  /** Warnings and errors in the log of Node-RED. */
  readonly complaints: string[] = [];
  readonly #userDir = mkdtempSync(join(tmpdir(), 'funcx-examples-'));
  readonly #inboxes = new Map<string, Inbox>();
  #child: ChildProcess | undefined;
  #url = '';
  #flow: readonly FlowNode[] = [];

  async start(): Promise<void> {
    prepareUserFolder(this.#userDir, '[]');
    const child = fork(join(__dirname, 'child.ts'), [this.#userDir], {
      execArgv: ['--require', require.resolve('tsx/cjs')],
      serialization: 'advanced',
    });
    this.#child = child;
    child.on('message', (notice: Notice) => {
      if ('url' in notice) this.#url = notice.url;
      else if ('complaint' in notice) this.complaints.push(notice.complaint);
      else if ('id' in notice) this.#inboxes.get(notice.id)?.put(notice.msg);
    });
    await Promise.all([this.#told('url'), this.#told('started')]);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child?.connected) {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    }
    rmSync(this.#userDir, { recursive: true, force: true });
  }

  /** Names of this package's flows in the Import menu. */
  async examples(): Promise<string[]> {
    const menu = await this.#request(`library/examples/flows/${packageName}`);
    const entries = (await menu.json()) as { fn: string }[];
    return entries.map(({ fn }) => fn);
  }

  /** Imports an example from the menu and deploys it, alone. */
  async load(example: string, change = (flow: readonly FlowNode[]) => flow): Promise<void> {
    const path = `library/examples/flows/${packageName}/${encodeURIComponent(example)}`;
    this.#flow = change((await (await this.#request(path)).json()) as FlowNode[]);
    this.#inboxes.clear();
    for (const { id, type } of this.#flow) if (type === 'debug') this.#inboxes.set(id, new Inbox());
    const watching = this.#told('watching');
    this.#child?.send([...this.#inboxes.keys()]);
    await watching;
    const started = this.#told('started');
    await this.#request('flows', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'Node-RED-Deployment-Type': 'full' },
      body: JSON.stringify(this.#flow),
    });
    await started;
  }

  /** Presses the button of an inject node. */
  async press(name: string): Promise<void> {
    await this.#request(`inject/${this.#named('inject', name).id}`, { method: 'POST' });
  }

  /** What comes to a debug node. */
  at(name: string): Inbox {
    const inbox = this.#inboxes.get(this.#named('debug', name).id);
    assert.ok(inbox);
    return inbox;
  }

  /** A node by what it shows: its name or, of an inject node without one, its payload. */
  #named(type: string, name: string): FlowNode {
    const node = this.#flow.find((each) => each.type === type && (each.name || each.payload) === name);
    assert.ok(node, `the example has no ${type} node called ${name}`);
    return node;
  }

  /** Waits for a notice of the process. */
  #told(kind: 'url' | 'watching' | 'started'): Promise<void> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error(`Node-RED ended. ${this.complaints.join('\n')}`));
      const heard = (notice: Notice) => {
        if (!(kind in notice)) return;
        child?.off('message', heard);
        child?.off('exit', ended);
        resolve();
      };
      child?.on('message', heard);
      child?.on('exit', ended);
    });
  }

  async #request(path: string, options: RequestInit = {}): Promise<Response> {
    const response = await fetch(`${this.#url}/${path}`, options);
    assert.ok(response.ok, `${path}: ${response.status}`);
    return response;
  }
}
