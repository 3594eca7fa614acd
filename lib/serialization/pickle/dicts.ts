/**
 * A Python dict is a plain object if all its keys are strings, and otherwise a Map. A pickle makes the dict first and
 * fills it later, so that what begins as an object may have to become a Map.
 */

import { setOwnMember } from '../own-member.js';
import { isPlainObject } from '../python-values.js';

export type Dict = Record<string, unknown> | Map<unknown, unknown>;

export function isDict(value: unknown): value is Dict {
  return value instanceof Map || (typeof value === 'object' && value !== null && isPlainObject(value));
}

/**
 * Adds items: key, value, key, value, … of `items` from `start` to `end`.
 *
 * @returns the dict itself, or the Map that takes its place
 */
export function addItems(dict: Dict, items: readonly unknown[], start: number, end: number): Dict {
  let at = start;
  if (!(dict instanceof Map)) {
    for (; at < end; at += 2) {
      const key = items[at];
      if (typeof key !== 'string') break;
      setOwnMember(dict, key, items[at + 1]);
    }
    if (at >= end) return dict;
  }
  const map = dict instanceof Map ? dict : new Map<unknown, unknown>(Object.entries(dict));
  for (; at < end; at += 2) map.set(items[at], items[at + 1]);
  return map;
}

/**
 * Replaces values wherever they are inside the value; each key of `replacements` by its value. Objects, arrays, Maps and
 * Sets are changed in place.
 */
export function substitute(root: unknown, replacements: ReadonlyMap<unknown, unknown>): unknown {
  const seen = new Set<object>();
  const pending: object[] = [];

  function replaced(value: unknown): unknown {
    const result = replacements.get(value) ?? value;
    if (typeof result === 'object' && result !== null && !seen.has(result) && !ArrayBuffer.isView(result)) {
      seen.add(result);
      pending.push(result);
    }
    return result;
  }

  const result = replaced(root);
  for (let container = pending.pop(); container !== undefined; container = pending.pop()) {
    if (Array.isArray(container)) {
      for (let i = 0; i < container.length; i++) container[i] = replaced(container[i]);
    } else if (container instanceof Map) {
      const entries = [...container];
      container.clear();
      for (const [key, value] of entries) container.set(replaced(key), replaced(value));
    } else if (container instanceof Set) {
      const members = [...container];
      container.clear();
      for (const member of members) container.add(replaced(member));
    } else {
      for (const [name, value] of Object.entries(container)) setOwnMember(container, name, replaced(value));
    }
  }
  return result;
}
