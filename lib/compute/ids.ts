/** Identifiers of the service: UUIDs, branded so that one kind cannot be passed for another. */
import { randomFillSync } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Kind extends string> = string & { readonly [brand]: Kind };

export type TaskId = Branded<'task'>;
export type FunctionId = Branded<'function'>;
export type EndpointId = Branded<'endpoint'>;
export type TaskGroupId = Branded<'task group'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for the textual form of a UUID, in either case. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** Length of a UUID and of one more character after it. */
const PITCH = 37;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const HIGH = Uint8Array.from(HEX, (pair) => pair.charCodeAt(0));
const LOW = Uint8Array.from(HEX, (pair) => pair.charCodeAt(1));
const HYPHEN = 0x2d;

/**
 * Many new ids (UUIDs of version 4) at once. As text of its own each takes 56 bytes and is hashed as it is;
 * `crypto.randomUUID` puts its text together from parts, which stay in memory, 490 bytes an id, until something needs it whole.
 */
export function newIds<Id extends string>(count: number): Id[] {
  const random = randomBytes(count * 16);
  const text = Buffer.allocUnsafe(count * PITCH);
  const ids: Id[] = [];
  for (let i = 0; i < count; i++) {
    const from = i * 16;
    random[from + 6] = ((random[from + 6] as number) & 0x0f) | 0x40;
    random[from + 8] = ((random[from + 8] as number) & 0x3f) | 0x80;
    let to = i * PITCH;
    for (let at = from; at < from + 16; at++) {
      const byte = random[at] as number;
      text[to++] = HIGH[byte] as number;
      text[to++] = LOW[byte] as number;
      const place = at - from;
      if (place === 3 || place === 5 || place === 7 || place === 9) text[to++] = HYPHEN;
    }
    ids.push(text.toString('latin1', to - 36, to) as Id);
  }
  return ids;
}

/** Asked for in bulk, as asking costs more than giving. */
const pool = Buffer.alloc(4096);
let used = pool.length;

function randomBytes(size: number): Uint8Array {
  if (size > pool.length) return randomFillSync(new Uint8Array(size));
  if (used + size > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += size;
  return pool.subarray(used - size, used);
}
