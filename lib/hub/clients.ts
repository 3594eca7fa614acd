/**
 * Clients of the hub: programs that sign in with an id and a secret, each a user of its own. The store keeps a hash of the
 * secret, which is told once.
 */
import { randomBytes, randomUUID, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { InputError } from '../compute/errors.js';
import { isUuid } from '../compute/ids.js';
import type { Row, Store } from '../storage/index.js';
import { groupIds, type Identity } from './identity.js';

const SECRET_BYTES = 32;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const MAX_NAME_CHARS = 128;

/** Secrets are hashed one after another, so that strangers who guess keep one thread busy at most; this many may wait. */
const MAX_WAITING = 32;

const hashSecret = promisify<string, Buffer, number, Buffer>(scrypt);

export interface ClientCredentials {
  readonly clientId: string;
  /** Told now and never again. */
  readonly clientSecret: string;
}

export interface ClientOptions {
  /** UUIDs of the groups that the user is in. @default none */
  readonly groups?: readonly string[];
}

export interface ClientInfo {
  readonly clientId: string;
  readonly name: string;
  readonly groups: readonly string[];
  /** Unix milliseconds. */
  readonly createdAt: number;
}

export class ClientBook {
  readonly #store: Store;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** Told when a client was revoked. */
  onRevoked: (clientId: string) => void = () => {};

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Makes a client, and with it a user.
   *
   * @param name what others see as the owner of its functions and endpoints
   */
  async issue(name: string, { groups = [] }: ClientOptions = {}): Promise<ClientCredentials> {
    if (typeof name !== 'string' || name.trim() === '' || name.length > MAX_NAME_CHARS) {
      throw new InputError(`A client needs a name of 1 to ${MAX_NAME_CHARS} characters.`);
    }
    const ids = groupIds(groups, (group) => new InputError(`The group ${JSON.stringify(group)} is not a UUID.`));
    const clientId = randomUUID();
    const clientSecret = randomBytes(SECRET_BYTES).toString('base64url');
    const salt = randomBytes(SALT_BYTES);
    const secret = await hashSecret(clientSecret, salt, HASH_BYTES);
    this.#store.write(
      'INSERT INTO clients (client_id, name, groups, salt, secret, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      [clientId, Buffer.from(name), JSON.stringify(ids), salt, secret, Date.now()],
    );
    await this.#store.committed();
    return { clientId, clientSecret };
  }

  /** Clients that may sign in, the oldest first. */
  async list(): Promise<ClientInfo[]> {
    const rows = await this.#store.all('SELECT * FROM clients ORDER BY created_at, client_id');
    return rows.map((row) => {
      const { id, username, groups = [] } = identityOf(row);
      return { clientId: id, name: username, groups, createdAt: Number(row.created_at) };
    });
  }

  /** Its tokens end with it. What it owns stays. False: there is no such client. */
  async revoke(clientId: string): Promise<boolean> {
    const row = await this.#row(clientId);
    if (row === undefined) return false;
    this.#store.write('DELETE FROM clients WHERE client_id = ?', [row.client_id ?? null]);
    this.onRevoked(String(row.client_id));
    await this.#store.committed();
    return true;
  }

  /** The user of a client; undefined when there is no such client. */
  async identity(clientId: string): Promise<Identity | undefined> {
    const row = await this.#row(clientId);
    return row === undefined ? undefined : identityOf(row);
  }

  /**
   * The user of a client that shows its secret; undefined when either is wrong, which takes as long as when both are right.
   * `busy` when too many are being checked.
   */
  async authenticate(clientId: string, clientSecret: string): Promise<Identity | 'busy' | undefined> {
    if (this.#waiting >= MAX_WAITING) return 'busy';
    this.#waiting++;
    const checked = this.#last.then(() => this.#check(clientId, clientSecret));
    this.#last = checked.catch(() => {});
    try {
      return await checked;
    } finally {
      this.#waiting--;
    }
  }

  async #check(clientId: string, clientSecret: string): Promise<Identity | undefined> {
    const row = await this.#row(clientId);
    const salt = row === undefined ? Buffer.alloc(SALT_BYTES) : Buffer.from(row.salt as Uint8Array);
    const given = await hashSecret(clientSecret, salt, HASH_BYTES);
    const expected = row === undefined ? Buffer.alloc(HASH_BYTES) : Buffer.from(row.secret as Uint8Array);
    const equal = timingSafeEqual(given, expected);
    return equal && row !== undefined ? identityOf(row) : undefined;
  }

  async #row(clientId: string): Promise<Row | undefined> {
    if (!isUuid(clientId)) return undefined;
    return this.#store.get('SELECT * FROM clients WHERE client_id = ?', [clientId.toLowerCase()]);
  }
}

function identityOf(row: Row): Identity {
  return {
    id: String(row.client_id),
    username: Buffer.from(row.name as Uint8Array).toString('utf8'),
    groups: JSON.parse(String(row.groups)) as string[],
  };
}
