import { Draft, type Maker, type MakerTable } from '../python-objects.js';

/** Numbers, identifiers and paths of the standard library: text, as `str()` writes them. */
export const standardLibrary: MakerTable = {
  'decimal.Decimal': ([digits]) => (typeof digits === 'string' ? digits : undefined),
  // Made from both integers since Python 3.11, and from its text before.
  'fractions.Fraction': (args) => (args.length > 0 && args.every(isNumeral) ? args.join('/') : undefined),
  'uuid.UUID': (args, { name }) => new Draft(name, args, (state) => uuidText(state)),
  ...paths('pathlib'),
  // Python 3.13
  ...paths('pathlib._local'),
};

/** An integer, or the text of a number: a large integer may be there as its digits. */
function isNumeral(value: unknown): value is number | bigint | string {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string';
}

/** @param state `{int: …}`, all 128 bits as one integer */
function uuidText(state: unknown): string | undefined {
  if (typeof state !== 'object' || state === null || !('int' in state)) return undefined;
  const value = state.int;
  if (!isNumeral(value) || !/^\d+$/.test(String(value))) return undefined;
  const hex = BigInt(value).toString(16).padStart(32, '0');
  return /^.{32}$/.test(hex) ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : undefined;
}

function paths(module: string): MakerTable {
  const posix = joined('/');
  const windows = joined('\\');
  return {
    [`${module}.PurePosixPath`]: posix,
    [`${module}.PosixPath`]: posix,
    [`${module}.PureWindowsPath`]: windows,
    [`${module}.WindowsPath`]: windows,
  };
}

/** Of the parts of a path; the first of them, the root, may end with a separator. */
function joined(separator: string): Maker {
  return (parts) => {
    if (!parts.every((part) => typeof part === 'string')) return undefined;
    let path = '';
    for (const part of parts) path += path === '' || path.endsWith(separator) ? part : separator + part;
    return path === '' ? '.' : path;
  };
}
