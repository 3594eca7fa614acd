/** The stream of a task group's results: nothing is lost that was not acknowledged, nothing comes again that was. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { FunctionId, TaskGroupId, TaskId } from '../../../dist/lib/index.js';
import { Consumer, endOf, Lab, warningsOf } from './fixture.js';

describe("the stream of a task group's results", () => {
  let lab: Lab;
  let echo: FunctionId;
  let group: TaskGroupId;
  const consumers: Consumer[] = [];

  before(async () => {
    lab = await Lab.open();
    echo = await lab.function('def echo(x):\n    return x');
  });
  beforeEach(() => {
    group = randomUUID() as string as TaskGroupId;
  });
  afterEach(() => {
    for (const consumer of consumers.splice(0)) consumer.close();
  });
  after(() => lab.clean());

  function consume(acknowledge = false): Consumer {
    const consumer = new Consumer(lab.hub, group, acknowledge);
    consumers.push(consumer);
    return consumer;
  }

  async function submit(...values: number[]): Promise<TaskId[]> {
    const args = values.map((value) => {
      const list = `11\n[${value}]`;
      return `${list.length}\n${list}5\n11\n{}`;
    });
    const body = { tasks: { [echo]: args }, create_queue: true, task_group_id: group };
    return (await lab.hub.submit(lab.endpoint, body)).tasks[echo] as TaskId[];
  }

  /** A second stream of results is told after all that were missed, so that its first result proves what came before. */
  async function nothingBut(consumer: Consumer, expected: readonly TaskId[]): Promise<void> {
    const marker = await submit(-1);
    await consumer.until(expected.length + 1);
    assert.deepEqual([...consumer.ids].sort(), [...expected, ...marker].sort());
    consumer.ack(marker);
  }

  it('tells every result once, as the task shows it', async () => {
    const consumer = consume(true);
    const ids = await submit(...Array.from({ length: 500 }, (_, i) => i));
    await consumer.until(500);
    assert.deepEqual([...consumer.ids].sort(), [...ids].sort());
    const status = consumer.told.find(({ task_id }) => task_id === ids[7]);
    assert.deepEqual(await lab.hub.getTask(ids[7] as TaskId), status);
    assert.equal(status?.result, '11\n7');
    await nothingBut(consumer, ids);
  });

  it('tells nothing of other groups', async () => {
    const consumer = consume(true);
    const mine = group;
    group = randomUUID() as string as TaskGroupId;
    const other = consume(true);
    await submit(1);
    await other.until(1);
    group = mine;
    const [id] = await submit(2);
    await consumer.until(1);
    assert.deepEqual(consumer.ids, [id]);
  });

  it('tells results that came before anybody listened, oldest first', async () => {
    const ids: TaskId[] = [];
    const first = consume();
    for (const value of [1, 2, 3]) {
      ids.push(...(await submit(value)));
      await first.until(ids.length);
    }
    first.close();
    const late = consume(true);
    await late.until(3);
    assert.deepEqual(late.ids, ids);
  });

  for (const [where, stored] of [
    ['that are in the store', true],
    ['that are still in memory', false],
  ] as const) {
    it(`tells unacknowledged results again to the next who listens, and acknowledged ones never: of results ${where}`, async () => {
      const first = consume();
      const ids = await submit(1, 2, 3, 4);
      await first.until(4);
      if (stored) await lab.hub.durable();
      first.ack([first.ids[0] as TaskId, first.ids[2] as TaskId]);
      const rest = [first.ids[1], first.ids[3]] as TaskId[];
      first.close();

      const second = consume();
      await second.until(2);
      await nothingBut(second, rest);
      second.close();

      const third = consume(true);
      await third.until(2);
      await nothingBut(third, rest);
      third.close();

      const fourth = consume();
      await nothingBut(fourth, []);
      assert.equal(ids.length, 4);
    });
  }

  it('does not tell a result twice to somebody who comes while results come', async () => {
    for (let round = 0; round < 20; round++) {
      const submitted = submit(1, 2, 3, 4, 5, 6, 7, 8);
      const consumer = consume();
      const ids = await submitted;
      await consumer.until(8);
      await nothingBut(consumer, ids);
      consumer.ack(consumer.ids);
      consumer.close();
    }
  });

  it('leaves acknowledged results readable for a while', async () => {
    const consumer = consume();
    const [a, b] = (await submit(1, 2)) as [TaskId, TaskId];
    await consumer.until(2);
    consumer.ack([a]);
    await lab.hub.durable();
    consumer.ack([b]);
    await lab.hub.durable();
    for (const [id, value] of [
      [a, 1],
      [b, 2],
    ] as const) {
      assert.equal((await lab.hub.getTask(id)).result, `11\n${value}`);
      assert.equal((await lab.hub.batchStatus([id]))[id]?.status, 'success');
    }
  });

  it('takes an acknowledgement twice, of what is unknown, and after the hub has closed', async () => {
    const consumer = consume();
    const [id] = (await submit(1)) as [TaskId];
    await consumer.until(1);
    consumer.ack([id, id]);
    await lab.hub.durable();
    consumer.ack([id, randomUUID() as string as TaskId]);
    await nothingBut(consumer, [id]);
    const other = await Lab.open();
    const stream = other.hub.results(group, () => {});
    await other.clean();
    stream.ack([id]);
    stream.close();
  });

  it('goes on after a listener that throws, also for others', async () => {
    const warnings = await warningsOf(async () => {
      const stream = lab.hub.results(group, () => {
        throw new Error('a listener of results');
      });
      const ids = await submit(1, 2);
      group = randomUUID() as string as TaskGroupId;
      const other = consume(true);
      await submit(3);
      await other.until(1);
      for (const id of ids) assert.equal((await endOf(lab.client, id)).status, 'success');
      stream.close();
    });
    assert.ok(warnings.some(({ message }) => message === 'a listener of results'));
  });

  it('tells nothing more once it was closed', async () => {
    const closed = consume();
    const open = consume(true);
    closed.close();
    await submit(1);
    await open.until(1);
    assert.deepEqual(closed.ids, []);
  });
});

describe('a hub that was told to be durable', () => {
  it('keeps everything accepted before, for the next process', async () => {
    const lab = await Lab.open({ workers: 1 });
    try {
      const group = randomUUID() as string as TaskGroupId;
      const echo = await lab.function('def echo(x):\n    return x');
      const consumer = new Consumer(lab.hub, group);
      const list = '7\n11\n[42]5\n11\n{}';
      const { tasks } = await lab.hub.submit(lab.endpoint, {
        tasks: { [echo]: [list] },
        create_queue: true,
        task_group_id: group,
      });
      await consumer.until(1);
      await lab.hub.durable();
      await lab.client.close();
      await lab.hub.close();
      await lab.reopen();
      const next = new Consumer(lab.hub, group);
      await next.until(1);
      assert.deepEqual(next.ids, tasks[echo]);
      assert.equal(next.told[0]?.result, '11\n42');
    } finally {
      await lab.clean();
    }
  });
});
