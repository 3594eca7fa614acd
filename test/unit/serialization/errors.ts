import { SerializationError } from '../../../lib/compute/errors.js';

/** For `assert.throws`: a SerializationError of the code, with a message that says it. */
export function unreadable(message: RegExp): (error: unknown) => boolean {
  return is('NOT_DESERIALIZABLE', message);
}

export function unwritable(message: RegExp): (error: unknown) => boolean {
  return is('NOT_SERIALIZABLE', message);
}

function is(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof SerializationError && error.code === code && message.test(error.message);
}
