/** With which versions of the SDK tasks were submitted, as the submissions say: those that were seen last. */
import type { TaskTerms } from './terms.js';

const MOST = 16;
const MAX_CHARS = 64;

export class ClientVersions {
  /** In the order in which they were last seen. */
  readonly #seen = new Set<string>();

  note(terms: TaskTerms | undefined): void {
    // What a client sends as its runtime is not checked.
    const version: unknown = terms?.user_runtime?.globus_compute_sdk_version;
    if (typeof version !== 'string' || version === '' || version.length > MAX_CHARS) return;
    this.#seen.delete(version);
    this.#seen.add(version);
    const [oldest] = this.#seen;
    if (this.#seen.size > MOST && oldest !== undefined) this.#seen.delete(oldest);
  }

  get all(): string[] {
    return [...this.#seen];
  }
}
