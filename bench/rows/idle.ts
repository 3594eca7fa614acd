import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { benchFlow } from '../node-red/flow';
import { row } from '../row';

const CODE = 'import os\n\ndef f(x):\n    return os.getpid()\n';

export default row({
  id: 'idle',
  work: 'memory (RSS) of a worker that has run a task and waits; beside: that of a Python that waits for its input',
  unit: 'MB',
  better: 'less',
  async prepare(bench) {
    const nodeRed = await bench.nodeRed(benchFlow({ python: bench.python, code: CODE }));
    const worker = Number(await nodeRed.call('ask', { through: 'run', payload: 0 }));
    const bare = spawn(bench.python, ['-c', 'print(); input()'], { stdio: ['pipe', 'pipe', 'ignore'] });
    bench.atEnd(() => void bare.kill());
    await once(bare.stdout, 'data');
    return { worker, bare: bare.pid ?? 0 };
  },
  ours: async ({ worker }) => residentMegabytes(worker),
  beside: async ({ bare }) => residentMegabytes(bare),
});

function residentMegabytes(pid: number): number {
  const kibibytes = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
  if (!(kibibytes > 0)) throw new Error(`ps knows nothing of process ${pid}.`);
  return (kibibytes * 1024) / 1e6;
}
