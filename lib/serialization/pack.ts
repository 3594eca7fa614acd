/**
 * Several serialized buffers as one text: `<length>\n<buffer>`, one after the other.
 *
 * A length counts as Python's `len(str)` does, in Unicode code points: neither bytes nor JavaScript's UTF-16 units.
 * Source: globus_compute_sdk, `serialize/facade.py`, `pack_buffers`.
 */
import { SerializationError } from '../compute/errors.js';

const SURROGATE_PAIR = /[\ud800-\udbff][\udc00-\udfff]/;
const NEWLINE = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;

/** What Python's `len` says of the text: a surrogate pair is one, a lone surrogate is one too. */
export function codePointLength(text: string): number {
  if (!SURROGATE_PAIR.test(text)) return text.length;
  let pairs = 0;
  for (let i = 0; i + 1 < text.length; i++) {
    if (startsPair(text, i)) pairs++;
  }
  return text.length - pairs;
}

export function packBuffers(buffers: readonly string[]): string {
  let packed = '';
  for (const buffer of buffers) packed += `${codePointLength(buffer)}\n${buffer}`;
  return packed;
}

/**
 * The buffers of a packed text, in order; none of an empty text.
 *
 * @throws SerializationError `NOT_DESERIALIZABLE` where a length is missing, or counts past the end of the text.
 */
export function unpackBuffers(text: string): string[] {
  const oneUnitEach = !SURROGATE_PAIR.test(text);
  const buffers: string[] = [];
  let at = 0;
  while (at < text.length) {
    const header = at;
    let length = 0;
    for (let code = text.charCodeAt(at); code !== NEWLINE; code = text.charCodeAt(++at)) {
      if (!(code >= ZERO && code <= NINE)) throw malformed(header, 'expected a length and a line feed');
      length = length * 10 + (code - ZERO);
    }
    if (at === header) throw malformed(header, 'expected a length and a line feed');
    const start = at + 1;
    at = oneUnitEach ? start + length : afterCodePoints(text, start, length);
    if (at > text.length) throw malformed(header, `the text ends before the ${length} characters announced`);
    buffers.push(text.slice(start, at));
  }
  return buffers;
}

/** Index after `count` code points from `start`; past the end of the text where it holds fewer. */
function afterCodePoints(text: string, start: number, count: number): number {
  if (count > text.length) return text.length + 1;
  let at = start;
  for (let left = count; left > 0; left--) at += startsPair(text, at) ? 2 : 1;
  return at;
}

function startsPair(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
}

function malformed(at: number, what: string): SerializationError {
  return new SerializationError(
    'NOT_DESERIALIZABLE',
    `Not a packed list of buffers: ${what} at character ${at}. The text was cut, or is a single buffer.`,
  );
}
