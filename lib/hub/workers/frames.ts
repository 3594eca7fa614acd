/** The bytes between the pool and `worker.py`; the layout is described there. All numbers are little endian. */
import type { OutOfBand, PackedArguments } from '../../compute/service.js';

/** Kinds of frames to a worker. */
export const FrameKind = { configure: 0, function: 1, tasks: 2, taskWithBytes: 3, forget: 4 } as const;

/** Kinds of records from a worker. */
export const RecordKind = {
  hello: 0,
  result: 1,
  exception: 2,
  tooLarge: 3,
  unserializable: 4,
  unloadable: 5,
  returned: 6,
} as const;

/** Length of a record's length field. */
const LENGTH_BYTES = 4;

/** Length of the fixed part of a record, after its length field. */
const RECORD_BYTES = 29;

/** More than the largest result, its output and an exception have together. */
const MAX_RECORD_BYTES = 32 * 1024 * 1024;

/** Texts longer than this travel raw in a frame of their own instead of as a JSON string. Unit: UTF-16 units. */
const RAW_TEXT_LENGTH = 4096;

/** How one task ended, as the worker says. */
export interface WorkerRecord {
  readonly seq: number;
  readonly kind: number;
  /** Unix seconds. */
  readonly start: number;
  /** Unix seconds. */
  readonly end: number;
  /** The serialized result, or the text of the exception. */
  readonly body: string;
  readonly output: string;
  readonly bytes: OutOfBand | undefined;
}

/** A frame whose payload is JSON. */
export function jsonFrame(kind: number, value: unknown): Buffer {
  const text = JSON.stringify(value);
  const size = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(5 + size);
  frame.writeUInt32LE(size + 1, 0);
  frame[4] = kind;
  frame.write(text, 5, 'utf8');
  return frame;
}

/** Frames of consecutive tasks of one function, numbered from `first`. */
export function taskFrames(
  functionKey: number,
  first: number,
  ids: readonly string[],
  args: readonly PackedArguments[],
): Buffer[] {
  const frames: Buffer[] = [];
  /** Those up to `to` that have no frame yet. */
  let from = 0;
  const together = (to: number) => {
    if (to > from) {
      frames.push(jsonFrame(FrameKind.tasks, [functionKey, first + from, ids.slice(from, to), args.slice(from, to)]));
    }
    from = to + 1;
  };
  for (let i = 0; i < ids.length; i++) {
    const packed = args[i] ?? '';
    if (typeof packed === 'string' && packed.length <= RAW_TEXT_LENGTH) continue;
    together(i);
    frames.push(...rawFrame(functionKey, first + i, ids[i] ?? '', packed));
  }
  together(ids.length);
  return frames;
}

function rawFrame(key: number, seq: number, id: string, packed: PackedArguments): Buffer[] {
  const text = Buffer.from(typeof packed === 'string' ? packed : packed.text, 'utf8');
  const bytes: OutOfBand = typeof packed === 'string' ? { tag: '', buffers: [] } : packed;
  const sizes = bytes.buffers.map((buffer) => buffer.byteLength);
  const header = Buffer.from(JSON.stringify({ key, seq, id, text: text.length, tag: bytes.tag, sizes }), 'utf8');
  const prefix = Buffer.allocUnsafe(9);
  const total = 5 + header.length + text.length + sizes.reduce((sum, size) => sum + size, 0);
  prefix.writeUInt32LE(total, 0);
  prefix[4] = FrameKind.taskWithBytes;
  prefix.writeUInt32LE(header.length, 5);
  return [
    prefix,
    header,
    text,
    ...bytes.buffers.map((buffer) => Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength)),
  ];
}

/** Cuts a stream of chunks into records. */
export class RecordReader {
  /**
   * The beginning of a record that has not come whole, in a place of the record's size, so that a large one is copied no
   * more than once. While its size is not known either, a place for that.
   */
  #begun: Buffer | undefined;
  /** Bytes of the place that are filled. */
  #filled = 0;

  /** Takes what arrived and calls `each` for every record that is whole now. */
  push(chunk: Buffer, each: (record: WorkerRecord) => void): void {
    let at = 0;
    while (this.#begun !== undefined) {
      const place = this.#begun;
      const count = chunk.copy(place, this.#filled, at);
      at += count;
      this.#filled += count;
      if (this.#filled < place.length) return;
      this.#begun = undefined;
      if (place.length === LENGTH_BYTES) this.#begin(place);
      else readRecords(place, each);
    }
    const whole = at + readRecords(chunk.subarray(at), each);
    if (whole < chunk.length) this.#begin(chunk.subarray(whole));
  }

  #begin(start: Buffer): void {
    this.#begun = Buffer.allocUnsafe(start.length < LENGTH_BYTES ? LENGTH_BYTES : recordSize(start, 0));
    this.#filled = start.copy(this.#begun);
  }
}

/**
 * Calls `each` for every whole record of `data`; gives the offset of the first that is not. Throws for what no worker
 * writes: user code can reach the stream if it wants to.
 */
export function readRecords(data: Buffer, each: (record: WorkerRecord) => void): number {
  let at = 0;
  while (data.length - at >= LENGTH_BYTES) {
    const end = at + recordSize(data, at);
    if (end > data.length) break;
    each(readRecord(data, at + LENGTH_BYTES, end));
    at = end;
  }
  return at;
}

/** Size of the record at an offset, with its length field. */
function recordSize(data: Buffer, at: number): number {
  const size = LENGTH_BYTES + data.readUInt32LE(at);
  if (size < LENGTH_BYTES + RECORD_BYTES || size > MAX_RECORD_BYTES) throw new RangeError('no record');
  return size;
}

function readRecord(data: Buffer, at: number, end: number): WorkerRecord {
  const kind = data[at + 4] ?? -1;
  const extraEnd = at + RECORD_BYTES + data.readUInt32LE(at + 21);
  const bodyEnd = extraEnd + data.readUInt32LE(at + 25);
  const ascii = kind === RecordKind.result || kind === RecordKind.hello;
  const extra =
    extraEnd === at + RECORD_BYTES
      ? NO_EXTRA
      : (JSON.parse(data.toString('latin1', at + RECORD_BYTES, extraEnd)) as Extra);
  return {
    seq: data.readUInt32LE(at),
    kind,
    start: data.readDoubleLE(at + 5),
    end: data.readDoubleLE(at + 13),
    body: data.toString(ascii ? 'latin1' : 'utf8', extraEnd, bodyEnd),
    output: extra.output,
    bytes: extra.sizes.length === 0 ? undefined : cutBytes(data.subarray(bodyEnd, end), extra),
  };
}

const NO_EXTRA: Extra = { output: '', tag: '', sizes: [] };

interface Extra {
  output: string;
  tag: string;
  sizes: number[];
}

function cutBytes(data: Buffer, { tag, sizes }: Extra): OutOfBand {
  // A view on a chunk that was filled by these bytes is as good as a copy; a small one would keep the chunk alive.
  const own = data.length * 2 >= data.buffer.byteLength ? data : Buffer.from(data);
  let at = 0;
  const buffers = sizes.map((size) => {
    at += size;
    return own.subarray(at - size, at);
  });
  return { tag, buffers };
}
