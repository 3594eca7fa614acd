/** Waiting for what a page shows: it is looked at again and again, until it is as expected or the time is over. */
import { setTimeout as pause } from 'node:timers/promises';
import { inspect, isDeepStrictEqual } from 'node:util';

/** Everything on a page comes within this time, also on a machine that is busy with other work. Unit: milliseconds. */
export const PATIENCE_MS = 20_000;

const INTERVAL_MS = 40;

/**
 * @param what for the message, when it did not become so
 * @param read looks at the page
 * @param expected the value, or whether a value is as expected
 * @returns what was read at last
 */
export async function eventually<T>(
  what: string,
  read: () => Promise<T>,
  expected: T | ((value: T) => boolean),
  patience = PATIENCE_MS,
): Promise<T> {
  const isAsExpected =
    typeof expected === 'function'
      ? (expected as (value: T) => boolean)
      : (value: T) => isDeepStrictEqual(value, expected);
  const end = performance.now() + patience;
  for (;;) {
    const value = await read();
    if (isAsExpected(value)) return value;
    if (performance.now() > end) {
      const wanted = typeof expected === 'function' ? '' : `\nexpected: ${inspect(expected, { depth: 5 })}`;
      throw new Error(`${what}${wanted}\nit stayed:  ${inspect(value, { depth: 5 })}`);
    }
    await pause(INTERVAL_MS);
  }
}
