/**
 * Bytes beside the text. JSON has no form for bytes, and base64 costs a third more; a service that can carry them
 * (`ServiceCapabilities.rawBytes`) gets the text with a reference in the place of each buffer, and the buffers.
 */
import { randomBytes } from 'node:crypto';
import { SerializationError } from '../compute/errors.js';
import type { OutOfBand } from '../compute/service.js';
import { setOwnMember } from './own-member.js';

/**
 * Gathers the buffers of one payload while its text is written. Buffers are kept by reference, not copied: whoever
 * changes one before it was sent changes what is sent.
 */
export class BufferCollector implements OutOfBand {
  readonly buffers: Uint8Array[] = [];
  #tag: string | undefined;

  /** New for every payload and unguessable, so that no data of a user's can pass for a reference. */
  get tag(): string {
    this.#tag ??= `$bytes:${randomBytes(16).toString('hex')}`;
    return this.#tag;
  }

  /** Takes the bytes and gives the JSON text that refers to them. */
  add(bytes: Uint8Array): string {
    return `{"${this.tag}":${this.buffers.push(bytes) - 1}}`;
  }
}

/**
 * Puts the buffers back in the place of their references, inside the value itself.
 *
 * @param value what was read from JSON: a tree of plain objects and arrays
 * @returns the value, or the buffer if the value is nothing but a reference
 * @throws SerializationError `NOT_DESERIALIZABLE` for a reference to a buffer that is not there
 */
export function restoreBuffers(value: unknown, outOfBand: OutOfBand): unknown {
  if (outOfBand.buffers.length === 0) return value;
  const root = [value];
  // A list of what is still to be looked at, not recursion: the text may be nested deeper than the call stack goes.
  const pending: object[] = [root];

  /** The buffer that the member refers to; undefined for any other member, which is looked into later. */
  function bufferOf(member: unknown): Buffer | undefined {
    if (typeof member !== 'object' || member === null) return undefined;
    if (Object.hasOwn(member, outOfBand.tag)) return referredBuffer(member, outOfBand);
    pending.push(member);
    return undefined;
  }

  for (let container = pending.pop(); container !== undefined; container = pending.pop()) {
    if (Array.isArray(container)) {
      for (let i = 0; i < container.length; i++) container[i] = bufferOf(container[i]) ?? container[i];
    } else {
      for (const [key, member] of Object.entries(container)) {
        const buffer = bufferOf(member);
        if (buffer) setOwnMember(container, key, buffer);
      }
    }
  }
  return root[0];
}

function referredBuffer(reference: object, { tag, buffers }: OutOfBand): Buffer {
  const index: unknown = Reflect.get(reference, tag);
  const bytes = typeof index === 'number' ? buffers[index] : undefined;
  if (bytes === undefined) {
    throw new SerializationError(
      'NOT_DESERIALIZABLE',
      `The text refers to buffer ${JSON.stringify(index)}, but ${buffers.length} came with it.`,
    );
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
