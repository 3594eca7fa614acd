import { join } from 'node:path';
import { Agent, THREADS } from '../../test/interop/support/agent';
import { SDK_PORT } from '../../test/interop/support/hub';
import { RabbitMq } from '../../test/interop/support/rabbitmq';
import type { Bench } from '../bench';
import { StraightAgent } from '../beside/straight-agent';
import { row } from '../row';

const TASKS = 3000;

const SOURCE = 'def same(x):\n    return x\n';

/** The library, from the build that is measured. */
type Library = typeof import('../../dist/lib/index.js');
type Client = Awaited<ReturnType<Library['FuncXClient']['open']>>;

export default row({
  id: 'hub-agent',
  work: '3000 calls of our client through the hub and an agent with a ThreadPoolEngine; beside: the same agent fed straight from RabbitMQ',
  unit: 'tasks/s',
  better: 'more',
  goal: { ratio: 0.9 },
  async prepare(bench) {
    const rabbitMq = new RabbitMq();
    bench.atEnd(() => rabbitMq.dispose());
    await rabbitMq.start();
    const straight = new StraightAgent();
    bench.atEnd(() => straight.dispose());
    await straight.start(rabbitMq.url, THREADS);
    const library = require(join(bench.dist, 'lib/index.js')) as Library;
    return { library, straight, client: await clientOfAgent(bench, library, rabbitMq.url) };
  },
  async ours({ library, client }) {
    const functionId = await client.registerFunction({ source: SOURCE });
    const calls = Array.from({ length: TASKS }, (_, i) => ({ args: [i] }));
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      let left = TASKS;
      client.submitBatch({ functionId, calls }, (index, outcome) => {
        if (outcome.status === 'failed') return reject(outcome.error);
        if (outcome.result !== index) return reject(new library.FuncXError('WRONG', `${index}: ${outcome.result}`));
        if (--left === 0) resolve();
      });
    });
    return paceOf(performance.now() - began);
  },
  async beside({ library, straight }) {
    const code = library.packBuffers([`st\nsame:${SOURCE}`]);
    const args = Array.from({ length: TASKS }, (_, i) => library.packBuffers([`11\n[${i}]`, '11\n{}']));
    return paceOf(await straight.run(code, args));
  },
});

async function clientOfAgent(bench: Bench, { Hub, HubServer, FuncXClient }: Library, amqp: string): Promise<Client> {
  const hub = await Hub.open({ file: join(bench.folder('hub-'), 'hub.db'), broker: { url: amqp } });
  bench.atEnd(() => hub.close());
  const server = await HubServer.listen({ hub, port: SDK_PORT, rateLimit: false });
  bench.atEnd(() => server.close());
  const { clientId, clientSecret } = await hub.issueClient('bench');
  const agent = new Agent('bench');
  bench.atEnd(() => agent.dispose());
  await agent.start({
    GLOBUS_SDK_ENVIRONMENT: 'local',
    GLOBUS_SDK_SERVICE_URL_AUTH: `${server.url}/`,
    GLOBUS_COMPUTE_CLIENT_ID: clientId,
    GLOBUS_COMPUTE_CLIENT_SECRET: clientSecret,
  });
  const client = await FuncXClient.open({ service: hub, endpointId: agent.endpoint });
  bench.atEnd(() => client.close());
  return client;
}

function paceOf(ms: number): number {
  return TASKS / (ms / 1000);
}
