import { benchFlow } from '../node-red/flow';
import { row } from '../row';

const COUNT = 20_000;

export default row({
  id: 'ledger',
  work: '20 000 messages at once through funcx-run; beside: the same by a client without its ledger',
  unit: 'messages/s',
  better: 'more',
  goal: { ratio: 0.85 },
  async prepare(bench) {
    const flow = benchFlow(bench);
    const ours = await bench.nodeRed(flow);
    const without = await bench.nodeRed([]);
    await without.call('forgoLedger');
    await without.call('deploy', flow);
    return { ours, without };
  },
  ours: async ({ ours }) => COUNT / ((await ours.call('burst', { through: 'run', count: COUNT })) / 1000),
  beside: async ({ without }) => COUNT / ((await without.call('burst', { through: 'run', count: COUNT })) / 1000),
});
