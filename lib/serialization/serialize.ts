import { SerializationError } from '../compute/errors.js';
import type { OutOfBand } from '../compute/service.js';
import type { BigIntegers } from './big-integers.js';
import { STRATEGIES, strategyFor } from './strategies/registry.js';
import type { Identifier, ReadOptions, WriteOptions } from './strategies/strategy.js';

const HEADER_LENGTH = 3;

/**
 * One buffer: the strategy's identifier, a line feed, the body.
 *
 * @param identifier how to write; `11` is JSON
 * @throws SerializationError `NOT_SERIALIZABLE`, with the path of what the strategy cannot write
 */
export function serialize(value: unknown, identifier: Identifier = '11', options: WriteOptions = {}): string {
  return `${identifier}\n${STRATEGIES[identifier].write(value, options)}`;
}

/**
 * The value of one buffer, by the strategy that its first line names.
 *
 * @returns of a code strategy: `{name, source}`
 * @throws SerializationError `NOT_DESERIALIZABLE`
 */
export function deserialize(text: string, options: ReadOptions = {}): unknown {
  if (text[HEADER_LENGTH - 1] !== '\n') {
    throw new SerializationError(
      'NOT_DESERIALIZABLE',
      `Not a serialized value: expected two characters and a line feed, found ${JSON.stringify(text.slice(0, 20))}.`,
    );
  }
  return strategyFor(text.slice(0, HEADER_LENGTH - 1)).read(text.slice(HEADER_LENGTH), options);
}

/**
 * The value of a task's result.
 *
 * @param result `TaskStatus.result`
 * @param buffers `TaskStatus.result_buffers`
 */
export function deserializeResult(
  result: string,
  buffers: OutOfBand | undefined,
  { integers }: { readonly integers?: BigIntegers | undefined } = {},
): unknown {
  return deserialize(result, { buffers, integers });
}
