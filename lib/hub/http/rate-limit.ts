/** How many requests a client may send. */
import { InputError } from '../../compute/errors.js';
import { Busy } from './errors.js';

export interface RateLimit {
  /** Requests at most within {@link seconds}. */
  readonly requests: number;
  readonly seconds: number;
}

/** Source: Globus Compute documentation, "Limits". */
export const SERVICE_RATE_LIMIT: RateLimit = { requests: 20, seconds: 10 };

/** Clients that have asked for something within the last seconds; more are forgotten, those first that asked first. */
const MAX_CLIENTS = 10_000;

export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  /** When each client's last requests came, in Unix milliseconds, the oldest first. */
  readonly #requests = new Map<string, number[]>();

  /** @param now clock, in milliseconds */
  constructor(limit: RateLimit, now: () => number = () => performance.now()) {
    if (!(limit.requests >= 1) || !(limit.seconds > 0)) {
      throw new InputError(`rateLimit is ${JSON.stringify(limit)}; expected requests and seconds above 0, or false.`);
    }
    this.#limit = limit;
    this.#now = now;
  }

  /** Counts a request of a client. Throws 429 with the time to wait. */
  admit(client: string): void {
    const { requests, seconds } = this.#limit;
    const now = this.#now();
    const times = this.#requests.get(client) ?? [];
    while (times.length > 0 && now - (times[0] as number) >= seconds * 1000) times.shift();
    const [oldest] = times;
    if (times.length >= requests && oldest !== undefined) {
      const wait = Math.max(1, Math.ceil(seconds - (now - oldest) / 1000));
      throw new Busy(
        'TOO_MANY_REQUESTS',
        429,
        `At most ${requests} requests in ${seconds} seconds. Ask again in ${wait} s, and send more tasks in one request.`,
        wait,
      );
    }
    times.push(now);
    this.#requests.delete(client);
    this.#requests.set(client, times);
    if (this.#requests.size <= MAX_CLIENTS) return;
    const [first] = this.#requests.keys();
    if (first !== undefined) this.#requests.delete(first);
  }
}
