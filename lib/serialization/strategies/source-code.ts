/** The strategies whose body is Python source as it stands: `<name>:<source>`. Endpoints since 3.3. */
import { SerializationError } from '../../compute/errors.js';
import { type Identifier, importPathOf, type SourceCode, type Strategy } from './strategy.js';

/** What the SDK's `register_source_code` writes. */
export const pureSourceTextInspect: Strategy = pureSource('st', 'PureSourceTextInspect');

export const pureSourceDill: Strategy = pureSource('sd', 'PureSourceDill');

function pureSource(identifier: Identifier, className: string): Strategy {
  return {
    identifier,
    importPath: importPathOf(className),
    kind: 'code',
    write(value) {
      const { name, source } = checkedSource(value);
      return `${name}:${source}`;
    },
    read: readNamedSource,
  };
}

const PYTHON_NAME = /^[\p{XID_Start}_]\p{XID_Continue}*$/u;

/** @throws SerializationError `NOT_SERIALIZABLE` if it is no source, or its name could not be one in Python */
export function checkedSource(value: unknown): SourceCode {
  if (!isSourceCode(value)) {
    throw new SerializationError('NOT_SERIALIZABLE', 'Code is written from its source: {name, source}, both strings.');
  }
  if (!PYTHON_NAME.test(value.name)) {
    throw new SerializationError(
      'NOT_SERIALIZABLE',
      `${JSON.stringify(value.name)} is no Python name. Give the name of a function that the source defines.`,
    );
  }
  return value;
}

export function isSourceCode(value: unknown): value is SourceCode {
  if (typeof value !== 'object' || value === null) return false;
  return 'name' in value && typeof value.name === 'string' && 'source' in value && typeof value.source === 'string';
}

function readNamedSource(body: string): SourceCode {
  // SDK 3.16.0, and no other, put the body in base64, whose alphabet has no colon.
  const text = body.includes(':') ? body : Buffer.from(body, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 0) {
    throw new SerializationError('NOT_DESERIALIZABLE', 'Source code without a name: expected "<name>:<source>".');
  }
  return { name: text.slice(0, colon), source: text.slice(colon + 1) };
}
