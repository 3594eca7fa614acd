import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { Agent } from '../support/agent';
import { broker } from '../support/broker';
import { RunningHub } from '../support/hub';
import { peers } from '../support/peers';
import { Sdk } from '../support/sdk';

interface Ended {
  readonly succeeded: number;
  readonly failures: readonly string[];
}

/** Tasks that are under way when something is killed. */
const COUNT = 300;

/** How long each takes: together longer than a restart, on two workers. Unit: seconds. */
const EACH = 0.05;

/** An agent publishes what has ended twice a second. Source: globus-compute-endpoint 4.15, `poll_period_s`. */
const PUBLISHING_MS = 1200;

describe('with 300 tasks under way, nothing is lost', () => {
  const agent = new Agent('cluster');
  let hub: RunningHub;
  let client: Sdk;
  let executor: Sdk;
  before(async () => {
    hub = new RunningHub({
      amqp: broker.url,
      management: broker.managementUrl,
      python: peers().python,
      workers: 2,
    });
    const { environment } = await hub.start();
    client = new Sdk('client', environment);
    executor = new Sdk('executor', environment);
    await agent.start(environment);
    await client.do('code_strategy', { endpoint: agent.endpoint, name: 'DillCode' });
  });
  after(async () => {
    await client?.kill();
    await executor?.kill();
    await agent.dispose();
    await hub.dispose();
  });

  /** Has something done when a part of the tasks has ended. @returns how all of them ended */
  async function disturb(endpoint: string, act: () => Promise<unknown>): Promise<Ended> {
    const tasks = await client.do('start_work', { endpoint, count: COUNT, seconds: EACH });
    await client.do('wait_for', { task_ids: tasks, least: COUNT / 10 });
    await act();
    return (await client.do('wait_for', { task_ids: tasks, least: COUNT })) as Ended;
  }

  it('when the hub is killed and an agent has the tasks', async () => {
    const ended = await disturb(agent.endpoint, async () => {
      await hub.kill();
      await hub.start();
    });
    assert.deepEqual(ended, { succeeded: COUNT, failures: [] });
  });

  it('when the hub is killed and its own pool has the tasks: those that ran or ended just then say that they were cut off', async () => {
    const { succeeded, failures } = await disturb(hub.pool, async () => {
      await hub.kill();
      await hub.start();
    });
    assert.equal(succeeded + failures.length, COUNT);
    // Of each worker the one that it ran, and those of the last commit: two in the 100 ms that a slow disk takes for it.
    assert.ok(failures.length <= 2 * 3, failures.join('\n'));
    for (const failure of failures) assert.match(failure, /interrupted|cut off|ended/i);
  });

  it('when the hub is stopped and started', async () => {
    const ended = await disturb(agent.endpoint, async () => {
      assert.equal(await hub.stop(), 0);
      await hub.start();
    });
    assert.deepEqual(ended, { succeeded: COUNT, failures: [] });
  });

  it('when the agent is killed with all that it runs, and comes back', async () => {
    const ended = await disturb(agent.endpoint, async () => {
      await agent.kill();
      await agent.start();
    });
    assert.deepEqual(ended, { succeeded: COUNT, failures: [] });
  });

  it('when all connections of the broker are cut', async () => {
    const ended = await disturb(agent.endpoint, () => broker.cutConnections());
    assert.deepEqual(ended, { succeeded: COUNT, failures: [] });
  });

  it('when the broker is killed and comes back', async () => {
    const ended = await disturb(agent.endpoint, async () => {
      await broker.kill();
      await broker.start();
    });
    assert.deepEqual(ended, { succeeded: COUNT, failures: [] });
  });

  it('when the broker hangs with results on their way, is killed and comes back: they are run again', async () => {
    const ended = await disturb(agent.endpoint, async () => {
      broker.freeze();
      await setTimeout(PUBLISHING_MS);
      await broker.kill();
      await broker.start();
    });
    assert.deepEqual(ended, { succeeded: COUNT, failures: [] });
    assert.match(hub.output, /has not answered \d+ tasks/);
  });

  it('when the hub is killed while an Executor waits for its results', async () => {
    const waiting = executor.do('submit_and_wait', { endpoint: agent.endpoint, count: COUNT, seconds: EACH });
    const helper = client.do('start_work', { endpoint: agent.endpoint, count: 1, seconds: 0 });
    await client.do('wait_for', { task_ids: await helper, least: 1 });
    await hub.kill();
    await hub.start();
    assert.deepEqual(await waiting, []);
  });
});
