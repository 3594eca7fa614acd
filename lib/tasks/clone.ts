/**
 * The structured clone of a value with large bytes beside it, which are copied once instead of with every growth of the
 * clone: `u8 2 | u8 beside | clone`, and where there are bytes beside it `| bytes | u32 length up to the bytes`.
 */
import { DefaultDeserializer, DefaultSerializer, deserialize } from 'node:v8';
import { joined } from '../storage/index.js';

/** Bytes from this size on are beside the clone. */
const BESIDE_MIN = 64 * 1024;

/** First byte. That of a bare clone is 255. */
const MARK = 2;

/** What comes before bytes in the clone. */
const Bytes = { within: 0, beside: 1 } as const;

class Writer extends DefaultSerializer {
  readonly beside: Uint8Array[] = [];

  _writeHostObject(view: NodeJS.ArrayBufferView): void {
    if (!(view instanceof Uint8Array) || view.byteLength < BESIDE_MIN) {
      this.writeUint32(Bytes.within);
      // @ts-expect-error It is there, and left out of the types.
      super._writeHostObject(view);
      return;
    }
    this.writeUint32(Bytes.beside);
    this.writeUint32(view.byteLength);
    this.writeUint32(Buffer.isBuffer(view) ? 1 : 0);
    this.beside.push(view);
  }
}

class Reader extends DefaultDeserializer {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(clone: Buffer, bytes: Buffer) {
    super(clone);
    this.#bytes = bytes;
  }

  _readHostObject(): unknown {
    // @ts-expect-error It is there, and left out of the types.
    if (this.readUint32() === Bytes.within) return super._readHostObject();
    const size = this.readUint32();
    const isBuffer = this.readUint32() === 1;
    const bytes = this.#bytes.subarray(this.#at, this.#at + size);
    if (bytes.length < size) throw new RangeError('The bytes beside the clone were cut.');
    this.#at += size;
    // Its own: what is read stays longer than the page.
    return isBuffer ? Buffer.from(bytes) : Uint8Array.from(bytes);
  }
}

/** Throws what the structured clone throws for a value that cannot be cloned. */
export function writeClone(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.writeRawBytes(Uint8Array.of(MARK, 0));
  writer.writeHeader();
  writer.writeValue(value);
  const clone = writer.releaseBuffer();
  if (writer.beside.length === 0) return clone;
  clone[1] = 1;
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(clone.length, 0);
  return joined([clone, ...writer.beside, length]);
}

/** Reads what {@link writeClone} has written, or a bare clone. Throws for anything else. */
export function readClone(stored: Uint8Array): unknown {
  const data = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  if (data[0] !== MARK) return deserialize(data);
  const end = data.length - 4;
  const to = data[1] === 1 && end > 2 ? data.readUInt32LE(end) : data.length;
  const reader = new Reader(data.subarray(2, to), data.subarray(to, end));
  reader.readHeader();
  return reader.readValue();
}
