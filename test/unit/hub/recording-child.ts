/** A process that records what its workers would be sent, and is killed. See `recordings.spec.ts`. */
import { readFileSync, writeSync } from 'node:fs';
import { Recorder } from '../../../dist/lib/hub/workers/recorder.js';
import { Recordings } from '../../../dist/lib/hub/workers/recordings.js';
import type { TaskId } from '../../../dist/lib/index.js';

interface RecordedWorker {
  readonly sent: readonly (readonly TaskId[])[];
  /** How many of them have begun. */
  readonly begun: number;
  /** Sequence numbers of those that were taken back, and of those of them that were sent to another worker. */
  readonly takenBack?: readonly number[];
  readonly movedOn?: readonly number[];
}

export interface RecordingOrders {
  readonly folder: string;
  readonly hub: string;
  readonly file: string;
  readonly workers: readonly RecordedWorker[];
}

const { folder, hub, file, workers } = JSON.parse(readFileSync(0, 'utf8')) as RecordingOrders;
const store = { file, committed: async () => {} };
for (const { sent, begun, takenBack = [], movedOn = [] } of workers) {
  const recorder = new Recorder(new Recordings(hub, store, folder));
  let next = 0;
  for (const ids of sent) {
    recorder.sends(next, ids);
    next += ids.length;
  }
  for (const seq of takenBack) recorder.takenBack(seq);
  for (const seq of movedOn) recorder.movedOn(seq);
  // As the worker writes it.
  const word = Buffer.alloc(8);
  word.writeUInt32LE(begun, 0);
  writeSync(recorder.fd, word, 0, 8, 0);
}
process.kill(process.pid, 'SIGKILL');
