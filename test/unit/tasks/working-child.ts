/**
 * A process that hands in messages and sends results on until it is killed, at a service in its parent. What it did is in
 * a journal, written at once, so that no kill takes it away:
 *
 * - `hand-in <message> <calls>` before a message is handed in, `accepted <message>` when the ledger has it for good;
 * - `sent <message> <index> <how>` when a result is sent on; `again` where it was marked as maybe sent before, `once` else.
 *
 * Arguments: the ledger's file, the journal, the number of the first message, of the last, and a seed.
 */
import { openSync, writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { type Delivery, FuncXClient } from '../../../dist/lib/client.js';
import { Store } from '../../../dist/lib/storage/index.js';
import { Ledger } from '../../../dist/lib/tasks/ledger.js';
import { serviceOfParent } from '../../stand-in/over-ipc.js';
import { Random } from '../../stand-in/random.js';
import { ENDPOINT, FUNCTION, OWNER, PLAIN } from './fixture.js';

async function work(file: string, journal: string, first: number, last: number, seed: number): Promise<void> {
  const random = new Random(seed);
  const descriptor = openSync(journal, 'a');
  const note = (line: string) => writeSync(descriptor, `${line}\n`);
  const store = await Store.open({ file, migrations: [] });
  const ledger = await Ledger.open(store, 'client', PLAIN, (_page, error) => {
    throw error;
  });
  const client = await FuncXClient.open({ service: serviceOfParent(), endpointId: ENDPOINT, ledger, inFlight: 25 });

  const sendOn = (delivery: Delivery) => {
    const { entry, index, redelivered } = delivery;
    note(`sent ${entry.parcel} ${index} ${redelivered ? 'again' : 'once'}`);
    client.settle(delivery);
  };
  const serve = () =>
    client.serve(OWNER, (delivery) => {
      if (random.happens(0.5)) sendOn(delivery);
      else setImmediate(() => sendOn(delivery));
    });
  let stop = serve();

  const handIn = (message: number) => {
    const calls = random.happens(0.2) ? 1 + random.below(20) : 1;
    note(`hand-in ${message} ${calls}`);
    const args = Array.from({ length: calls }, (_, i) => ({ args: [`${message} ${i}`] }));
    client.submitFor(OWNER, message, { functionId: FUNCTION, calls: args });
    ledger.durable().then(
      () => note(`accepted ${message}`),
      () => {},
    );
  };
  for (let message = first; message <= last; message++) {
    handIn(message);
    while (random.happens(0.6)) await turn();
    if (random.happens(0.05)) {
      stop();
      while (random.happens(0.9)) await turn();
      stop = serve();
    }
  }
  const open = () => [...client.entriesOf(OWNER)].length;
  while (open() > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await client.close();
  await store.close();
  process.disconnect();
}

if (require.main === module) {
  const [file = '', journal = '', first, last, seed] = process.argv.slice(2);
  void work(file, journal, Number(first), Number(last), Number(seed));
}
