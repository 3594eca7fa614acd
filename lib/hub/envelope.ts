/** JSON with bytes beside it in one blob: `u32 length of JSON | JSON {value, tags, sizes} | bytes`. */
import type { OutOfBand, PackedArguments, TaskStatus } from '../compute/service.js';
import { joined } from '../storage/index.js';

interface Head<T> {
  value: T;
  /** Which entry each group of buffers belongs to, its tag, and the sizes of its buffers. */
  beside: [entry: number, tag: string, sizes: number[]][];
}

function write<T>(value: T, beside: readonly (readonly [number, OutOfBand])[]): Uint8Array {
  const head: Head<T> = {
    value,
    beside: beside.map(([entry, { tag, buffers }]) => [entry, tag, buffers.map((buffer) => buffer.byteLength)]),
  };
  const text = Buffer.from(JSON.stringify(head), 'utf8');
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(text.length, 0);
  return joined([length, text, ...beside.flatMap(([, { buffers }]) => buffers)]);
}

function read<T>(blob: Uint8Array): { value: T; beside: Map<number, OutOfBand> } {
  const data = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  let at = 4 + data.readUInt32LE(0);
  const head = JSON.parse(data.toString('utf8', 4, at)) as Head<T>;
  const beside = new Map<number, OutOfBand>();
  for (const [entry, tag, sizes] of head.beside) {
    const buffers = sizes.map((size) => {
      at += size;
      return data.subarray(at - size, at);
    });
    beside.set(entry, { tag, buffers });
  }
  return { value: head.value, beside };
}

/** The arguments of a batch. */
export function writeArguments(args: readonly PackedArguments[]): Uint8Array {
  const beside: [number, OutOfBand][] = [];
  const texts = args.map((packed, index) => {
    if (typeof packed === 'string') return packed;
    beside.push([index, packed]);
    return packed.text;
  });
  return write(texts, beside);
}

export function readArguments(blob: Uint8Array): PackedArguments[] {
  const { value, beside } = read<string[]>(blob);
  return value.map((text, index) => {
    const bytes = beside.get(index);
    return bytes === undefined ? text : { text, ...bytes };
  });
}

/** An ended task. */
export function writeStatus(status: TaskStatus): Uint8Array {
  const { result_buffers, ...rest } = status;
  return write(rest, result_buffers === undefined ? [] : [[0, result_buffers]]);
}

export function readStatus(blob: Uint8Array): TaskStatus {
  const { value, beside } = read<TaskStatus>(blob);
  const bytes = beside.get(0);
  return bytes === undefined ? value : { ...value, result_buffers: bytes };
}
