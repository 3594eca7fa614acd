/** What the hub's tasks cost the disk, told by the statements of each group commit. */
import assert from 'node:assert/strict';
import { Stage, type Task, TaskBatch } from '../../../dist/lib/hub/batch.js';
import { HUB_MIGRATIONS } from '../../../dist/lib/hub/schema.js';
import { TaskBook } from '../../../dist/lib/hub/task-book.js';
import type { LeftOver } from '../../../dist/lib/hub/workers/recordings.js';
import type {
  EndpointId,
  FunctionId,
  PackedArguments,
  TaskGroupId,
  TaskId,
  TaskStatus,
} from '../../../dist/lib/index.js';
import type { Store } from '../../../dist/lib/storage/index.js';
import { drivers, Scratch } from '../storage/scratch.js';
import { batchOf, newId } from './batches.js';

type Statement = readonly [sql: string, params: readonly unknown[]];
type Contributor = (write: (sql: string, params?: readonly unknown[]) => void) => void;

/** In the place of the store: commits when a test says so, and shows what would be written. */
class Disk {
  touched = false;
  readonly #contributors: Contributor[] = [];

  write(): void {}

  writer(contributor: Contributor): void {
    this.#contributors.push(contributor);
  }

  touch(): void {
    this.touched = true;
  }

  async all(): Promise<never[]> {
    return [];
  }

  async get(): Promise<undefined> {}

