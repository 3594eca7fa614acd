/**
 * One page of the ledger as bytes: the structured clone of its entries, which keeps what a message may hold (Buffers,
 * dates, big integers, maps, circular references), each parcel as its owner makes it storable. What entries have in common
 * is written once, and what their calls have in columns: a page is written while results are waited for.
 */
import { serialize } from 'node:v8';
import { FuncXError } from '../compute/errors.js';
import type { EndpointId, FunctionId, TaskGroupId, TaskId } from '../compute/ids.js';
import type { PackedArguments } from '../compute/service.js';
import { readClone, writeClone } from './clone.js';
import type { Entry, EntryCall, EntryOptions } from './entry.js';

/** Makes what an owner wants back storable, and that again from what was stored. */
export interface ParcelCodec {
  /** Gives what is to be cloned: cheap, without what is known not to be storable. */
  encode(parcel: unknown): unknown;
  /** Gives what can be cloned, whatever it takes: used where the clone of {@link encode}'s value fails. */
  reduce(parcel: unknown): unknown;
  decode(stored: unknown): unknown;
}

/** Raised when the layout changes; older ones are read, a newer one is not. */
const VERSION = 2;

/** What entries of one node have in common. */
interface Kind {
  readonly owner: string;
  readonly watching: boolean;
  readonly functionId: FunctionId;
  readonly endpointId: EndpointId;
  readonly options: EntryOptions;
}

/** What a page says of one entry. */
export interface EntryRecord extends Kind {
  /** Unix milliseconds. */
  readonly acceptedAt: number;
  readonly packed: readonly PackedArguments[];
  readonly taskIds: readonly (TaskId | undefined)[];
  readonly groupIds: readonly (TaskGroupId | undefined)[];
  /** Tries of each call, and how many of them were interrupted; absent where its task id says all that there is to know. */
  readonly tries?: readonly (Tries | undefined)[] | undefined;
}

type Tries = readonly [tries: number, interruptions: number];

/** Layout 1 had whole records. */
interface FirstLayout {
  readonly version: 1;
  readonly records: readonly EntryRecord[];
  readonly parcels: readonly unknown[];
}

interface Columns {
  readonly version: typeof VERSION;
  readonly kinds: readonly Kind[];
  /** Of each entry three numbers: its kind, when it was accepted, how many calls it has. */
  readonly entries: readonly number[];
  /** Of each call; the ids are joined by spaces, empty where there is none. */
  readonly packed: readonly PackedArguments[];
  readonly taskIds: string;
  readonly groups: readonly TaskGroupId[];
  /** Of each call: its place in `groups`, -1 where it has none. */
  readonly groupOf: readonly number[];
  /** Of the calls of whose tries there is more to know than their task ids say, by the place of the call. */
  readonly tries: ReadonlyMap<number, Tries>;
  readonly parcels: readonly unknown[];
}

/** Throws where a parcel cannot be cloned even as reduced. */
export function writePage(entries: readonly Entry[], codec: ParcelCodec): Uint8Array {
  const columns = columnsOf(entries);
  try {
    return writeClone({ ...columns, parcels: entries.map(({ parcel }) => codec.encode(parcel)) });
  } catch {
    return writeClone({ ...columns, parcels: entries.map(({ parcel }) => storable(parcel, codec)) });
  }
}

/** Throws STORE_FAILED for a page that this version cannot read. */
export function readPage(
  blob: Uint8Array,
  codec: ParcelCodec,
): { records: readonly EntryRecord[]; parcels: readonly unknown[] } {
  const stored = readClone(blob) as FirstLayout | Columns | { readonly version: unknown };
  const parcels = () => (stored as Columns).parcels.map((parcel) => codec.decode(parcel));
  switch (stored.version) {
    case 1:
      return { records: (stored as FirstLayout).records, parcels: parcels() };
    case VERSION:
      return { records: recordsIn(stored as Columns), parcels: parcels() };
    default:
      throw new FuncXError(
        'STORE_FAILED',
        `It was written by a newer version (layout ${stored.version}, this one reads ${VERSION}).`,
      );
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

function columnsOf(entries: readonly Entry[]): Omit<Columns, 'parcels'> {
  const kinds: Kind[] = [];
  const numbers: number[] = [];
  const packed: PackedArguments[] = [];
  const taskIds: string[] = [];
  const groups: TaskGroupId[] = [];
  const groupOf: number[] = [];
  const tries = new Map<number, Tries>();
  for (const entry of entries) {
    const { calls } = entry;
    numbers.push(kindOf(entry, kinds), entry.acceptedAt, calls.length);
    for (const call of calls) {
      if (wasTried(call)) tries.set(packed.length, [call.tries, call.interruptions]);
      packed.push(call.packed);
      taskIds.push(call.taskId ?? '');
      groupOf.push(placeOf(call.groupId, groups));
    }
  }
  return { version: VERSION, kinds, entries: numbers, packed, taskIds: taskIds.join(' '), groups, groupOf, tries };
}

/** The place of an entry's kind among those of the page. Neighbours mostly have the same. */
function kindOf({ owner, watching, functionId, endpointId, options }: Entry, kinds: Kind[]): number {
  const last = kinds.at(-1);
  if (
    last?.owner !== owner ||
    last.options !== options ||
    last.functionId !== functionId ||
    last.endpointId !== endpointId ||
    last.watching !== watching
  ) {
    kinds.push({ owner, watching, functionId, endpointId, options });
  }
  return kinds.length - 1;
}

function placeOf(group: TaskGroupId | undefined, groups: TaskGroupId[]): number {
  if (group === undefined) return -1;
  const place = groups.lastIndexOf(group);
  return place < 0 ? groups.push(group) - 1 : place;
}

/** Whether there is more to know of its tries than its task id says. */
function wasTried({ tries, taskId }: EntryCall): boolean {
  return tries > 1 || (tries === 1 && taskId === undefined);
}

function recordsIn({ kinds, entries, packed, taskIds, groups, groupOf, tries }: Columns): EntryRecord[] {
  const ids = taskIds.split(' ');
  const records: EntryRecord[] = [];
  let from = 0;
  for (let at = 0; at < entries.length; at += 3) {
    const [kind, acceptedAt = 0, count = 0] = entries.slice(at, at + 3);
    const to = from + count;
    const places = Array.from({ length: count }, (_, index) => from + index);
    records.push({
      ...(kinds[kind ?? 0] as Kind),
      acceptedAt,
      packed: packed.slice(from, to),
      taskIds: ids.slice(from, to).map((id) => (id === '' ? undefined : (id as TaskId))),
      groupIds: groupOf.slice(from, to).map((group) => groups[group]),
      tries: places.map((place) => tries.get(place)),
    });
    from = to;
  }
  return records;
}
