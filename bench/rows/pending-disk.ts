import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Gate } from '../gate';
import { row } from '../row';

const COUNT = 100_000;

export default row({
  id: 'pending-disk',
  work: 'disk, with its log, for each of 100 000 pending messages; beside: the bytes of a bare message, cloned',
  unit: 'bytes',
  better: 'less',
  async prepare(bench) {
    const gate = new Gate(bench);
    return { bench, gate, plain: await bench.nodeRed(gate.flow) };
  },
  /** With a new store each time: one that was larger before has room in it. */
  async ours({ bench, gate }) {
    const userDir = bench.folder('node-red-');
    const nodeRed = await bench.nodeRed(gate.flow, userDir);
    await nodeRed.call('ask', { through: 'run', payload: 0 });
    const before = diskOf(userDir);
    gate.close();
    await nodeRed.call('leavePending', { through: 'run', count: COUNT });
    const after = diskOf(userDir);
    gate.open();
    await nodeRed.call('drain');
    await nodeRed.close();
    return (after - before) / COUNT;
  },
  beside: async ({ plain }) => (await plain.call('bareMessages', COUNT)).stored / COUNT,
});

function diskOf(userDir: string): number {
  const store = join(userDir, 'funcx');
  return readdirSync(store).reduce((sum, name) => sum + statSync(join(store, name)).size, 0);
}
