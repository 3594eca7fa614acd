/** The strategies that hold one value several times over, so that a reader can take what it understands. */
import { SerializationError } from '../../compute/errors.js';
import { unpackBuffers } from '../pack.js';
import { jsonData } from './json-data.js';
import { dillCode, dillCodeSource, dillCodeTextInspect, dillDataBase64 } from './pickled.js';
import { pureSourceDill, pureSourceTextInspect } from './source-code.js';
import { importPathOf, notWritten, type ReadOptions, type Strategy } from './strategy.js';

/** All the SDK's ways to write a function, packed. Endpoints since 4.0. */
export const allCodeStrategies: Strategy = {
  identifier: '12',
  importPath: importPathOf('AllCodeStrategies'),
  kind: 'code',
  write: () => notWritten('12', 'st'),
  read: (body, options) => firstReadable(packedParts(body), [pureSourceTextInspect, pureSourceDill, dillCode], options),
};

/** Both ways to write data, packed. Endpoints since 4.0. */
export const allDataStrategies: Strategy = {
  identifier: '13',
  importPath: importPathOf('AllDataStrategies'),
  kind: 'data',
  write: () => notWritten('13', '11'),
  read: (body, options) => firstReadable(packedParts(body), [jsonData, dillDataBase64], options),
};

/**
 * funcX 1.x: `<identifier>\n:<body>:<identifier>\n:<body>…`. Only bodies in base64 can be told apart: the plain source
 * in an `st` or `sd` part has colons of its own, on which the SDK stumbles as well.
 */
export const combinedCode: Strategy = {
  identifier: '10',
  importPath: importPathOf('CombinedCode'),
  kind: 'code',
  write: () => notWritten('10', 'st'),
  read: (body, options) => firstReadable(colonParts(body), [dillCodeSource, dillCodeTextInspect, dillCode], options),
};

interface Part {
  readonly identifier: string;
  readonly body: string;
}

function packedParts(body: string): Part[] {
  return unpackBuffers(body).map((buffer) => ({ identifier: buffer.slice(0, 2), body: buffer.slice(3) }));
}

function colonParts(body: string): Part[] {
  const pieces = body.split(':');
  const parts: Part[] = [];
  for (let i = 0; i + 1 < pieces.length; i += 2) {
    parts.push({ identifier: (pieces[i] ?? '').trimEnd(), body: pieces[i + 1] ?? '' });
  }
  return parts;
}

/** Tries the strategies in the order given, whatever the order of the parts. */
function firstReadable(parts: readonly Part[], strategies: readonly Strategy[], options: ReadOptions): unknown {
  const reasons: unknown[] = [];
  for (const strategy of strategies) {
    const part = parts.find(({ identifier }) => identifier === strategy.identifier);
    if (part === undefined) continue;
    try {
      return strategy.read(part.body, options);
    } catch (error) {
      reasons.push(error);
    }
  }
  const found = parts.map(({ identifier }) => identifier).join(', ') || 'none';
  throw new SerializationError('NOT_DESERIALIZABLE', `None of the parts can be read here (found: ${found}).`, {
    cause: new AggregateError(reasons),
  });
}
