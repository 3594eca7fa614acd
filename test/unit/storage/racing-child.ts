/** Tries to take the lock of a file whenever told `take`, says whether it has it, and gives it back when told `release`. */
import { acquireLock, releaseLock } from '../../../dist/lib/storage/lock.js';

const token = `racer ${process.pid}`;

function main(file: string): void {
  process.on('message', (order) => {
    if (order === 'release') {
      releaseLock(file, token);
      process.send?.('released');
      return;
    }
    acquireLock(file, token).then(
      () => process.send?.('taken'),
      (error: { code?: string; message: string }) => process.send?.(error.code ?? error.message),
    );
  });
  process.send?.('ready');
}

main(process.argv[2] ?? '');
