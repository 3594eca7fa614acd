import { SerializationError } from '../../compute/errors.js';
import { decodeText } from './text.js';

const LINE_FEED = 0x0a;

/** Up to here characters are put together here, which is faster than the call to Node's decoder. */
const SHORT_TEXT = 4;

/** Bytes up to this length are copied, so that a small value does not keep all of its pickle in memory. */
const COPIED_BYTES = 65_536;

/** Bytes being read. Every method takes what it gives, and throws where the bytes end before. */
export class ByteSource {
  readonly bytes: Buffer;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.#view.getUint8(this.take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.take(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.take(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  /** A length in eight bytes; no pickle that is not refused for its size has a longer one. */
  length8(): number {
    const low = this.uint32();
    if (this.uint32() !== 0) throw this.malformed('it announces more bytes than there are');
    return low;
  }

  /** The one number of a pickle that has its most significant byte first. */
  double(): number {
    return this.#view.getFloat64(this.take(8));
  }

  doubleAt(offset: number): number {
    return this.#view.getFloat64(offset);
  }

  /** Offset of the next `length` bytes. */
  take(length: number): number {
    const start = this.at;
    this.at = start + length;
    if (this.at > this.bytes.length) throw this.malformed('it ends too soon');
    return start;
  }

  /** May share the memory of the pickle. */
  buffer(length: number): Buffer {
    const start = this.take(length);
    const slice = this.bytes.subarray(start, this.at);
    return length > COPIED_BYTES ? slice : Buffer.from(slice);
  }

  text(length: number): string {
    const { bytes } = this;
    const start = this.take(length);
    if (length > SHORT_TEXT) return decodeText(bytes, start, this.at);
    let text = '';
    for (let i = start; i < this.at; i++) {
      const byte = bytes[i] ?? 0;
      if (byte > 0x7f) return decodeText(bytes, start, this.at);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** The bytes up to the next line feed as Latin-1 text; the line feed is taken too. */
  line(): string {
    const end = this.bytes.indexOf(LINE_FEED, this.at);
    if (end < 0) throw this.malformed('it ends too soon');
    const line = this.bytes.toString('latin1', this.at, end);
    this.at = end + 1;
    return line;
  }

  malformed(what: string): SerializationError {
    return new SerializationError(
      'NOT_DESERIALIZABLE',
      `Not a pickle: ${what} (at byte ${this.at} of ${this.bytes.length}).`,
    );
  }
}
