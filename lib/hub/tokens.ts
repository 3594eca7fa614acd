/**
 * Bearer tokens of the hub's clients: opaque, for one resource server and its scopes, with an end, and revocable. The store
 * keeps a hash of each.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Store } from '../storage/index.js';
import type { ClientBook } from './clients.js';
import type { Identity } from './identity.js';

/** Life of a token. Source: Globus Auth, access tokens (48 hours). Unit: seconds. */
export const TOKEN_SECONDS = 172_800;

/** A client's oldest tokens end when it has more, so that one that asks without end does not fill the hub. */
const MAX_TOKENS_OF_CLIENT = 1000;

const ID_BYTES = 12;
const SECRET_BYTES = 32;

/** `<id>.<secret>`, both in base64url. */
const TOKEN = /^([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{43})$/;

export interface Token {
  readonly identity: Identity;
  readonly resourceServer: string;
  /** Separated by spaces. */
  readonly scope: string;
  /** Unix milliseconds. */
  readonly issuedAt: number;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

interface Kept extends Token {
  readonly hash: Buffer;
}

export class TokenBook {
  readonly #store: Store;
  readonly #now: () => number;
  /** All that have not ended, in the order of their issue. */
  readonly #tokens = new Map<string, Kept>();

  private constructor(store: Store, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** @param now clock, in Unix milliseconds */
  static async open(store: Store, clients: ClientBook, now: () => number = Date.now): Promise<TokenBook> {
    const book = new TokenBook(store, now);
    const identities = new Map<string, Identity | undefined>();
    for (const row of await store.all('SELECT * FROM tokens WHERE expires_at > ? ORDER BY issued_at', [now()])) {
      const clientId = String(row.client_id);
      if (!identities.has(clientId)) identities.set(clientId, await clients.identity(clientId));
      const identity = identities.get(clientId);
      if (identity === undefined) continue;
      book.#tokens.set(String(row.id), {
        hash: Buffer.from(row.hash as Uint8Array),
        identity,
        resourceServer: String(row.resource_server),
        scope: String(row.scope),
        issuedAt: Number(row.issued_at),
        expiresAt: Number(row.expires_at),
      });
    }
    book.#forgetEnded();
    return book;
  }

  async issue(identity: Identity, resourceServer: string, scope: string): Promise<string> {
    this.#forgetEnded();
    const own = [...this.#tokens].filter(([, token]) => token.identity.id === identity.id);
    for (const [id] of own.slice(0, Math.max(0, own.length + 1 - MAX_TOKENS_OF_CLIENT))) this.#forget(id);

    const id = randomBytes(ID_BYTES).toString('base64url');
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const issuedAt = this.#now();
    const expiresAt = issuedAt + TOKEN_SECONDS * 1000;
    const hash = hashOf(secret);
    this.#tokens.set(id, { hash, identity, resourceServer, scope, issuedAt, expiresAt });
    this.#store.write(
      `INSERT INTO tokens (id, hash, client_id, resource_server, scope, issued_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      [id, hash, identity.id, resourceServer, scope, issuedAt, expiresAt],
    );
    await this.#store.committed();
    return `${id}.${secret}`;
  }

  /** What a token stands for; undefined when it is none, or none any more. */
  verify(text: string): Token | undefined {
    const [, id = '', secret = ''] = TOKEN.exec(text) ?? [];
    const token = this.#tokens.get(id);
    // Compared all the same, so that the time tells nothing of which ids exist.
    const equal = timingSafeEqual(hashOf(secret), token?.hash ?? NO_HASH);
    if (token === undefined || !equal || token.expiresAt <= this.#now()) return undefined;
    return token;
  }

  async revoke(text: string): Promise<void> {
    if (this.verify(text) === undefined) return;
    this.#forget(text.slice(0, text.indexOf('.')));
    await this.#store.committed();
  }

  revokeAllOf(clientId: string): void {
    for (const [id, { identity }] of this.#tokens) if (identity.id === clientId) this.#forget(id);
  }

  #forget(id: string): void {
    this.#tokens.delete(id);
    this.#store.write('DELETE FROM tokens WHERE id = ?', [id]);
  }

  #forgetEnded(): void {
    const now = this.#now();
    for (const [id, { expiresAt }] of this.#tokens) {
      if (expiresAt > now) break; // All live equally long.
      this.#tokens.delete(id);
    }
    this.#store.write('DELETE FROM tokens WHERE expires_at <= ?', [now]);
  }
}

const NO_HASH = Buffer.alloc(32);

/** The secret is random and long: there is nothing to guess, and a slow hash would protect nothing. */
function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
