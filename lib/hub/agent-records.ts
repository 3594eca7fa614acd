/** What the store keeps of agents and of the user endpoints that they run. */
import type { EndpointId } from '../compute/ids.js';
import type { EndpointRegistration } from '../compute/service.js';
import type { Row, Store } from '../storage/index.js';
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

export class AgentRecords {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
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
  }

  async userEndpointsOf(id: EndpointId): Promise<UserEndpointRecord[]> {
    const rows = await this.#store.all('SELECT * FROM user_endpoints WHERE endpoint_uuid = ?', [id]);
    return rows.map((row) => ({
      id: String(row.user_endpoint_uuid),
      settings: JSON.parse(String(row.settings)) as UserEndpointSettings,
      incarnation: String(row.incarnation),
    }));
  }

  addUserEndpoint(agentId: EndpointId, { id, settings, incarnation }: UserEndpointRecord): void {
    this.#store.write(
      'INSERT INTO user_endpoints (user_endpoint_uuid, endpoint_uuid, settings, incarnation) VALUES (?, ?, ?, ?)',
      [id, agentId, JSON.stringify(settings), incarnation],
    );
  }

  seen(id: string, incarnation: string): void {
    this.#store.write('UPDATE user_endpoints SET incarnation = ? WHERE user_endpoint_uuid = ?', [incarnation, id]);
  }

  removeUserEndpoint(id: string): void {
    this.#store.write('DELETE FROM user_endpoints WHERE user_endpoint_uuid = ?', [id]);
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
