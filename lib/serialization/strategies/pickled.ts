/** The strategies whose body is a pickle in base64, with a line feed at its end. Python ignores how lines are broken. */
import { SerializationError } from '../../compute/errors.js';
import { readPickle } from '../pickle/reader.js';
import { PythonTuple, writePickle } from '../pickle/writer.js';
import { checkedSource } from './source-code.js';
import { type Identifier, importPathOf, notWritten, type ReadOptions, type Strategy } from './strategy.js';

/** The SDK's default for arguments and results, of every version. */
export const dillDataBase64: Strategy = {
  identifier: '00',
  importPath: importPathOf('DillDataBase64'),
  kind: 'data',
  write: (value, { root }) => toBase64(writePickle(value, root)),
  read: fromBase64,
};

/** Source for workers before 3.3, funcX 1.x among them. */
export const dillCodeTextInspect: Strategy = {
  identifier: '03',
  importPath: importPathOf('DillCodeTextInspect'),
  kind: 'code',
  write(value) {
    const { name, source } = checkedSource(value);
    return toBase64(writePickle(new PythonTuple([name, source])));
  },
  read: readNameAndSource,
};

/** As {@link dillCodeTextInspect}; the two differ only in how the SDK finds the source. */
export const dillCodeSource: Strategy = {
  identifier: '04',
  importPath: importPathOf('DillCodeSource'),
  kind: 'code',
  write: () => notWritten('04', 'st'),
  read: readNameAndSource,
};

export const dillCode: Strategy = compiled('01', 'DillCode');

/** Of funcX 0.0.x; the class is gone since. */
export const pickleCode: Strategy = compiled('02', 'PickleCode');

function compiled(identifier: Identifier, className: string): Strategy {
  return {
    identifier,
    importPath: importPathOf(className),
    kind: 'code',
    write: () => notWritten(identifier, 'st'),
    read() {
      throw new SerializationError(
        'NOT_DESERIALIZABLE',
        `Strategy ${identifier} (${className}) holds a compiled Python function, which only Python can load. ` +
          'Register functions from their source (strategy st), and ask for results as JSON (strategy 11).',
      );
    },
  };
}

function toBase64(pickle: Buffer): string {
  return `${pickle.toString('base64')}\n`;
}

function fromBase64(body: string, { integers }: ReadOptions): unknown {
  return readPickle(Buffer.from(body, 'base64'), { integers });
}

function readNameAndSource(body: string, options: ReadOptions): unknown {
  const pair = fromBase64(body, options);
  const [name, source]: unknown[] = Array.isArray(pair) ? pair : [];
  if (typeof name === 'string' && typeof source === 'string') return { name, source };
  throw new SerializationError('NOT_DESERIALIZABLE', 'The pickle does not hold the name of a function and its source.');
}
