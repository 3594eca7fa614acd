import { SerializationError } from '../compute/errors.js';
import { packBuffers, unpackBuffers } from './pack.js';
import { deserialize, serialize } from './serialize.js';
import { isSourceCode } from './strategies/source-code.js';
import type { SourceCode } from './strategies/strategy.js';

/**
 * What a registration takes as `function_code`: one packed buffer, of plain source (strategy `st`).
 *
 * @param name the function that the source defines and that is to be called
 * @throws SerializationError `NOT_SERIALIZABLE` if the name could not be one in Python
 */
export function packFunction(name: string, source: string): string {
  return packBuffers([serialize({ name, source }, 'st')]);
}

/**
 * The source of a registered function, to show it.
 *
 * @param code `function_code` of a registration
 * @returns undefined where the code holds no source that can be read here: a compiled function, for example
 */
export function unpackFunction(code: string): SourceCode | undefined {
  try {
    const value = deserialize(unpackBuffers(code)[0] ?? '');
    return isSourceCode(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SerializationError) return undefined;
    throw error;
  }
}
