/**
 * One page of the ledger as bytes: the structured clone of its entries, which keeps what a message may hold (Buffers,
 * dates, big integers, maps, circular references), each parcel as its owner makes it storable.
 */
import { deserialize, serialize } from 'node:v8';
import { FuncXError } from '../compute/errors.js';

/** Makes what an owner wants back storable, and that again from what was stored. */
export interface ParcelCodec {
  /** Gives what is to be cloned: cheap, without what is known not to be storable. */
  encode(parcel: unknown): unknown;
  /** Gives what can be cloned, whatever it takes: used where the clone of {@link encode}'s value fails. */
  reduce(parcel: unknown): unknown;
  decode(stored: unknown): unknown;
}

/** Raised when the layout changes; a page of a newer one is not read. */
const VERSION = 1;

interface Stored<Record> {
  readonly version: number;
  readonly records: readonly Record[];
  readonly parcels: readonly unknown[];
}

/** Throws where a parcel cannot be cloned even as reduced. */
export function writePage<Record>(records: readonly Record[], parcels: readonly unknown[], codec: ParcelCodec): Buffer {
  try {
    return serialize({ version: VERSION, records, parcels: parcels.map((parcel) => codec.encode(parcel)) });
  } catch {
    return serialize({ version: VERSION, records, parcels: parcels.map((parcel) => storable(parcel, codec)) });
  }
}

/** One parcel that cannot be cloned must not take anything from the others of its page. */
function storable(parcel: unknown, codec: ParcelCodec): unknown {
  try {
    const encoded = codec.encode(parcel);
    serialize(encoded);
    return encoded;
  } catch {
    return codec.reduce(parcel);
  }
}

/** Throws STORE_FAILED for a page that this version cannot read. */
export function readPage<Record>(
  blob: Uint8Array,
  codec: ParcelCodec,
): { records: readonly Record[]; parcels: readonly unknown[] } {
  const stored = deserialize(blob) as Stored<Record>;
  if (stored.version !== VERSION) {
    throw new FuncXError(
      'STORE_FAILED',
      `It was written by a newer version (layout ${stored.version}, this one reads ${VERSION}).`,
    );
  }
  return { records: stored.records, parcels: stored.parcels.map((parcel) => codec.decode(parcel)) };
}
