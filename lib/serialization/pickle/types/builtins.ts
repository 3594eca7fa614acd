import { type MakerTable, PythonName } from '../python-objects.js';

/** What is in `builtins`; and the bytes of protocols 0 to 2, which are a call of a codec. */
export const builtins: MakerTable = {
  'builtins.set': ([items = []]) => (Array.isArray(items) ? new Set(items) : undefined),
  'builtins.frozenset': ([items = []]) => (Array.isArray(items) ? new Set(items) : undefined),
  'builtins.bytes': bytes,
  'builtins.bytearray': bytes,
  '_codecs.encode': bytes,
  'builtins.complex': ([real, imag]) =>
    typeof real === 'number' && typeof imag === 'number' ? { real, imag } : undefined,
  'builtins.range': ([start, stop, step]) => ({ start, stop, step }),
  'builtins.slice': ([start, stop, step]) => ({ start, stop, step }),
  // Before protocol 4 this is how a name inside a class is written. It gives a longer name, and nothing of an object.
  'builtins.getattr': ([owner, name]) =>
    owner instanceof PythonName && typeof name === 'string' ? new PythonName(`${owner.$python}.${name}`) : undefined,
};

/** Of bytes, or of text in which each character is one byte. A number would be a length to fill with zeros: not here. */
function bytes([content = '', encoding = 'latin1']: readonly unknown[]): Buffer | undefined {
  if (Buffer.isBuffer(content)) return content;
  if (typeof content !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) return undefined;
  return Buffer.from(content, 'latin1');
}
