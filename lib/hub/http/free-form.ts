/** Values whose shape is the client's own affair. They are written as JSON again, and travel with every task. */
import { malformed } from '../refusals.js';

const MAX_DEPTH = 64;

/** An agent passes on the configuration of a user endpoint by a pipe, which takes no more. Unit: characters of JSON. */
const MAX_CHARS = 64 * 1024;

/** Throws REQUEST_MALFORMED for a value that is too large, or nested so deeply that it could not be written. */
export function assertModest(name: string, value: unknown): void {
  assertShallow(name, value);
  if (JSON.stringify(value ?? null).length <= MAX_CHARS) return;
  throw malformed(`${name} is larger than ${MAX_CHARS} characters of JSON.`);
}

/** Throws REQUEST_MALFORMED. */
export function assertShallow(name: string, value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw malformed(`${name} is nested more than ${MAX_DEPTH} levels deep.`);
    level = level.flatMap((entry) => (typeof entry === 'object' && entry !== null ? Object.values(entry) : []));
  }
}
