import { benchFlow } from '../node-red/flow';
import { row } from '../row';

const TASKS = 1000;
const MESSAGES = 50;
const BATCHES = 5;

export default row({
  id: 'array',
  work: 'an array of 1000 in one message through funcx-batch-run, one message at a time; beside: 1000 times submit and result of ProcessPoolExecutor(2) in Python',
  unit: 'tasks/s',
  better: 'more',
  goal: { ratio: 10, ours: 100_000 },
  async prepare(bench) {
    const nodeRed = await bench.nodeRed(benchFlow(bench));
    return { nodeRed, pool: bench.pythonScript('process_pool.py') };
  },
  async ours({ nodeRed }) {
    const carrying = { kind: 'numbers', length: TASKS } as const;
    const latencies = await nodeRed.call('inTurn', { through: 'batch', count: MESSAGES, carrying });
    return (TASKS * MESSAGES) / (latencies.reduce((sum, ms) => sum + ms, 0) / 1000);
  },
  async beside({ pool }) {
    const answer = await pool.ask(Buffer.from(JSON.stringify({ batches: BATCHES, tasks: TASKS })));
    const { seconds } = JSON.parse(answer.toString()) as { seconds: number };
    return (TASKS * BATCHES) / seconds;
  },
});
