/** How much memory the bodies of requests may take together, however many come at once. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Busy } from './errors.js';

/** Unit: bytes. */
const OF_ALL = 256 * 1024 * 1024;
const OF_ONE_CLIENT = 96 * 1024 * 1024;
const RETRY_SECONDS = 1;

export class BodyBudget {
  #taken = 0;
  readonly #takenBy = new Map<string, number>();

  /** Takes what a request's body needs until it was answered. Throws 503 where too much is being received. */
  take(client: string, request: FastifyRequest, reply: FastifyReply): void {
    const bytes = sizeOf(request);
    if (bytes === 0) return;
    const own = this.#takenBy.get(client) ?? 0;
    if (this.#taken + bytes > OF_ALL || own + bytes > OF_ONE_CLIENT) {
      throw new Busy('TOO_MUCH_AT_ONCE', 503, 'Too much is being sent to the hub at once. Ask again.', RETRY_SECONDS);
    }
    this.#taken += bytes;
    this.#takenBy.set(client, own + bytes);
    reply.raw.once('close', () => this.#giveBack(client, bytes));
  }

  #giveBack(client: string, bytes: number): void {
    this.#taken -= bytes;
    const own = (this.#takenBy.get(client) ?? 0) - bytes;
    if (own > 0) this.#takenBy.set(client, own);
    else this.#takenBy.delete(client);
  }
}

/** What a body says it has, or may have at most where it does not say. Unit: bytes. */
function sizeOf({ headers, routeOptions }: FastifyRequest): number {
  const limit = routeOptions.bodyLimit ?? 0;
  if (headers['transfer-encoding'] !== undefined) return limit;
  return Math.min(Number(headers['content-length'] ?? 0), limit);
}
