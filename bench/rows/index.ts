/** The rows, in the order of the table. */
import type { Row } from '../row';
import array from './array';
import burst from './burst';
import bytes from './bytes';
import hubAgent from './hub-agent';
import hubHttp from './hub-http';
import idle from './idle';
import ledger from './ledger';
import pending from './pending';
import pendingDisk from './pending-disk';
import resume from './resume';
import single from './single';
import start from './start';

export const rows: readonly Row[] = [
  burst,
  array,
  single,
  bytes,
  start,
  idle,
  ledger,
  pending,
  pendingDisk,
  resume,
  hubHttp,
  hubAgent,
];
