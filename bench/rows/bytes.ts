import { randomBytes } from 'node:crypto';
import { benchFlow } from '../node-red/flow';
import { row } from '../row';
import { median } from '../statistics';

const SIZE = 10_000_000;
const COUNT = 7;

export default row({
  id: 'bytes',
  work: '10 MB of bytes through funcx-run and back; beside: the same in base64 in JSON, over a pipe to a Python process',
  unit: 'ms',
  better: 'less',
  goal: { ratio: 1 / 6 },
  async prepare(bench) {
    const nodeRed = await bench.nodeRed(benchFlow(bench));
    return { nodeRed, echo: bench.pythonScript('base64_echo.py') };
  },
  async ours({ nodeRed }) {
    const carrying = { kind: 'bytes', size: SIZE } as const;
    return median(await nodeRed.call('inTurn', { through: 'run', count: COUNT, carrying }));
  },
  async beside({ echo }) {
    const latencies: number[] = [];
    for (const sent of Array.from({ length: COUNT }, () => randomBytes(SIZE))) {
      const began = performance.now();
      const answer = await echo.ask(Buffer.from(JSON.stringify({ data: sent.toString('base64') })));
      const back = Buffer.from((JSON.parse(answer.toString()) as { data: string }).data, 'base64');
      latencies.push(performance.now() - began);
      if (!back.equals(sent)) throw new Error('The bytes did not come back as they were.');
    }
    return median(latencies);
  },
});
