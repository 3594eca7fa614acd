/** Opens a store, tells its parent `open` or the code of the error, and holds it until it is killed or told to close. */
import { Store } from '../../../dist/lib/storage/index.js';
import { NOTES } from './scratch.js';

async function main(file: string): Promise<void> {
  try {
    const store = await Store.open({ file, migrations: [NOTES] });
    process.once('message', () => void store.close().then(() => process.disconnect()));
    process.send?.({ opened: true, driver: store.driver });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    process.send?.({ opened: false, code, message }, () => process.disconnect());
  }
}

void main(process.argv[2] ?? '');
