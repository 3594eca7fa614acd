import { encodeText, isWellFormed } from './text.js';

/** Bytes being written, in a buffer that grows. */
export class ByteSink {
  #buffer = Buffer.allocUnsafe(256);
  #length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** Four bytes, least significant first; of a signed or an unsigned integer. */
  int32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value >>> 0, this.#length);
  }

  /** Eight bytes, most significant first. */
  doubleBE(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleBE(value, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  countedBytes(bytes: Uint8Array): void {
    this.int32(bytes.length);
    this.bytes(bytes);
  }

  /** UTF-8 after the number of its bytes. */
  countedText(text: string): void {
    if (!isWellFormed(text)) {
      this.countedBytes(encodeText(text));
      return;
    }
    // One UTF-16 unit is at most three bytes.
    this.#reserve(4 + text.length * 3);
    const written = this.#buffer.write(text, this.#length + 4);
    this.#buffer.writeUInt32LE(written, this.#length);
    this.#length += 4 + written;
  }

  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}
