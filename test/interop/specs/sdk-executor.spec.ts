import assert from 'node:assert/strict';
import { broker } from '../support/broker';
import { RunningHub } from '../support/hub';
import { peers } from '../support/peers';
import { Sdk } from '../support/sdk';

interface Work {
  readonly group: string;
  readonly tasks: readonly string[];
}

describe('the SDK Executor on a local pool', () => {
  let hub: RunningHub;
  let sdk: Sdk;
  before(async () => {
    hub = new RunningHub({
      amqp: broker.url,
      management: broker.managementUrl,
      python: peers().python,
      workers: 2,
    });
    const { environment } = await hub.start();
    sdk = new Sdk('executor', environment);
  });
  after(async () => {
    await sdk?.kill();
    await hub.dispose();
  });

  const here = (more = {}) => ({ endpoint: hub.pool, ...more });

  it('gets the result of a call', async () => {
    await sdk.do('submit', here());
  });

  it('gets the results of 2000 calls, each its own', async () => {
    await sdk.do('many', here({ count: 2000 }));
  });

  it('has no map, as with the hosted service', async () => {
    await sdk.do('map_is_not_offered', here());
  });

  it('raises what the function raised, with its cause', async () => {
    await sdk.do('exception', here());
  });

  it('gets results as they complete', async () => {
    await sdk.do('streaming', here());
  });

  it('runs functions that were registered before, also as source text', async () => {
    await sdk.do('registered', here());
  });

  it('runs shell commands, with their output, exit code and time limit', async () => {
    await sdk.do('shell', here());
  });

  it('is told that there is no MPI here', async () => {
    assert.match(String(await sdk.do('mpi_is_refused', here())), /MPI|resource_specification/);
  });

  it('carries unicode, tuples, bytes and arrays', async () => {
    await sdk.do('values', here());
  });

  it('carries 9 MB there and back', async () => {
    await sdk.do('large_values', here());
  });

  it('finds the results of an earlier process, also after a restart of the hub', async () => {
    const earlier = new Sdk('executor', hub.report.environment);
    const work = (await earlier.do('start_work', here({ count: 100, seconds: 0.02 }))) as Work;
    await earlier.kill();
    const client = new Sdk('client', hub.report.environment);
    // Its own pool cuts off at its end what runs just then.
    await client.do('wait_for', { task_ids: work.tasks, least: 100 });
    await client.kill();
    await hub.stop();
    await hub.start();
    await sdk.do('reload', here({ group: work.group, count: 100 }));
  });
});
