import { endianness } from 'node:os';
import { PythonObject } from '../python-objects.js';

/** Elements of an array: a typed array as far as there is one for them, or else a list. */
export interface Elements {
  readonly length: number;
  [index: number]: unknown;
  slice(): Elements;
}

interface Format {
  /** As numpy names it. */
  readonly name: string;
  /** Bytes that are swapped together: those of one element, but of a complex number each half. */
  readonly unit: number;
  readonly decode: (bytes: ArrayBuffer) => Elements;
}

/** By numpy's letter and the number of bytes. */
const FORMATS: Readonly<Record<string, Format>> = {
  b1: { name: 'bool', unit: 1, decode: (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte !== 0) },
  i1: { name: 'int8', unit: 1, decode: (bytes) => new Int8Array(bytes) },
  i2: { name: 'int16', unit: 2, decode: (bytes) => new Int16Array(bytes) },
  i4: { name: 'int32', unit: 4, decode: (bytes) => new Int32Array(bytes) },
  i8: { name: 'int64', unit: 8, decode: (bytes) => asNumbers(new BigInt64Array(bytes)) },
  u1: { name: 'uint8', unit: 1, decode: (bytes) => new Uint8Array(bytes) },
  u2: { name: 'uint16', unit: 2, decode: (bytes) => new Uint16Array(bytes) },
  u4: { name: 'uint32', unit: 4, decode: (bytes) => new Uint32Array(bytes) },
  u8: { name: 'uint64', unit: 8, decode: (bytes) => asNumbers(new BigUint64Array(bytes)) },
  f2: { name: 'float16', unit: 2, decode: (bytes) => Float32Array.from(new Uint16Array(bytes), halfFloat) },
  f4: { name: 'float32', unit: 4, decode: (bytes) => new Float32Array(bytes) },
  f8: { name: 'float64', unit: 8, decode: (bytes) => new Float64Array(bytes) },
  c8: { name: 'complex64', unit: 4, decode: (bytes) => complexNumbers(new Float32Array(bytes)) },
  c16: { name: 'complex128', unit: 8, decode: (bytes) => complexNumbers(new Float64Array(bytes)) },
  M8: { name: 'datetime64', unit: 8, decode: (bytes) => asNumbers(new BigInt64Array(bytes)) },
  m8: { name: 'timedelta64', unit: 8, decode: (bytes) => asNumbers(new BigInt64Array(bytes)) },
};

/** The type of an array's elements, `numpy.dtype`. */
export class NumpyType extends PythonObject {
  readonly #code: string;
  readonly #bigEndian: boolean;
  /** Bytes of an element. */
  readonly #size: number;

  /**
   * @param code a letter and the number of bytes (of `U`: of characters), for example `f8`
   * @param state as numpy writes it: version, byte order, base and shape of a subarray, field names, fields, size, …
   * @returns undefined for what is not one plain value an element
   */
  static of(code: unknown, state: unknown): NumpyType | undefined {
    if (typeof code !== 'string' || !Array.isArray(state)) return undefined;
    const [, order, subarray, fieldNames, , size]: unknown[] = state;
    if (subarray !== null || fieldNames !== null) return undefined;
    const known = Object.hasOwn(FORMATS, code) || /^[USO]/.test(code);
    return known ? new NumpyType(code, order === '>', typeof size === 'number' ? size : -1) : undefined;
  }

  private constructor(code: string, bigEndian: boolean, size: number) {
    super('numpy.dtype', [code]);
    this.#code = code;
    this.#bigEndian = bigEndian;
    this.#size = size;
  }

  get name(): string {
    return FORMATS[this.#code]?.name ?? { U: 'str', S: 'bytes', O: 'object' }[this.#code.charAt(0)] ?? this.#code;
  }

  /** @returns undefined where the bytes are no whole number of elements */
  decode(bytes: Buffer): Elements | undefined {
    const format = FORMATS[this.#code];
    if (format === undefined) return this.#decodeText(bytes);
    if (bytes.length % Number(this.#code.slice(1)) !== 0) return undefined;
    // A copy of its own, which begins where a typed array may begin.
    const own = new Uint8Array(bytes);
    if (this.#bigEndian !== (endianness() === 'BE')) swap(own, format.unit);
    return format.decode(own.buffer);
  }

  /** Texts in UTF-32 (`U`) and bytes (`S`), both filled up with zeros to one length. */
  #decodeText(bytes: Buffer): Elements | undefined {
    const size = this.#size;
    if (this.#code.startsWith('O') || size <= 0 || bytes.length % size !== 0) return undefined;
    const wide = this.#code.startsWith('U');
    return Array.from({ length: bytes.length / size }, (_, i) => {
      const element = bytes.subarray(i * size, (i + 1) * size);
      return wide ? this.#utf32(element) : withoutZeros(element);
    });
  }

  #utf32(element: Buffer): string {
    let text = '';
    for (let at = 0; at + 4 <= element.length; at += 4) {
      const code = this.#bigEndian ? element.readUInt32BE(at) : element.readUInt32LE(at);
      if (code > 0 && code <= 0x10ffff) text += String.fromCodePoint(code);
    }
    return text;
  }
}

function withoutZeros(element: Buffer): Buffer {
  let length = element.length;
  while (length > 0 && element[length - 1] === 0) length--;
  return Buffer.from(element.subarray(0, length));
}

function swap(bytes: Uint8Array, unit: number): void {
  if (unit === 1) return;
  for (let at = 0; at < bytes.length; at += unit) bytes.subarray(at, at + unit).reverse();
}

/** Numbers where all of them are exact as such; numpy's `int64` is mostly full of small ones. */
function asNumbers(elements: BigInt64Array | BigUint64Array): Elements {
  const numbers = Float64Array.from(elements, Number);
  return numbers.every(Number.isSafeInteger) ? numbers : elements;
}

function complexNumbers(halves: Float32Array | Float64Array): unknown[] {
  return Array.from({ length: halves.length / 2 }, (_, i) => ({ real: halves[2 * i], imag: halves[2 * i + 1] }));
}

/** IEEE 754 binary16: one bit of sign, five of exponent, ten of fraction. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
