/**
 * Writes groups of ten rows without end, several in flight, and tells its parent the number of each as soon as it is
 * durable. Arguments: the file and the driver.
 */
import { type DriverName, Store } from '../../../dist/lib/storage/index.js';

export const ROWS_OF_A_GROUP = 10;

export const WRITTEN =
  'CREATE TABLE written (batch INTEGER, row INTEGER, filling BLOB, PRIMARY KEY (batch, row)) STRICT';

async function main(file: string, driver: DriverName): Promise<void> {
  const store = await Store.open({ file, migrations: [WRITTEN], driver, commitWindowMs: 0 });
  const filling = new Uint8Array(3_000).fill(1);
  for (let batch = 1; ; batch++) {
    for (let row = 0; row < ROWS_OF_A_GROUP; row++)
      store.write('INSERT INTO written VALUES (?, ?, ?)', [batch, row, filling]);
    const durable = store.flush().then(() => process.send?.(batch));
    if (batch % 2 === 0) await durable;
  }
}

if (require.main === module) void main(process.argv[2] ?? '', process.argv[3] as DriverName);
