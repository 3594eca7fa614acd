import assert from 'node:assert/strict';
import type { ConsoleUserEndpoint } from '../../../dist/lib/index.js';
import { Agent } from '../support/agent';
import { broker } from '../support/broker';
import { RunningHub } from '../support/hub';
import { Sdk } from '../support/sdk';

describe('an endpoint agent', () => {
  const agent = new Agent('cluster');
  let hub: RunningHub;
  let client: Sdk;
  let executor: Sdk;
  before(async () => {
    hub = new RunningHub({ amqp: broker.url, management: broker.managementUrl, workers: 0 });
    const { environment } = await hub.start();
    client = new Sdk('client', environment);
    executor = new Sdk('executor', environment);
    await agent.start(environment);
  });
  after(async () => {
    await client?.kill();
    await executor?.kill();
    await agent.dispose();
    await hub.dispose();
  });

  const there = (more = {}) => ({ endpoint: agent.endpoint, ...more });

  it('is an endpoint of its owner, online, with what it says of itself', async () => {
    await client.do('becomes', there({ status: 'online' }));
    const found = (await client.do('endpoints', there({ role: 'owner' }))) as Record<string, Record<string, unknown>>;
    assert.equal(found.status?.status, 'online');
    assert.equal(found.metadata?.name, 'cluster');
    assert.equal(found.metadata?.endpoint_version, '4.15.0');
    assert.match(JSON.stringify(found.metadata?.user_config_schema), /ThreadPoolEngine/);
  });

  it('runs what a Client sends', async () => {
    await client.do('code_strategy', there({ name: 'DillCode' }));
    await client.do('source_code', there());
    await client.do('batch', there({ count: 100 }));
  });

  it('refuses settings that its schema does not allow, and says which', async () => {
    const config = { engine: 'SlurmEngine' };
    assert.match(String(await executor.do('config_is_refused', there({ config }))), /engine/);
  });

  for (const engine of ['ThreadPoolEngine', 'ProcessPoolEngine', 'GlobusComputeEngine']) {
    describe(`with a ${engine}`, () => {
      const chosen = (more = {}) => there({ config: { engine }, ...more });

      it('gives an Executor its results', async () => {
        await executor.do('submit', chosen());
        await executor.do('many', chosen({ count: 500 }));
      });

      it('gives it exceptions with their causes', async () => {
        await executor.do('exception', chosen());
      });

      it('runs shell commands', async () => {
        await executor.do('shell', chosen());
      });

      it('carries unicode, tuples, bytes, arrays and 9 MB', async () => {
        await executor.do('values', chosen());
        await executor.do('large_values', chosen());
      });

      it("is shown on its owner's console, and what it has done", async () => {
        const shown = (await client.do('console', there({ engine, least: 500 }))) as ConsoleUserEndpoint;
        const process = agent.processes.includes(shown.posix_pid ?? 0);
        assert.deepEqual([shown.active, shown.engine_type, process], [true, engine, true]);
        assert.deepEqual(
          [shown.total_worker_count, shown.idle_worker_count, shown.running_task_count, shown.queued_task_count],
          [2, 2, 0, 0],
        );
        assert.equal(shown.endpoint_version, '4.15.0');
        assert.deepEqual(shown.client_sdk_versions, ['4.15.0']);
        assert.ok(Date.now() / 1000 - (shown.last_heartbeat_unix ?? 0) < 120);
        assert.ok(Math.abs(Date.parse(shown.start_time_iso ?? '') / 1000 - (shown.start_time_unix ?? 0)) < 1);
        assert.match(shown.config ?? '', new RegExp(`type: ${engine}`));
        const isParsl = engine === 'GlobusComputeEngine';
        assert.deepEqual(
          [shown.provider_type, shown.total_node_count],
          isParsl ? ['LocalProvider', 1] : [undefined, undefined],
        );
        const [node] = Object.values(shown.node_info ?? {}).flat();
        assert.deepEqual(
          [node?.total_worker_count, node?.sdk_version],
          isParsl ? [2, '4.15.0'] : [undefined, undefined],
        );
      });
    });
  }

  it('refuses MPI with an engine that has none', async () => {
    const config = { engine: 'ThreadPoolEngine' };
    assert.match(String(await executor.do('mpi_is_refused', there({ config }))), /MPI/);
  });
});
