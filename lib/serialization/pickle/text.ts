/**
 * Text in pickles is UTF-8 in which Python lets lone surrogates through (its error handler `surrogatepass`); Node's own
 * coders replace them.
 */

const LONE_SURROGATE = /\p{Cs}/u;
const SPLIT_AT_LONE_SURROGATES = /(\p{Cs})/u;

/** True if Node's own encoder may write the text. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

export function encodeText(text: string): Buffer {
  const pieces = text.split(SPLIT_AT_LONE_SURROGATES);
  // The separators are captured, so that every second piece is a surrogate.
  return Buffer.concat(pieces.map((piece, i) => (i % 2 === 1 ? encodeSurrogate(piece) : Buffer.from(piece))));
}

function encodeSurrogate(surrogate: string): Buffer {
  const code = surrogate.charCodeAt(0);
  return Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]);
}

/** The text of the bytes from `start` to `end`. */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  return text.includes('\ufffd') ? decodeSurrogates(bytes.subarray(start, end)) : text;
}

/** The surrogates are all among the characters whose first byte is ED, U+D000 to U+DFFF, and of three bytes. */
function decodeSurrogates(bytes: Buffer): string {
  let text = '';
  let done = 0;
  for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, done)) {
    const [, second = 0, third = 0] = bytes.subarray(at, at + 3);
    text += bytes.toString('utf8', done, at);
    text += String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f));
    done = at + 3;
  }
  return text + bytes.toString('utf8', done);
}
