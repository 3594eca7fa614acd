import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NodeRed } from '../../nodes/support/node-red';
import { VirtualHost } from '../broker/virtual-host';
import { Agent } from '../support/agent';
import { broker } from '../support/broker';
import { agentFlow } from '../support/flow';
import { environmentIn } from '../support/hub';
import { Sdk } from '../support/sdk';

interface Arrival {
  readonly number: number;
  readonly payload: unknown;
  readonly error?: string;
}

describe('a flow on Node-RED whose functions run on agents', () => {
  const nodeRed = new NodeRed();
  const journal = join(nodeRed.userDir, 'arrived.txt');
  const agents = [new Agent('north'), new Agent('south')] as const;
  const [north, south] = agents;

  before(async () => {
    writeFileSync(journal, '');
    await nodeRed.start({ flow: [], settings });
    await deploy(broker.url);
    await nodeRed.logged(/What the Python SDK and agents need/);
    const environment = environmentIn(join(nodeRed.userDir, 'funcx/client.sh'));
    await Promise.all(agents.map((agent) => agent.start(environment)));
  });
  after(async () => {
    await Promise.all(agents.map((agent) => agent.dispose()));
    await nodeRed.end('SIGTERM');
    await nodeRed.dispose();
  });

  const settings = "functionGlobalContext: { fs: require('fs') }";

  async function answerOf(path: string, endpoint: string, value: unknown): Promise<unknown> {
    const { status, body } = await nodeRed.ask(path, { body: { endpoint, value } });
    assert.equal(status, 200, JSON.stringify(body).slice(0, 2000));
    return body;
  }

  const run = (kind: string, value: unknown) => answerOf('/run', north.endpoint, [kind, value]);

  it('gets their results', async () => {
    assert.equal(await run('same', 42), 42);
    assert.deepEqual(await run('same', { 'ключ 😀': [1.5, null, true, 'quote " \\ \u2028'] }), {
      'ключ 😀': [1.5, null, true, 'quote " \\ \u2028'],
    });
  });

  it('gets bytes, and what numpy makes of numbers', async () => {
    assert.deepEqual(await run('bytes', [0, 255]), '\u0000\ufffd');
    assert.equal(await run('mean', [1, 2, 6]), 3);
  });

  it('gets 9 MB', async () => {
    assert.equal(String(await run('letters', 9_000_000)).length, 9_000_000);
  });

  it('gets exceptions with their causes into its Catch node', async () => {
    const { status, body } = await nodeRed.ask('/run', { body: { endpoint: north.endpoint, value: ['fail', 'gone'] } });
    assert.equal(status, 500);
    assert.match(JSON.stringify(body), /boom ✓ 😀/);
  });

  it('gets the results of an array in its order', async () => {
    const values = Array.from({ length: 1000 }, (_, i) => ['same', i]);
    assert.deepEqual(
      await answerOf('/batch', south.endpoint, values),
      values.map(([, i]) => i),
    );
  });

  it('spreads its messages over two agents, each result once', async () => {
    await burst(1000, async () => {});
  });

  it('loses nothing when Node-RED, and the hub in it, is killed', async () => {
    await burst(400, async () => {
      await nodeRed.end('SIGKILL');
      await nodeRed.start({ settings });
    });
  });

  it('loses nothing when an agent is killed and comes back', async () => {
    await burst(400, async () => {
      await south.kill();
      await south.start();
    });
  });

  it('loses nothing when a deploy gives the hub another RabbitMQ: agents are started anew, an Executor comes after', async () => {
    const other = await VirtualHost.make(broker.url, broker.managementUrl);
    const executor = new Sdk('executor', environmentIn(join(nodeRed.userDir, 'funcx/client.sh')));
    try {
      const waiting = executor.do('submit_and_wait', { endpoint: north.endpoint, count: 300, seconds: 0.05 });
      waiting.catch(() => {}); // Told below.
      await burst(400, async () => {
        await deploy(other.url);
        await nodeRed.logged(/The hub has left its RabbitMQ for another/);
        await nodeRed.logged(/left its RabbitMQ[\s\S]*The broker is reached/);
        await Promise.all(agents.map((agent) => agent.kill()));
        await Promise.all(agents.map((agent) => agent.start()));
        await broker.cutConnections('/');
      });
      assert.deepEqual(await waiting, []);
    } finally {
      await executor.kill();
      await deploy(broker.url);
      await other.remove();
    }
  });

  async function deploy(amqp: string): Promise<void> {
    const { status, body } = await nodeRed.ask('/flows', { body: agentFlow(amqp, journal) });
    assert.ok(status < 300, JSON.stringify(body));
  }

  /** Has messages sent to both agents, does something when some results are there, and waits for all. */
  async function burst(count: number, disturb: () => Promise<void>): Promise<void> {
    writeFileSync(journal, '');
    const endpoints = agents.map(({ endpoint }) => endpoint);
    assert.equal((await nodeRed.ask('/burst', { body: { endpoints, count } })).status, 200);
    await arrived(count / 10);
    await disturb();
    const arrivals = await arrived(count);
    const numbers = new Set(arrivals.filter(({ error }) => error === undefined).map(({ number }) => number));
    assert.equal(numbers.size, count, JSON.stringify(arrivals.find(({ error }) => error !== undefined)));
  }

  async function arrived(count: number): Promise<Arrival[]> {
    const watcher = watch(journal);
    try {
      for (;;) {
        const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1);
        const arrivals = lines.map((line) => JSON.parse(line) as Arrival);
        if (new Set(arrivals.map(({ number }) => number)).size >= count) return arrivals;
        await once(watcher, 'change', { signal: AbortSignal.timeout(1000) }).catch(() => {}); // Look all the same.
      }
    } finally {
      watcher.close();
    }
  }
});
