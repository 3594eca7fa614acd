import { benchFlow } from '../node-red/flow';
import { row } from '../row';
import { median } from '../statistics';

const COUNT = 3000;

export default row({
  id: 'single',
  work: 'one message in flight through funcx-run, median from source to sink; beside: through a bare JavaScript node',
  unit: 'µs',
  better: 'less',
  goal: { ratio: 7 },
  async prepare(bench) {
    const nodeRed = await bench.nodeRed(benchFlow(bench));
    return async (through: 'run' | 'pass') =>
      median(await nodeRed.call('inTurn', { through, count: COUNT, carrying: { kind: 'number' } })) * 1000;
  },
  ours: (latency) => latency('run'),
  beside: (latency) => latency('pass'),
});
