import { Gate } from '../gate';
import { row } from '../row';

const COUNT = 100_000;

export default row({
  id: 'pending',
  work: 'memory for each of 100 000 pending messages; beside: for each of as many bare messages that are only kept',
  unit: 'bytes',
  better: 'less',
  async prepare(bench) {
    const gate = new Gate(bench);
    const nodeRed = await bench.nodeRed(gate.flow);
    await nodeRed.call('ask', { through: 'run', payload: 0 });
    return { nodeRed, gate };
  },
  async ours({ nodeRed, gate }) {
    const before = await nodeRed.call('memory');
    gate.close();
    await nodeRed.call('leavePending', { through: 'run', count: COUNT });
    const after = await nodeRed.call('memory');
    gate.open();
    await nodeRed.call('drain');
    return (after.heap - before.heap) / COUNT;
  },
  beside: async ({ nodeRed }) => (await nodeRed.call('bareMessages', COUNT)).heap / COUNT,
});
