import { Gate } from '../gate';
import { row } from '../row';

const COUNT = 100_000;

/** Tasks that were running when Node-RED ended are reported, and are pending no more: two workers a restart. */
const SOME_REPORTED = 1000;

export default row({
  id: 'resume',
  work: 'from a deploy until 100 000 tasks that were pending at the end of Node-RED are taken up; beside: deploying without any',
  unit: 'ms',
  better: 'less',
  async prepare(bench) {
    const gate = new Gate(bench);
    const full = bench.folder('node-red-');
    const first = await bench.nodeRed(gate.flow, full);
    await first.call('ask', { through: 'run', payload: 0 });
    gate.close();
    await first.call('leavePending', { through: 'run', count: COUNT });
    await first.call('settle');
    await first.close();
    const deploying = async (userDir: string, pending: number) => {
      const nodeRed = await bench.nodeRed([], userDir);
      const ms = await nodeRed.call('takeUp', gate.flow, pending);
      await nodeRed.close();
      return ms;
    };
    const empty = bench.folder('node-red-');
    return {
      full: () => deploying(full, COUNT - SOME_REPORTED),
      empty: () => deploying(empty, 0),
    };
  },
  ours: ({ full }) => full(),
  beside: ({ empty }) => empty(),
});
