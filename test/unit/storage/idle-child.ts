/** Opens a store, writes without waiting, and ends by having nothing left to do. */
import { Store } from '../../../dist/lib/storage/index.js';
import { INSERT_NOTE, NOTES } from './scratch.js';

async function main(file: string): Promise<void> {
  // Nobody listens on this channel, and it must not be what keeps the process.
  process.channel?.unref();
  const store = await Store.open({ file, migrations: [NOTES] });
  store.write(INSERT_NOTE, [1, 'written before the end']);
}

void main(process.argv[2] ?? '');
