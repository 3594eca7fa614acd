/** Python's integers have no bound; a JavaScript number holds every integer only up to 2^53 - 1. */
import { SerializationError } from '../compute/errors.js';

/**
 * What becomes of a larger integer. `bigint`: a BigInt. `text`: its decimal digits, for flows whose nodes cannot take a
 * BigInt.
 */
export type BigIntegers = 'bigint' | 'text';

/** Python itself reads and writes 4,300 digits by default: the time that takes grows faster than their number. */
const MAX_DIGITS = 1_000_000;

/**
 * The integer of a decimal literal: a number where that is exact, or else as asked for.
 *
 * @throws SerializationError `NOT_DESERIALIZABLE` where it has more than a million digits
 */
export function exactInteger(literal: string, integers: BigIntegers = 'bigint'): number | bigint | string {
  const number = Number(literal);
  if (Number.isSafeInteger(number)) return number;
  if (literal.length > MAX_DIGITS) {
    throw new SerializationError(
      'NOT_DESERIALIZABLE',
      `An integer has ${literal.length} digits; ${MAX_DIGITS} are read.`,
    );
  }
  return integers === 'text' ? literal : BigInt(literal);
}

/** {@link exactInteger} of an integer that is there as a BigInt. */
export function exactBigInt(value: bigint, integers: BigIntegers = 'bigint'): number | bigint | string {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  return integers === 'text' ? value.toString() : value;
}
