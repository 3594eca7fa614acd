/** A directory of its own for each test, the stores opened in it, and the drivers this Node can run. */
import { once as eventOf } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type DriverName, Store, type StoreOptions } from '../../../dist/lib/storage/index.js';
import { hasNodeSqlite } from '../../../dist/lib/storage/node-sqlite.js';

export const drivers: readonly DriverName[] = hasNodeSqlite() ? ['node', 'wasm'] : ['wasm'];

/** A table to write to. */
export const NOTES = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT';

export const INSERT_NOTE = 'INSERT INTO notes (id, text) VALUES (?, ?)';

/** Keeps the thread busy for some hundred milliseconds. */
export const LONG_QUERY = `
  WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT count(*) AS count FROM n`;

export class Scratch {
  readonly directory = mkdtempSync(path.join(os.tmpdir(), 'funcx-store-'));
  readonly #stores: Store[] = [];

  get file(): string {
    return path.join(this.directory, 'test.db');
  }

  async open(options: Partial<StoreOptions> = {}): Promise<Store> {
    const store = await Store.open({ file: this.file, migrations: [NOTES], ...options });
    this.#stores.push(store);
    return store;
  }

  async clean(): Promise<void> {
    await Promise.allSettled(this.#stores.map((store) => store.close()));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The next event of that name, as the list of its arguments. */
export async function once(store: Store, name: 'failing' | 'recovered' | 'refused' | 'damaged'): Promise<unknown> {
  const [argument] = await eventOf(store, name);
  return argument;
}
