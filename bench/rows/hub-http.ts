import { join } from 'node:path';
import { RunningHub } from '../../test/interop/support/hub';
import { peers } from '../../test/interop/support/peers';
import { Program } from '../../test/interop/support/program';
import { RabbitMq } from '../../test/interop/support/rabbitmq';
import type { SdkEnvironment } from '../../test/interop/support/sdk';
import type { Bench } from '../bench';
import type { PythonScript } from '../beside/python-script';
import { row } from '../row';

const TASKS = 10_000;

/** An endpoint that the stub does not ask for. */
const ANY = '4b116d3c-1703-4f8f-9f6f-39921e5864df';

export default row({
  id: 'hub-http',
  work: "10 000 calls of the Python SDK's Executor, on two local workers; beside: the same with a hub that answers at once and runs nothing",
  unit: 'tasks/s',
  better: 'more',
  goal: { ratio: 0.9 },
  async prepare(bench) {
    const rabbitMq = new RabbitMq();
    bench.atEnd(() => rabbitMq.dispose());
    await rabbitMq.start();
    const hub = new RunningHub({ amqp: rabbitMq.url, python: peers().python, workers: 2, dist: bench.dist });
    bench.atEnd(() => hub.dispose());
    const { environment, url } = await hub.start();
    const stubUrl = await startStub(bench, rabbitMq.url);
    return {
      pool: hub.pool,
      hub: executorOf(bench, url, environment),
      stub: executorOf(bench, stubUrl, { ...environment, GLOBUS_SDK_SERVICE_URL_AUTH: `${stubUrl}/` }),
    };
  },
  ours: ({ hub, pool }) => paceOf(hub, pool),
  beside: ({ stub }) => paceOf(stub, ANY),
});

async function startStub(bench: Bench, amqp: string): Promise<string> {
  const stub = new Program('the stub hub', [process.execPath, bench.script('beside/stub-hub.ts'), amqp]);
  bench.atEnd(() => stub.killAll());
  const [url] = await stub.said(/^http:\S+/m);
  return url;
}

function executorOf(bench: Bench, url: string, environment: SdkEnvironment): PythonScript {
  const home = bench.folder('sdk-');
  return bench.pythonScript('executor.py', {
    python: peers().python,
    env: { ...environment, HOME: home, FUNCX_BENCH_URL: url, GLOBUS_COMPUTE_USER_DIR: join(home, '.globus_compute') },
  });
}

async function paceOf(executor: PythonScript, endpoint: string): Promise<number> {
  const answer = await executor.ask(Buffer.from(JSON.stringify({ endpoint, tasks: TASKS })));
  const { seconds } = JSON.parse(answer.toString()) as { seconds: number };
  return TASKS / seconds;
}
