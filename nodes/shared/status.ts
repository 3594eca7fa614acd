/** The statuses of the nodes of one client: what each is doing, shown at most twice a second by one ticker. */
import type { Node, NodeAPI, NodeStatus } from 'node-red';
import { reasonOf } from './errors.js';
import type { StatusBoard, StatusLine } from './types.js';

/** Statuses change at most this often, so that no browser is flooded. Unit: milliseconds. */
const INTERVAL_MS = 500;

/** A first change is shown after this time: most tasks have ended by then, and need not be shown running. */
const FIRST_MS = 100;

/** Reasons for a failure that mean that there was no room. */
const FULL: ReadonlySet<string> = new Set(['QUEUE_FULL', 'DROPPED']);

/** What the statuses tell of the client. */
export interface ClientState {
  /** The client is not open yet: messages wait for it. */
  readonly opening: boolean;
  /** Tasks that a worker has begun. */
  readonly running: number;
  /** Tasks that wait or run. */
  readonly pending: number;
  /** Tasks that are not accepted yet, because there is no room. */
  readonly blocked: number;
}

export class Statuses implements StatusBoard {
  readonly #lines = new Set<Line>();
  readonly #changed = new Set<Line>();
  #timer: NodeJS.Timeout | undefined;
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly RED: NodeAPI,
    readonly state: () => Promise<ClientState>,
    /** Told whenever statuses are shown. */
    readonly onShown: () => void = () => {},
  ) {}

  add(node: Node): StatusLine {
    const line = new Line(this, node);
    this.#lines.add(line);
    return line;
  }

  /** The client cannot be opened: none of its nodes can work. */
  failed(error: unknown): void {
    for (const line of this.#lines) line.failed(error);
  }

  /** Shows a change soon. */
  mark(line: Line): void {
    this.#changed.add(line);
    this.#timer ??= this.#schedule();
  }

  forget(line: Line): void {
    this.#lines.delete(line);
    this.#changed.delete(line);
  }

  #schedule(): NodeJS.Timeout {
    const wait = Math.max(FIRST_MS, this.#shownAt + INTERVAL_MS - performance.now());
    return setTimeout(() => void this.#show(), wait).unref();
  }

  async #show(): Promise<void> {
    const state = await this.state();
    this.#shownAt = performance.now();
    for (const line of this.#changed) {
      // The client's numbers change without the node's doing: a node with tasks under way is looked at again.
      if (!line.show(state)) this.#changed.delete(line);
    }
    this.onShown();
    this.#timer = this.#changed.size > 0 ? this.#schedule() : undefined;
  }
}

type Outcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'done'; readonly ms: number | undefined }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'full' }
  | { readonly kind: 'pending'; readonly state: string };

class Line implements StatusLine {
  #inFlight = 0;
  #last: Outcome = { kind: 'none' };
  #shown = '';

  constructor(
    readonly board: Statuses,
    readonly node: Node,
  ) {}

  started(tasks: number): void {
    this.#inFlight += tasks;
    this.board.mark(this);
  }

  ended(tasks: number): void {
    this.#inFlight -= tasks;
    this.board.mark(this);
  }

  succeeded(ms: number | undefined): void {
    this.#end({ kind: 'done', ms });
  }

  failed(error: unknown): void {
    const reason = reasonOf(error);
    this.#end(FULL.has(reason) ? { kind: 'full' } : { kind: 'failed', reason });
  }

  pending(state: string): void {
    this.#end({ kind: 'pending', state });
  }

  remove(): void {
    this.board.forget(this);
    this.node.status({});
  }

  #end(outcome: Outcome): void {
    this.#last = outcome;
    this.board.mark(this);
  }

  /** Shows the status if it is another than before. @returns whether it may change without the node's doing */
  show(state: ClientState): boolean {
    const status = this.#status(state);
    const key = `${status.fill}${status.shape}${status.text}`;
    if (key !== this.#shown) {
      this.#shown = key;
      this.node.status(status);
    }
    return this.#inFlight > 0;
  }

  /** The last failure stays until the next success, even while other tasks are under way. */
  #status(state: ClientState): NodeStatus {
    const { RED } = this.board;
    const last = this.#last;
    switch (last.kind) {
      case 'failed': {
        const { reason } = last;
        return red(RED._('@funcx/node-red-funcx/funcx-client:funcx-client.status.failed', { reason }));
      }
      case 'full':
        return this.#full(Math.max(state.pending, this.#inFlight));
      default:
        if (this.#inFlight > 0) return this.#atWork(state);
        if (last.kind === 'pending') {
          return yellow(RED._('@funcx/node-red-funcx/funcx-client:funcx-client.status.pending', { state: last.state }));
        }
        return last.kind === 'done' ? green(this.#done(last.ms)) : {};
    }
  }

  /** Which of the client's running tasks are this node's is not known; as many as can be are taken to be. */
  #atWork(state: ClientState): NodeStatus {
    const { RED } = this.board;
    if (state.opening) return yellow(RED._('@funcx/node-red-funcx/funcx-client:funcx-client.status.starting'));
    if (state.blocked > 0) return this.#full(this.#inFlight);
    const running = Math.min(this.#inFlight, state.running);
    const queued = this.#inFlight - running;
    if (queued === 0) return blue(RED._('@funcx/node-red-funcx/funcx-client:funcx-client.status.running', { running }));
    if (running === 0) return blue(RED._('@funcx/node-red-funcx/funcx-client:funcx-client.status.queued', { queued }));
    return blue(RED._('@funcx/node-red-funcx/funcx-client:funcx-client.status.working', { running, queued }));
  }

  #full(queued: number): NodeStatus {
    return yellow(this.board.RED._('@funcx/node-red-funcx/funcx-client:funcx-client.status.full', { queued }));
  }

  /** Of some work there is no duration, such as of a task that was only handed over. */
  #done(ms: number | undefined): string {
    const { RED } = this.board;
    if (ms === undefined) return RED._('@funcx/node-red-funcx/funcx-client:funcx-client.status.done');
    return RED._('@funcx/node-red-funcx/funcx-client:funcx-client.status.done-in', { seconds: seconds(ms) });
  }
}

function red(text: string): NodeStatus {
  return { fill: 'red', shape: 'ring', text };
}

function yellow(text: string): NodeStatus {
  return { fill: 'yellow', shape: 'ring', text };
}

function blue(text: string): NodeStatus {
  return { fill: 'blue', shape: 'dot', text };
}

function green(text: string): NodeStatus {
  return { fill: 'green', shape: 'dot', text };
}

/** The status of a node that has no client to work with. */
export function showNoClient(RED: NodeAPI, node: Node): void {
  node.status({
    fill: 'grey',
    shape: 'ring',
    text: RED._('@funcx/node-red-funcx/funcx-client:funcx-client.status.no-client'),
  });
}

/** Seconds with the digits that mean something: `0.002`, `0.2`, `12.5`, `340`. */
function seconds(ms: number): string {
  if (ms < 95) return String(Number((ms / 1000).toPrecision(1)));
  return ms < 100_000 ? (ms / 1000).toFixed(1) : String(Math.round(ms / 1000));
}
