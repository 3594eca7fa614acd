/** What an agent says of itself when it is registered. */
import { isUuid } from '../compute/ids.js';
import type { EndpointRegistration } from '../compute/service.js';
import { invalidUuid, malformed } from './refusals.js';

/** Longest name of an endpoint, and what none may have in it. Source: Globus Compute, endpoint names. */
const MAX_NAME_CHARS = 128;
const BAD_NAME = /^\.|[\s'"/\\]/;

/** Throws REQUEST_MALFORMED or INVALID_UUID. */
export function checkRegistration(registration: EndpointRegistration, id: string): void {
  if (!isUuid(id)) throw invalidUuid('The endpoint', id);
  const { endpoint_name: name } = registration;
  if (typeof name !== 'string' || name === '') throw malformed('endpoint_name is missing.');
  if (name.length > MAX_NAME_CHARS || BAD_NAME.test(name)) {
    throw malformed(
      `endpoint_name is ${JSON.stringify(name.slice(0, MAX_NAME_CHARS))}; expected at most ${MAX_NAME_CHARS} characters ` +
        'without spaces, quotes and slashes, and no dot at the beginning.',
    );
  }
}
