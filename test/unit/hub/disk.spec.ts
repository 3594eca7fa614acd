/** A store that cannot write: tasks run on, nothing is lost, and the hub says so. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import type { FunctionId, TaskGroupId, TaskId } from '../../../dist/lib/index.js';
import { Consumer, endOf, Lab, outcomesOf } from './fixture.js';

const ECHO = 'def echo(x):\n    return x';

describe('a hub whose store fails', () => {
  let lab: Lab;
  let thread: Worker;
  let echo: FunctionId;
  let group: TaskGroupId;

  beforeEach(async () => {
    process.once('worker', (started) => {
      thread = started;
    });
    lab = await Lab.open({ workers: 1 });
    echo = await lab.function(ECHO);
    group = randomUUID() as string as TaskGroupId;
    await lab.client.run({ functionId: echo, args: [0] }); // The function is in memory from here on.
  });
  afterEach(() => lab.clean());

  async function submit(...values: number[]): Promise<TaskId[]> {
    const args = values.map((value) => {
      const list = `11\n[${value}]`;
      return `${list.length}\n${list}5\n11\n{}`;
    });
    const body = { tasks: { [echo]: args }, create_queue: true, task_group_id: group };
    return (await lab.hub.submit(lab.endpoint, body)).tasks[echo] as TaskId[];
  }

  it('says so once, and again when it has recovered', async () => {
    const events: string[] = [];
    lab.hub.on('failing', (error) => events.push(`failing: ${error.name}`));
    lab.hub.on('recovered', () => events.push('recovered'));
    const recovered = once(lab.hub, 'recovered');
    void thread.terminate();
    await once(lab.hub, 'failing');
    await assert.rejects(lab.hub.durable(), { code: 'STORE_FAILED' });
    await recovered;
    await lab.hub.durable();
    assert.deepEqual(events, ['failing: StoreFailed', 'recovered']);
  });

  it('runs tasks and tells their results meanwhile, and has all of it afterwards', async () => {
    const consumer = new Consumer(lab.hub, group);
    await submit(1);
    await consumer.until(1);
    const recovered = once(lab.hub, 'recovered');
    void thread.terminate();
    await once(lab.hub, 'failing');
    const ids = await submit(2, 3, 4);
    await consumer.until(4);
    assert.deepEqual(consumer.ids.slice(1), ids);
    assert.equal((await lab.hub.getTask(ids[0] as TaskId)).result, '11\n2', 'it can be asked for too');
    consumer.ack([ids[1] as TaskId]);
    await recovered;
    await lab.hub.durable();
    const kept = [consumer.ids[0], ids[0], ids[2]];
    consumer.close();
    await lab.client.close();
    await lab.hub.close();

    await lab.reopen();
    const next = new Consumer(lab.hub, group);
    await next.until(3);
    assert.deepEqual(next.ids, kept);
  });

  it('tells somebody who comes meanwhile what he has missed when it has recovered, once', async () => {
    const first = new Consumer(lab.hub, group);
    const stored = await submit(1, 2);
    await first.until(2);
    await lab.hub.durable();
    first.close();
    const recovered = once(lab.hub, 'recovered');
    void thread.terminate();
    await once(lab.hub, 'failing');
    const second = new Consumer(lab.hub, group);
    const [live] = await submit(3);
    await second.until(1);
    await recovered;
    await second.until(3);
    const [last] = await submit(4);
    await second.until(4);
    assert.deepEqual(second.ids, [live, ...stored, last]);
  });

  it('makes run say that a task may be lost, though it runs', async () => {
    void thread.terminate();
    await once(lab.hub, 'failing');
    await assert.rejects(lab.client.run({ functionId: echo, args: [5] }), { code: 'STORE_FAILED' });
    const outcomes = await outcomesOf(lab.client, echo, [{ args: [6] }]);
    assert.equal(outcomes[0]?.status === 'success' && outcomes[0].result, 6);
  });
});

describe('a hub whose disk is full', () => {
  it('goes on in memory, and writes when there is room', async function () {
    const lab = await Lab.open();
    const folder = lab.path('disk');
    mkdirSync(folder);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'funcx-test', folder], { stdio: 'ignore' });
    } catch {
      await lab.clean();
      this.skip(); // Only root may mount.
    }
    try {
      await lab.client.close();
      await lab.hub.close();
      await lab.reopenAt(`${folder}/hub.db`);
      const echo = await lab.function(ECHO);
      await endOf(lab.client, await lab.client.run({ functionId: echo, args: [0] }));
      writeAll(`${folder}/filler`);
      const failing = once(lab.hub, 'failing');
      const recovered = once(lab.hub, 'recovered');
      const texts = Array.from({ length: 100 }, (_, i) => ({ args: [`${i}${'x'.repeat(3000)}`] }));
      const waiting = lab.client.batchRun({ functionId: echo, calls: texts });
      await assert.rejects(waiting, { code: 'STORE_FAILED' });
      assert.match(String((await failing)[0]), /full/);
      const outcomes = await outcomesOf(lab.client, echo, texts);
      assert.deepEqual(
        outcomes.map((outcome) => outcome.status === 'success' && outcome.result),
        texts.map(({ args }) => args[0]),
      );
      rmSync(`${folder}/filler`);
      await recovered;
      await lab.hub.durable();
    } finally {
      await lab.clean(() => execFileSync('umount', ['--lazy', folder]));
    }
  }).timeout(20_000);
});

/** Leaves not one free page. */
function writeAll(file: string): void {
  try {
    writeFileSync(file, Buffer.alloc(9_000_000));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  }
}
