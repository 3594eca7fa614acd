/** What the store on the main thread and its worker thread say to each other. Everything here is structured-cloned. */
import type { Damage } from './damage.js';
import type { DriverName } from './database.js';
import type { Row, SqlValue } from './values.js';

/** What the thread is started with. */
export interface ThreadData {
  file: string;
  /** Names the store that owns the lock, so that a thread started anew finds the lock its own. */
  token: string;
  migrations: readonly string[];
  driver: DriverName;
  /** The file was open before in this store: it must still be there. */
  again: boolean;
}

/** One transaction. `steps` holds, for each statement to run, the index of its text in `sql` and its count of values. */
export interface GroupMessage {
  kind: 'group';
  number: number;
  /**
   * Counts the attempts to get over a failure. After a failure the thread passes over every group of the same epoch,
   * so that a later group is never durable before an earlier one.
   */
  epoch: number;
  sql: readonly string[];
  steps: Uint32Array<ArrayBuffer>;
  values: readonly SqlValue[];
}

export interface ReadMessage {
  kind: 'read';
  id: number;
  sql: string;
  params: readonly SqlValue[];
  /** 1 for the first row only, 0 for all. */
  limit: 0 | 1;
}

export type ToThread = GroupMessage | ReadMessage | { kind: 'close' };

/** A statement that can never succeed, left out of its group; the others of the group are durable. */
export interface RefusedStatement {
  sql: string;
  reason: string;
}

/** The file is open, and holds the groups of this store up to the number `durable`. */
export interface Opened {
  kind: 'opened';
  damage: Damage | undefined;
  durable: number;
}

export type FromThread =
  | Opened
  | { kind: 'notOpened'; code: string; message: string; pid: number | undefined }
  | { kind: 'committed'; number: number; refused: readonly RefusedStatement[] }
  | { kind: 'failed'; number: number; reason: string }
  | { kind: 'rows'; id: number; rows: Row[] }
  | { kind: 'readFailed'; id: number; reason: string }
  | { kind: 'closed' };
