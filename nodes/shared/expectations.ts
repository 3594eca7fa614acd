/** What a value from a message must be. Each refusal names the field, where the value came from, and what to do. */
import { InputError } from '../../lib/compute/errors.js';
import { isUuid } from '../../lib/compute/ids.js';
import type { MessageValue } from './message-values.js';

export type Keywords = Readonly<Record<string, unknown>>;

type Described = Pick<MessageValue, 'field' | 'origin'>;

export function expectPresent(value: unknown, of: Described): unknown {
  if (value === undefined) throw refusal(value, of, 'Set it before this node, or take the value from somewhere else.');
  return value;
}

export function expectUuid<Id extends string>(value: unknown, of: Described, what: string): Id {
  if (!isUuid(value))
    throw refusal(value, of, `Give the id of ${what}: a UUID such as 4b116d3c-1703-4f8f-9f6f-39921e5864df.`);
  return value as unknown as Id;
}

export function expectText(value: unknown, of: Described): string {
  if (typeof value !== 'string') throw refusal(value, of, 'Give text.');
  return value;
}

/** @returns a whole number from `least`; a text that is one is accepted. */
export function expectCount(value: unknown, of: Described, least: number): number {
  const count = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < least) {
    throw refusal(value, of, `Give a whole number, ${least} or more.`);
  }
  return count;
}

export function expectList(value: unknown, of: Described, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw refusal(value, of, `Give an array of ${what}.`);
  return value;
}

export function expectKeywords(value: unknown, of: Described): Keywords {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw refusal(value, of, 'Give an object whose keys are the names of parameters.');
  }
  return value as Keywords;
}

function refusal(value: unknown, of: Described, advice: string): InputError {
  return new InputError(`${of.field}: ${of.origin} is ${shown(value)}. ${advice}`);
}

/** A value in a few words; never its content beyond a short text, which may be long or confidential. */
function shown(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean' || typeof value === 'number')
    return `${value}`;
  if (typeof value === 'string')
    return value.length <= 40 ? JSON.stringify(value) : `a text of ${value.length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (Buffer.isBuffer(value)) return `a buffer of ${value.length} bytes`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
