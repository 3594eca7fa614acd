/** Which tables the file has: the migrations already applied are counted in `PRAGMA user_version`. */
import type { Database } from './database.js';
import { StoreFailed } from './errors.js';

/** Throws StoreFailed, with the file as it was, when a newer version of the program made it. */
export function refuseNewer(database: Database, migrations: readonly string[], file: string): void {
  const version = schemaVersion(database);
  if (version <= migrations.length) return;
  throw new StoreFailed(
    file,
    `it was written by a newer version of this program (its schema is version ${version}, this program knows up to ` +
      `${migrations.length}); update the program, or give it another file`,
  );
}

/**
 * Applies what is missing, each migration with its count in one transaction. Throws StoreFailed, with that transaction
 * open: closing the file undoes it.
 */
export function migrate(database: Database, migrations: readonly string[], file: string): void {
  for (let version = schemaVersion(database); version < migrations.length; version++) {
    try {
      database.exec(`BEGIN IMMEDIATE;\n${migrations[version]}\n;PRAGMA user_version = ${version + 1};\nCOMMIT;`);
    } catch (error) {
      throw new StoreFailed(file, `migration ${version + 1} failed: ${(error as Error).message}`, { cause: error });
    }
  }
}

function schemaVersion(database: Database): number {
  const statement = database.prepare('PRAGMA user_version');
  try {
    return Number(statement.all([])[0]?.user_version);
  } finally {
    statement.finalize();
  }
}
