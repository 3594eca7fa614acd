import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { benchFlow } from '../node-red/flow';
import { row } from '../row';

export default row({
  id: 'start',
  work: 'from a deploy of the flow to the first result, everything being started anew; beside: a Python that does nothing',
  unit: 'ms',
  better: 'less',
  async prepare(bench) {
    const flow = benchFlow(bench);
    return { nodeRed: await bench.nodeRed(flow), flow, python: bench.python };
  },
  async ours({ nodeRed, flow }) {
    const began = performance.now();
    await nodeRed.call('deploy', flow);
    if ((await nodeRed.call('ask', { through: 'run', payload: 42 })) !== 42) throw new Error('A wrong first result.');
    return performance.now() - began;
  },
  async beside({ python }) {
    const began = performance.now();
    const [code] = await once(spawn(python, ['-c', 'pass'], { stdio: 'ignore' }), 'exit');
    if (code !== 0) throw new Error(`Python ended with ${code}.`);
    return performance.now() - began;
  },
});
