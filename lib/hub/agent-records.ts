/** What the store keeps of agents and of the user endpoints that they run. */
import type { EndpointId } from '../compute/ids.js';
import type { EndpointRegistration } from '../compute/service.js';
import type { Row, Store, Write } from '../storage/index.js';
import type { Identity } from './identity.js';
import type { UserEndpointSettings } from './user-endpoint.js';

export interface AgentRecord {
  readonly id: EndpointId;
  readonly owner: Identity;
  readonly registration: EndpointRegistration;
  /** What its passwords at the broker are made from; new with every registration. */
  readonly secret: string;
  /** It is refused until then. Unix milliseconds. */
  readonly lockedUntil: number;
}

export interface UserEndpointRecord {
  readonly id: string;
  readonly settings: UserEndpointSettings;
  /** What tells one process of it from the next; empty: none was seen. */
  readonly incarnation: string;
}

/** A user endpoint that is to be written. */
interface Added {
  readonly agentId: EndpointId;
  readonly record: UserEndpointRecord;
}

/**
 * Agents are written when somebody asks for it, who can be refused. User endpoints come and go by themselves, also while
 * the store takes no more: of each the last state is kept until it can be written.
 */
export class AgentRecords {
  readonly #store: Store;
  /** User endpoints that were added since the last commit, or, where undefined, removed. */
  readonly #changed = new Map<string, Added | undefined>();
  /** Processes of user endpoints that were seen since the last commit. */
  readonly #seen = new Map<string, string>();

  constructor(store: Store) {
    this.#store = store;
    store.writer((write) => this.#contribute(write));
  }

  async all(): Promise<AgentRecord[]> {
    return (await this.#store.all('SELECT * FROM agents')).map(recordOf);
  }

  write({ id, owner, registration, secret, lockedUntil }: AgentRecord): void {
    this.#store.write(
      `INSERT INTO agents (endpoint_uuid, owner_id, owner_name, registration, secret, locked_until, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (endpoint_uuid) DO UPDATE SET owner_name = excluded.owner_name, registration = excluded.registration,
         secret = excluded.secret, locked_until = excluded.locked_until`,
      [id, owner.id, owner.username, Buffer.from(JSON.stringify(registration)), secret, lockedUntil, Date.now()],
    );
  }

  /** Removes an agent with its user endpoints. */
  remove(id: EndpointId): void {
    this.#store.write('DELETE FROM agents WHERE endpoint_uuid = ?', [id]);
    this.#store.write('DELETE FROM user_endpoints WHERE endpoint_uuid = ?', [id]);
    for (const [key, added] of this.#changed) if (added?.agentId === id) this.#changed.delete(key);
  }

  async userEndpointsOf(id: EndpointId): Promise<UserEndpointRecord[]> {
    const rows = await this.#store.all('SELECT * FROM user_endpoints WHERE endpoint_uuid = ?', [id]);
    return rows.map((row) => ({
      id: String(row.user_endpoint_uuid),
      settings: JSON.parse(String(row.settings)) as UserEndpointSettings,
      incarnation: String(row.incarnation),
    }));
  }

  addUserEndpoint(agentId: EndpointId, record: UserEndpointRecord): void {
    this.#changed.set(record.id, { agentId, record });
    this.#store.touch();
  }

  /** @param incarnation what tells this process of it from the next */
  seen(id: string, incarnation: string): void {
    this.#seen.set(id, incarnation);
    this.#store.touch();
  }

  removeUserEndpoint(id: string): void {
    this.#changed.set(id, undefined);
    this.#seen.delete(id);
    this.#store.touch();
  }

  /** Called by the store right before a group commit. */
  #contribute(write: Write): void {
    for (const [id, added] of this.#changed) {
      // Also of one that was added again: the row may be there still.
      write('DELETE FROM user_endpoints WHERE user_endpoint_uuid = ?', [id]);
      if (added === undefined) continue;
      const { settings, incarnation } = added.record;
      write(
        'INSERT INTO user_endpoints (user_endpoint_uuid, endpoint_uuid, settings, incarnation) VALUES (?, ?, ?, ?)',
        [id, added.agentId, JSON.stringify(settings), incarnation],
      );
    }
    this.#changed.clear();
    for (const [id, incarnation] of this.#seen) {
      write('UPDATE user_endpoints SET incarnation = ? WHERE user_endpoint_uuid = ?', [incarnation, id]);
    }
    this.#seen.clear();
  }
}

function recordOf(row: Row): AgentRecord {
  return {
    id: String(row.endpoint_uuid) as EndpointId,
    owner: { id: String(row.owner_id), username: String(row.owner_name) },
    registration: JSON.parse(Buffer.from(row.registration as Uint8Array).toString('utf8')) as EndpointRegistration,
    secret: String(row.secret),
    lockedUntil: Number(row.locked_until),
  };
}
