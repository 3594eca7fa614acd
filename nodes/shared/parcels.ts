/** Messages on their way to the ledger and back. */
import { serialize } from 'node:v8';
import type { ParcelCodec } from '../../lib/tasks/ledger-page.js';
import { Job } from './job.js';
import type { Message } from './types.js';

/** What the http nodes put on a message and cannot be stored; it comes back only while the process lives. */
const CONNECTION: readonly string[] = ['req', 'res'];

export const MESSAGE_PARCELS: ParcelCodec = {
  encode: (parcel) => withoutConnection(messageOf(parcel)),
  reduce: (parcel) => storable(withoutConnection(messageOf(parcel))),
  decode: (stored) => stored,
};

/** The message of a parcel, which is a job of this process or a message of an earlier one. */
export function messageOf(parcel: unknown): Message {
  return parcel instanceof Job ? parcel.msg : (parcel as Message);
}

function withoutConnection(msg: Message): Message {
  if (!CONNECTION.some((name) => name in msg)) return msg;
  const kept = { ...msg };
  for (const name of CONNECTION) delete (kept as Record<string, unknown>)[name];
  return kept;
}

/** The message without the properties that cannot be stored, such as functions and sockets. */
function storable(msg: Message): Message {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(msg)) {
    try {
      serialize(value);
      kept[name] = value;
    } catch {
      // It stays in memory, as long as the process lives.
    }
  }
  return kept as unknown as Message;
}
