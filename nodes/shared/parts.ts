/** `msg.parts`: what lets Join put messages together again. */
import type { NodeAPI } from 'node-red';
import type { Message } from './types.js';

/** Marks a message as one of several of an array. Parts that are already there are nested, as core's Split nests them. */
export interface Parts {
  readonly id: string;
  readonly index: number;
  readonly count: number;
  readonly type: 'array';
  /** Where Join puts the joined array; absent for `payload`. */
  readonly property?: string;
  readonly parts?: unknown;
}

/**
 * Makes the messages that one message becomes: each a message of its own with everything of the first but its target,
 * which a result takes the place of.
 */
export class Parting {
  readonly #base: Message;
  readonly #outer: unknown;

  constructor(
    readonly RED: NodeAPI,
    msg: Message,
    readonly id: string,
    readonly target: string,
    readonly count: number,
  ) {
    const { parts, ...base } = msg;
    this.#outer = parts;
    // The array worked on is usually in the target. Cloned into every message it would cost the square of its length.
    if (target in base) delete (base as Record<string, unknown>)[target];
    this.#base = base;
  }

  message(index: number): Message {
    const message = this.RED.util.cloneMessage(this.#base);
    const parts: Record<string, unknown> = { id: this.id, index, count: this.count, type: 'array' };
    if (this.target !== 'payload') parts.property = this.target;
    if (this.#outer !== undefined) parts.parts = this.RED.util.cloneMessage(this.#outer as Message);
    return Object.assign(message, { parts });
  }
}