  commit(): Statement[] {
    const statements: Statement[] = [];
    this.touched = false; // A contributor may have more to write.
    for (const contributor of this.#contributors) contributor((sql, params = []) => statements.push([sql, params]));
    return statements;
  }
}

describe('the book of tasks', () => {
  let disk: Disk;
  let book: TaskBook;

  beforeEach(async () => {
    disk = new Disk();
    ({ book } = await TaskBook.open(disk as unknown as Store));
  });

  function add(count: number, args: PackedArguments = 'x'): TaskBatch {
    const batch = batchOf(Array<PackedArguments>(count).fill(args));
    book.add(batch);
    return batch;
  }

  function end(batch: TaskBatch, index: number, result = '11\n1'): TaskId {
    const task_id = batch.ids[index] as TaskId;
    const status: TaskStatus = { task_id, status: 'success', result, completion_t: String(index + 1) };
    assert.equal(book.end({ batch, index }, status), true);
    return task_id;
  }

  function begin(batch: TaskBatch, ...indexes: number[]): void {
    for (const index of indexes) batch.stages[index] = Stage.running;
    book.touchEach(indexes.map((index) => ({ batch, index })));
  }

  /** The first two words of each statement. */
  const verbs = (statements: readonly Statement[]) =>
    statements.map(([sql]) => sql.trim().split(/\s+/).slice(0, 2).join(' '));

  it('writes nothing of what began, ended and was acknowledged between two commits', () => {
    const batch = add(3);
    begin(batch, 0, 1, 2);
    for (const index of [0, 1, 2]) book.acknowledge(end(batch, index));
    assert.deepEqual(disk.commit(), []);
    assert.deepEqual(disk.commit(), []);
  });

  it('writes one row for a batch, however large, and changes it as its tasks begin and end', () => {
    const batch = add(1000);
    assert.ok(disk.touched);
    assert.deepEqual(verbs(disk.commit()), ['INSERT INTO']);
    begin(batch, 0, 1, 2, 3);
    assert.ok(disk.touched);
    const [[update, params] = ['', []]] = disk.commit();
    assert.match(update, /^UPDATE batches SET stages/);
    assert.deepEqual([...(params[0] as Uint8Array)].slice(0, 5), [
      Stage.running,
      Stage.running,
      Stage.running,
      Stage.running,
      Stage.queued,
    ]);
    for (let index = 0; index < 999; index++) book.acknowledge(end(batch, index));
    assert.deepEqual(verbs(disk.commit()), ['UPDATE batches']);
    book.acknowledge(end(batch, 999));
    assert.deepEqual(verbs(disk.commit()), ['DELETE FROM']);
    assert.deepEqual(disk.commit(), []);
  });

  it('writes the arguments once, and not those of a batch that has ended', () => {
    const large = add(2, 'y'.repeat(100_000));
    const size = (statements: readonly Statement[]) =>
      statements
        .flatMap(([, params]) => params)
        .reduce<number>((sum, param) => sum + (param instanceof Uint8Array ? param.length : 0), 0);
    assert.ok(size(disk.commit()) > 200_000);
    end(large, 0);
    assert.ok(size(disk.commit()) < 1000);
    end(large, 1);
    assert.ok(size(disk.commit()) < 1000);
  });

  it('writes a result that was not acknowledged, and removes it when it is', () => {
    const batch = add(1);
    const id = end(batch, 0);
    const [kept, ...others] = disk.commit();
    assert.match(kept?.[0] ?? '', /^INSERT INTO result_pages/);
    assert.deepEqual(others, []);
    book.acknowledge(id);
    assert.ok(disk.touched);
    book.acknowledge(id);
    const [removal, ...more] = disk.commit();
    assert.match(removal?.[0] ?? '', /^DELETE FROM result_pages/);
    assert.deepEqual(removal?.[1], [kept?.[1][0]]);
    assert.deepEqual(more, []);
  });

  it('writes one row for the results that ended close together, as long as they are acknowledged together', () => {
    const batch = add(1000);
    const ids = batch.ids.map((_, index) => end(batch, index));
    assert.deepEqual(verbs(disk.commit()), ['INSERT INTO']);
    for (const id of ids) book.acknowledge(id);
    assert.deepEqual(verbs(disk.commit()), ['DELETE FROM']);
    assert.deepEqual(disk.commit(), []);
  });

  it('removes the acknowledged ones of results that ended close together', () => {
    const batch = add(3);
    const ids = batch.ids.map((_, index) => end(batch, index));
    disk.commit();
    book.acknowledge(ids[1] as TaskId);
    assert.deepEqual(disk.commit().at(-1)?.[1], [JSON.stringify([ids[1]])]);
    book.acknowledge(ids[0] as TaskId);
    assert.deepEqual(disk.commit().at(-1)?.[1], [JSON.stringify([ids[0]])]);
  });

  it('writes one small row for results that were passed on and stay, when all of those that ended close together were', () => {
    const batch = add(1000);
    const ids = batch.ids.map((_, index) => end(batch, index));
    disk.commit();
    for (const id of ids.slice(1)) book.delivered(id);
    assert.deepEqual(disk.commit(), []);
    assert.ok(disk.touched, 'it is to be looked at again');
    book.delivered(ids[0] as TaskId);
    const [shelved, ...others] = disk.commit();
    assert.match(shelved?.[0] ?? '', /^INSERT INTO shelves/);
    assert.equal(shelved?.[1][1], 1_000_000, 'when the last of them ended');
    assert.deepEqual(others, []);
  });

  it('writes down which results were passed on when the others have not been for long', () => {
    const now = Date.now;
    try {
      const batch = add(2);
      const [first] = batch.ids.map((_, index) => end(batch, index));
      disk.commit();
      book.delivered(first as TaskId);
      assert.deepEqual(disk.commit(), []);
      Date.now = () => now() + 1000;
      assert.deepEqual(disk.commit().at(-1)?.[1], [JSON.stringify([first])]);
    } finally {
      Date.now = now;
    }
  });

  it('takes one end of a task, the first', () => {
    const batch = add(1);
    const task_id = end(batch, 0);
    assert.equal(book.end({ batch, index: 0 }, { task_id, status: 'failed', completion_t: '9' }), false);
    assert.equal(batch.open, 0);
  });

  it('keeps results in memory up to a number and a size, the newest of them', async () => {
    const known = async (ids: readonly TaskId[]) => (await book.statuses(ids)).size;
    const many = add(5000);
    const ids = many.ids.map((_, index) => end(many, index));
    assert.equal(await known(ids), 5000, 'none is dropped before it is stored or acknowledged');
    for (const id of ids.slice(0, 4000)) book.acknowledge(id);
    disk.commit();
    const left = await known(ids);
    assert.ok(left > 256 && left <= 4096, `${left}`);
    assert.ok((await book.statuses(ids.slice(-1))).size === 1);

    const large = add(4);
    const largeIds = large.ids.map((_, index) => end(large, index, 'x'.repeat(6_000_000)));
    for (const id of largeIds) book.acknowledge(id);
    assert.equal(await known(largeIds), 2);
    assert.equal(await known(ids), 0);
  });

  it('removes results that nobody has fetched for two weeks, also while it stays open', () => {
    const now = Date.now;
    try {
      add(1);
      assert.ok(!disk.commit().some(([sql]) => sql.includes('ended_at <')));
      Date.now = () => now() + 2 * 3600 * 1000;
      add(1);
      const [removal] = disk.commit().filter(([sql]) => sql.includes('ended_at <'));
      const twoWeeksAgo = Date.now() - 14 * 24 * 3600 * 1000;
      assert.ok(Math.abs(Number(removal?.[1][0]) - twoWeeksAgo) < 1000);
      add(1);
      assert.ok(!disk.commit().some(([sql]) => sql.includes('ended_at <')));
    } finally {
      Date.now = now;
    }
  });
});

for (const driver of drivers) {
  describe(`results that ended close together, on ${driver}`, () => {
    let scratch: Scratch;

    beforeEach(() => {
      scratch = new Scratch();
    });
    afterEach(() => scratch.clean());

    const open = async (left?: LeftOver) => {
      const store = await scratch.open({ driver, migrations: HUB_MIGRATIONS });
      return { store, ...(await TaskBook.open(store, left)) };
    };
    const results = ['11\n"\0"', '11\n"\ud800 ☃ 😀"', '11\n"acknowledged"', `11\n"${'l'.repeat(100_000)}"`];

    async function ended({ book, store }: Awaited<ReturnType<typeof open>>): Promise<TaskBatch> {
      const batch = batchOf(results.map(() => 'x'));
      book.add(batch);
      for (const [index, result] of results.entries()) {
        const task_id = batch.ids[index] as TaskId;
        book.end(
          { batch, index },
          { task_id, status: 'success', result, completion_t: String(Date.now() / 1000 + index) },
        );
      }
      await store.flush();
      return batch;
    }

    it('are there after a restart, each as it was', async () => {
      const first = await open();
      const batch = await ended(first);
      await first.store.close();
      const { book } = await open();
      const found = await book.statuses(batch.ids);
      assert.deepEqual(
        batch.ids.map((id) => found.get(id)?.result),
        results,
      );
      assert.deepEqual(
        (await book.unacknowledged(batch.groupId)).map(({ task_id }) => task_id),
        batch.ids,
      );
    });

    it('are there with all that was said of them, digit by digit', async () => {
      const first = await open();
      const now = Math.floor(Date.now() / 1000);
      const run = { 'execution-start': now + 0.1234567, 'execution-end': now + 0.123457 };
      const details = {
        os: 'Linux',
        python_version: '3.11.2',
        endpoint_id: newId<EndpointId>(),
        task_transitions: run,
      };
      const usual = { status: 'success', result: '11\n1', completion_t: `${now}.123457`, details };
      const ends: Omit<TaskStatus, 'task_id'>[] = [
        usual,
        { ...usual, result: '11\n"\0 ☃"', completion_t: `${now}.999999` },
        { ...usual, details: { ...details, python_version: '3.8.1', dill_version: '0.4.0' } },
        { ...usual, details: { ...details, rerun: true } },
        { ...usual, details: { ...details, output: 'printed\n' } },
        { ...usual, details: { ...details, task_transitions: { 'execution-end': 2 } } },
        { status: 'failed', exception: 'Traceback: "no"', completion_t: `${now}`, details },
        { status: 'failed', exception: 'lost', error_code: 'WORKER_LOST', completion_t: `${now}.5`, details: {} },
        { status: 'success', result: '11\n2', completion_t: `${now}.000001` },
        usual,
      ];
      const groups = [newId<TaskGroupId>(), newId<TaskGroupId>()];
      const statuses: TaskStatus[] = [];
      for (const [place, end] of ends.entries()) {
        const task_id = newId<TaskId>();
        const [function_, endpoint, group] = [newId<FunctionId>(), newId<EndpointId>(), groups[place >> 3]];
        first.book.add(new TaskBatch(function_, endpoint, group as TaskGroupId, true, [task_id], ['x'], 1));
        statuses.push({ task_id, ...end });
        first.book.end(first.book.find(task_id) as Task, statuses.at(-1) as TaskStatus);
      }
      await first.store.close();
      const { book } = await open();
      const ids = statuses.map(({ task_id }) => task_id);
      const found = await book.statuses(ids);
      assert.deepEqual(
        ids.map((id) => found.get(id)),
        statuses,
      );
      const owed = new Set((await book.unacknowledged(groups[1] as TaskGroupId)).map(({ task_id }) => task_id));
      assert.deepEqual(owed, new Set(ids.slice(8)));
      assert.equal((await book.group(groups[0] as TaskGroupId)).get(ids[1] as TaskId), (now + 1) * 1000);
    });

    it('come beside the tasks that go on: what has begun does not run, what was sent only does', async () => {
      const first = await open();
      const ids = Array.from({ length: 4 }, () => newId<TaskId>());
      const stages = Uint8Array.of(Stage.running, Stage.running, Stage.queued, Stage.queued);
      const [function_, endpoint, group] = [newId<FunctionId>(), newId<EndpointId>(), newId<TaskGroupId>()];
      first.book.add(new TaskBatch(function_, endpoint, group, true, ids, Array(4).fill('x'), Date.now(), stages));
      await first.store.close();
      const [, sent, begun] = ids as [TaskId, TaskId, TaskId, TaskId];
      const second = await open({ begun: new Set([begun]), notBegun: new Set([sent]), files: [] });
      assert.deepEqual(
        second.interrupted.map(({ index }) => index),
        [0, 2],
      );
      assert.deepEqual([...(second.waiting[0] as TaskBatch).stages].slice(1, 2), [Stage.queued]);
      await second.store.close();
      // It is in line on the disk too.
      assert.deepEqual(
        (await open()).interrupted.map(({ index }) => index),
        [0],
      );
    });

    it('are there without those that were acknowledged', async () => {
      const first = await open();
      const batch = await ended(first);
      const [, , acknowledged] = batch.ids;
      first.book.acknowledge(acknowledged as TaskId);
      const others = batch.ids.filter((id) => id !== acknowledged);
      const idsOf = (statuses: readonly TaskStatus[]) => statuses.map(({ task_id }) => task_id);
      assert.deepEqual(idsOf(await first.book.unacknowledged(batch.groupId)), others);
      await first.store.close();
      const { book } = await open();
      assert.deepEqual(idsOf(await book.unacknowledged(batch.groupId)), others);
      assert.equal(await book.status(acknowledged as TaskId), undefined);
    });

    it('and were passed on stay, and are owed to nobody, over restarts', async () => {
      const first = await open();
      const batch = await ended(first);
      for (const id of batch.ids) first.book.delivered(id);
      first.book.close();
      await first.store.close();
      for (let restarts = 0; restarts < 2; restarts++) {
        const { book, store } = await open();
        const found = await book.statuses(batch.ids);
        assert.deepEqual(
          batch.ids.map((id) => found.get(id)?.result),
          results,
        );
        assert.deepEqual(await book.unacknowledged(batch.groupId), []);
        assert.deepEqual(new Set((await book.group(batch.groupId)).keys()), new Set(batch.ids));
        assert.deepEqual(new Set((await book.groupsOf(batch.ids)).values()), new Set([batch.groupId]));
        await store.close();
      }
    });

    it('and were passed on in part are told again without those', async () => {
      const first = await open();
      const batch = await ended(first);
      const [one, ...others] = batch.ids;
      first.book.delivered(one as TaskId);
      first.book.close();
      await first.store.close();
      const { book } = await open();
      assert.deepEqual(
        (await book.unacknowledged(batch.groupId)).map(({ task_id }) => task_id),
        others,
      );
      assert.equal((await book.status(one as TaskId))?.result, results[0]);
    });

    it('are found when memory has no room for them, passed on or not', async () => {
      const lab = await open();
      const { book, store } = lab;
      const batches = [await ended(lab)];
      for (const id of batches[0]?.ids ?? []) book.delivered(id);
      await store.flush();
      while (batches.length < 250) batches.push(await ended(lab));
      for (const { ids, groupId } of batches.slice(0, 2)) {
        const found = await book.statuses(ids);
        assert.deepEqual(
          ids.map((id) => found.get(id)?.result),
          results,
        );
        assert.deepEqual(new Set((await book.group(groupId)).keys()), new Set(ids));
      }
      assert.deepEqual(await book.unacknowledged(batches[0]?.groupId as TaskGroupId), []);
      assert.equal((await book.unacknowledged(batches[1]?.groupId as TaskGroupId)).length, results.length);
    });

    it('are removed two weeks after they were passed on', async () => {
      const now = Date.now;
      const first = await open();
      const batch = await ended(first);
      for (const id of batch.ids) first.book.delivered(id);
      first.book.close();
      await first.store.close();
      try {
        Date.now = () => now() + 15 * 24 * 3600 * 1000;
        const { book, store } = await open();
        assert.equal((await book.statuses(batch.ids)).size, 0);
        for (const table of ['result_pages', 'shelves', 'shelved_results', 'shelf_groups', 'results']) {
          assert.deepEqual(await store.all(`SELECT * FROM ${table}`), [], table);
        }
      } finally {
        Date.now = now;
      }
    });
  });
}
