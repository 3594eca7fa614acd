/** What of the messages that wait for a client would be there if the process were killed now. */
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseDriver, openDatabase } from '../../../dist/lib/storage/database.js';

/** Waits until so many messages that wait for their client are in the file of a hub that another process has open. */
export async function stored(userDir: string, count: number): Promise<void> {
  const folder = join(userDir, 'funcx');
  const watcher = watch(folder);
  try {
    while (countIn(folder) !== count) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

/** Looks into a copy: the file itself is locked. */
function countIn(folder: string): number {
  const copies = mkdtempSync(join(tmpdir(), 'funcx-copy-'));
  try {
    for (const name of ['hub.db', 'hub.db-wal']) {
      if (existsSync(join(folder, name))) copyFileSync(join(folder, name), join(copies, name));
    }
    const database = openDatabase(join(copies, 'hub.db'), chooseDriver());
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE');
      const query = database.prepare('SELECT count(*) AS count FROM inbox');
      try {
        return Number(query.all([])[0]?.count);
      } finally {
        query.finalize();
      }
    } finally {
      database.close();
    }
  } catch {
    return -1; // There is no such table yet, or the copy caught it being written.
  } finally {
    rmSync(copies, { recursive: true });
  }
}
