/** Text and bytes. */
import type { OperationTable } from '../machine.js';
import { OPCODES } from '../opcodes.js';

export const text: OperationTable = {
  [OPCODES.SHORT_BINUNICODE]: ({ stack, source }) => stack.push(source.text(source.byte())),
  [OPCODES.BINUNICODE]: ({ stack, source }) => stack.push(source.text(source.uint32())),
  [OPCODES.BINUNICODE8]: ({ stack, source }) => stack.push(source.text(source.length8())),
  [OPCODES.UNICODE]: ({ stack, source }) => stack.push(unescapeUnicode(source.line())),

  [OPCODES.SHORT_BINBYTES]: ({ stack, source }) => stack.push(source.buffer(source.byte())),
  [OPCODES.BINBYTES]: ({ stack, source }) => stack.push(source.buffer(source.uint32())),
  [OPCODES.BINBYTES8]: ({ stack, source }) => stack.push(source.buffer(source.length8())),
  [OPCODES.BYTEARRAY8]: ({ stack, source }) => stack.push(source.buffer(source.length8())),

  // The `str` of Python 2, of which nobody can tell whether it is text or bytes: text here, as in `pickle.loads`.
  [OPCODES.SHORT_BINSTRING]: ({ stack, source }) => stack.push(source.text(source.byte())),
  [OPCODES.BINSTRING]: ({ stack, source }) => stack.push(source.text(source.uint32())),
  [OPCODES.STRING]: ({ stack, source }) => stack.push(unquote(source.line())),

  [OPCODES.NEXT_BUFFER]({ source }) {
    throw source.malformed('its buffers were sent apart from it (pickle protocol 5 with out-of-band data)');
  },
  [OPCODES.READONLY_BUFFER]() {},
};

/** Python's codec `raw-unicode-escape`: Latin-1 with `\uXXXX` and `\UXXXXXXXX`, and a backslash is nothing else. */
function unescapeUnicode(line: string): string {
  return line.replace(
    /\\(?:u([\da-fA-F]{4})|U(00(?:0[\da-fA-F]|10)[\da-fA-F]{4}))/g,
    (_, short?: string, long?: string) => String.fromCodePoint(Number.parseInt(short ?? long ?? '', 16)),
  );
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** A literal as `repr` of Python 2 writes it. */
function unquote(literal: string): string {
  return literal
    .slice(1, -1)
    .replace(/\\(?:x([\da-fA-F]{2})|(.))/g, (_, hex?: string, escaped = '') =>
      hex === undefined ? (ESCAPES[escaped] ?? escaped) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
}
