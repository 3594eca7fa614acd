/**
 * What a JavaScript value is to Python; the same for every strategy that writes data.
 *
 * | JavaScript                                             | Python                                                     |
 * | ------------------------------------------------------ | ---------------------------------------------------------- |
 * | `null`, `undefined`                                    | `None`; a member that is `undefined` is left out           |
 * | boolean, string                                        | `bool`, `str`                                              |
 * | number without a fraction, below 1e21                  | `int`, exact; but `-0` is the `float` -0.0                 |
 * | any other number, `NaN` and the infinities too         | `float`                                                    |
 * | BigInt                                                 | `int`                                                      |
 * | Array, typed arrays of numbers                         | `list`                                                     |
 * | Buffer, Uint8Array, ArrayBuffer, DataView              | `bytes`                                                    |
 * | Set                                                    | `set` in a pickle, `list` in JSON                          |
 * | Map                                                    | `dict`; in JSON its keys must be strings                   |
 * | objects with `toJSON` (Date, URL, …)                   | what `toJSON` gives; of a Date: its ISO 8601 text, in UTC  |
 * | boxed primitives                                       | what is in the box                                         |
 * | any other object                                       | `dict` of its own enumerable members with string keys      |
 * | function, symbol                                       | none: left out of a `dict`, `None` in a `list`             |
 */
import { types } from 'node:util';

/** A value of the left column, reduced to one of these kinds. */
export type Plain =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly unknown[]
  | ReadonlySet<unknown>
  | ReadonlyMap<unknown, unknown>
  | Readonly<Record<string, unknown>>;

/**
 * Reduces a value, not what is in it. Values from another realm count too: a Map made in a Node-RED function node is no
 * `instanceof Map` here, so kinds are told by their internal slots.
 *
 * @param key under which the value stands in its container, for `toJSON`
 */
export function plainValue(value: unknown, key: string | number): Plain {
  switch (typeof value) {
    case 'object':
      return value === null ? null : plainObject(value, key);
    case 'boolean':
    case 'number':
    case 'bigint':
    case 'string':
      return value;
    default:
      return undefined;
  }
}

function plainObject(value: object, key: string | number): Plain {
  // A Buffer has a toJSON too, which would make a list of it.
  if ('toJSON' in value && typeof value.toJSON === 'function' && !types.isUint8Array(value)) {
    const json: unknown = value.toJSON(String(key));
    // As JSON.stringify: the outcome is not asked for its own toJSON.
    return typeof json === 'object' && json !== null ? withoutToJson(json) : plainValue(json, key);
  }
  return withoutToJson(value);
}

function withoutToJson(value: object): Plain {
  if (Array.isArray(value)) return value;
  if (isPlainObject(value)) return value;
  if (types.isTypedArray(value) && !types.isUint8Array(value)) return Array.from<unknown>(value);
  if (types.isMap(value) || types.isSet(value)) return value;
  if (types.isBoxedPrimitive(value)) return plainValue(value.valueOf(), '');
  return bytesOf(value) ?? (value as Readonly<Record<string, unknown>>);
}

/** Made by `{}` or `Object.create(null)`, in whatever realm: the prototype, if any, has none itself. */
export function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The bytes of a Buffer, Uint8Array, ArrayBuffer, SharedArrayBuffer or DataView; not copied. */
function bytesOf(value: object): Uint8Array | undefined {
  if (types.isUint8Array(value)) return value;
  if (types.isDataView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return types.isAnyArrayBuffer(value) ? new Uint8Array(value) : undefined;
}

/**
 * True where the number is a Python `int`. From 1e21 on JavaScript writes an exponent, which Python reads as a float.
 */
export function isPythonInt(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 1e21 && !Object.is(value, -0);
}
