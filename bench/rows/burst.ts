import { benchFlow } from '../node-red/flow';
import { row } from '../row';

const COUNT = 20_000;

export default row({
  id: 'burst',
  work: '20 000 messages at once through funcx-run, waiting for results; beside: through a bare JavaScript node',
  unit: 'messages/s',
  better: 'more',
  goal: { ratio: 0.5 },
  async prepare(bench) {
    const nodeRed = await bench.nodeRed(benchFlow(bench));
    return async (through: 'run' | 'pass') => COUNT / ((await nodeRed.call('burst', { through, count: COUNT })) / 1000);
  },
  ours: (rate) => rate('run'),
  beside: (rate) => rate('pass'),
});
