/** JSON that Python's `json.loads` reads as the same values; `python-values.ts` says which values those are. */
import { types } from 'node:util';
import type { BufferCollector } from '../out-of-band.js';
import { isPlainObject, isPythonInt, plainValue } from '../python-values.js';
import { MAX_DEPTH, ValuePath } from '../value-path.js';

/**
 * How far {@link JsonWriter} looks ahead for a part that JSON.stringify can write: records in a list are mostly no deeper,
 * and each value is looked at no more than so many times.
 */
const LEVELS_AHEAD = 3;

/**
 * Writes a value as JSON text.
 *
 * @param buffers takes the bytes in the value, which then go beside the text; without it bytes are an error
 * @param root what errors call the value
 * @throws SerializationError `NOT_SERIALIZABLE`, with the path of what cannot be written
 */
export function stringifyForPython(value: unknown, buffers?: BufferCollector, root = 'payload'): string {
  const text: string | undefined = isStandardJson(value, MAX_DEPTH) ? JSON.stringify(value) : undefined;
  return text ?? new JsonWriter(buffers, root).write(value);
}

/**
 * True if JSON.stringify writes all of the value as Python should read it, which is nearly always so and much faster.
 * There is no need to remember the way: a circle ends with the levels.
 */
function isStandardJson(value: unknown, levels: number): boolean {
  switch (typeof value) {
    case 'number':
      // False for NaN, the infinities and -0, and for integers of which JSON.stringify rounds the last digits.
      return value === 0 ? 1 / value > 0 : Math.abs(value) <= Number.MAX_SAFE_INTEGER;
    case 'object':
      return value === null || (levels > 0 && isStandardContainer(value, levels - 1));
    case 'bigint':
      return false;
    default:
      return true;
  }
}

function isStandardContainer(value: object, levels: number): boolean {
  if ('toJSON' in value) return false;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (!isStandardJson(value[i], levels)) return false;
    }
    return true;
  }
  if (!isPlainObject(value)) return false;
  for (const key in value) {
    if (!isStandardJson(value[key], levels)) return false;
  }
  return true;
}

class JsonWriter {
  readonly #buffers: BufferCollector | undefined;
  readonly #path: ValuePath;

  constructor(buffers: BufferCollector | undefined, root: string) {
    this.#buffers = buffers;
    this.#path = new ValuePath(root);
  }

  write(value: unknown): string {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw this.#path.error(`is a ${typeof value}, which has no form in JSON`);
    }
    return this.#text(value, '') ?? 'null';
  }

  /** Undefined for what has no form in JSON. */
  #text(value: unknown, key: string | number): string | undefined {
    const plain = plainValue(value, key);
    switch (typeof plain) {
      case 'undefined':
        return undefined;
      case 'string':
        return JSON.stringify(plain);
      case 'number':
        return numberText(plain);
      case 'object':
        return plain === null ? 'null' : this.#containerText(plain);
      default:
        return String(plain);
    }
  }

  #containerText(container: object): string {
    if (types.isUint8Array(container)) return this.#bytesText(container);
    if (isStandardJson(container, Math.min(LEVELS_AHEAD, this.#path.levelsLeft))) return JSON.stringify(container);
    if (Array.isArray(container) || types.isSet(container)) return this.#listText(container);
    const members = types.isMap(container) ? this.#stringKeyed(container) : Object.entries(container);
    return this.#objectText(container, members);
  }

  #listText(items: readonly unknown[] | ReadonlySet<unknown>): string {
    this.#path.enter(items);
    let text = '';
    let index = 0;
    for (const item of items) {
      this.#path.at(index);
      text += `${index === 0 ? '' : ','}${this.#text(item, index) ?? 'null'}`;
      index++;
    }
    this.#path.leave();
    return `[${text}]`;
  }

  #objectText(object: object, members: Iterable<readonly [string, unknown]>): string {
    this.#path.enter(object);
    let text = '';
    for (const [name, member] of members) {
      this.#path.at(name);
      const memberText = this.#text(member, name);
      if (memberText !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${memberText}`;
    }
    this.#path.leave();
    return `{${text}}`;
  }

  #stringKeyed(map: ReadonlyMap<unknown, unknown>): ReadonlyMap<string, unknown> {
    for (const key of map.keys()) {
      if (typeof key === 'string') continue;
      throw this.#path.error(
        'is a Map with a key that is no string, which JSON cannot hold. Use string keys, or a pickle (strategy 00)',
      );
    }
    return map as ReadonlyMap<string, unknown>;
  }

  #bytesText(bytes: Uint8Array): string {
    if (this.#buffers) return this.#buffers.add(bytes);
    throw this.#path.error(
      'holds bytes, which JSON cannot carry. Send them as text, for example with toString("base64"); ' +
        'or in a pickle (strategy 00); or to the embedded hub, which takes bytes as they are',
    );
  }
}

function numberText(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  return isPythonInt(value) && !Number.isSafeInteger(value) ? BigInt(value).toString() : String(value);
}
