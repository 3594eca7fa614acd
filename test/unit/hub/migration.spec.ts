/** A hub's file of an earlier version. */
import assert from 'node:assert/strict';
import { HUB_MIGRATIONS } from '../../../dist/lib/hub/schema.js';
import { TaskBook } from '../../../dist/lib/hub/task-book.js';
import { type FunctionId, packBuffers, type TaskGroupId, type TaskId } from '../../../dist/lib/index.js';
import { Store } from '../../../dist/lib/storage/index.js';
import { Scratch } from '../storage/scratch.js';
import { Lab } from './fixture.js';

const OTHER = { id: '0b3390f4-ca5f-496d-a7b9-9e4faed46bff', username: 'other' };
const GROUP = '6f1d2c30-b499-41ea-91c1-0a0ee5aecb35';

const META = { python_version: '3.11.2', sdk_version: '4.15.0', serde_identifier: 'st' };

describe("a hub's file from before there were users", () => {
  let lab: Lab;
  const ids = ['own', 'open', 'shared'].map(
    (_, i) => `00000000-0000-4000-8000-00000000000${i}` as string as FunctionId,
  ) as [FunctionId, FunctionId, FunctionId];

  before(async () => {
    lab = await Lab.open();
    const file = lab.path('old.db');
    const store = await Store.open({ file, migrations: HUB_MIGRATIONS.slice(0, 1) });
    for (const [i, more] of [{}, { public: true }, { group: GROUP.toUpperCase() }].entries()) {
      const function_code = packBuffers(['st\nf:def f():\n    return 1\n']);
      const body = { function_name: 'f', description: 'NUL \0 in it', function_code, meta: META, ...more };
      store.write(
        'INSERT INTO functions (function_uuid, content_hash, registration, author, created_at) VALUES (?, ?, ?, ?, ?)',
        [ids[i] as string, String(i), Buffer.from(JSON.stringify(body)), 'operator', i],
      );
    }
    await store.close();
    await lab.client.close();
    await lab.hub.close();
    await lab.reopenAt(file);
  });
  after(() => lab.clean());

  it('belongs to the operator, who uses it as before', async () => {
    const { results } = await lab.hub.searchFunctions('', 0, 10);
    assert.deepEqual(results.map((hit) => hit.function_uuid).sort(), ids);
    assert.equal((await lab.hub.getFunction(ids[0])).function_name, 'f');
  });

  it('gives others what was public, or for their group', async () => {
    const [own, open, shared] = ids;
    const stranger = lab.hub.as(OTHER);
    const member = lab.hub.as({ ...OTHER, groups: [GROUP] });
    await assert.rejects(stranger.getFunction(own), { code: 'FUNCTION_ACCESS_FORBIDDEN' });
    await assert.rejects(stranger.getFunction(shared), { code: 'FUNCTION_ACCESS_FORBIDDEN' });
    assert.equal((await stranger.getFunction(open)).function_uuid, open);
    assert.equal((await member.getFunction(shared)).function_uuid, shared);
    const found = async (user: typeof stranger) =>
      (await user.searchFunctions('', 0, 10)).results.map((hit) => hit.function_uuid).sort();
    assert.deepEqual(await found(stranger), [open]);
    assert.deepEqual(await found(member), [open, shared]);
    assert.deepEqual(await stranger.deleteFunction(open), { result: 403 });
  });
});

/** The layout of pages was a list of `[group, streamed, ended at, status]`. */
describe("a hub's file with results in pages of the first layout", () => {
  const PAGED = 6;
  const group = '6f1d2c30-b499-41ea-91c1-0a0ee5aecb35' as TaskGroupId;
  const ids = [1, 2, 3].map((i) => `00000000-0000-4000-8000-00000000001${i}` as string as TaskId);
  const scratch = new Scratch();
  const run = { 'execution-start': 1764031024.1234567, 'execution-end': 2 };
  const status = (id: TaskId) => ({
    task_id: id,
    status: 'success',
    result: '11\n"\0"',
    details: { task_transitions: run },
  });
  after(() => scratch.clean());

  it('gives each as it was, and owes those that were not passed on', async () => {
    const [owed, passed, shelved] = ids as [TaskId, TaskId, TaskId];
    const old = await scratch.open({ migrations: HUB_MIGRATIONS.slice(0, PAGED) });
    const now = Date.now();
    const page = (...results: [TaskId, 0 | 1][]) =>
      JSON.stringify(results.map(([id, streamed]) => [group, streamed, now, status(id)]));
    const keep = 'INSERT INTO result_pages (number, results) VALUES (?, ?)';
    old.write(keep, [1, page([owed, 1], [passed, 0])]);
    old.write(keep, [2, page([shelved, 1])]);
    old.write('INSERT INTO shelves (page, ended_at, found) VALUES (2, ?, 1)', [now]);
    old.write('INSERT INTO shelved_results (task_id, page, place) VALUES (?, 2, 0)', [shelved]);
    await old.close();
    const { book } = await TaskBook.open(await scratch.open({ migrations: HUB_MIGRATIONS }));
    assert.deepEqual(await book.statuses(ids), new Map(ids.map((id) => [id, status(id)])));
    assert.deepEqual(
      (await book.unacknowledged(group)).map(({ task_id }) => task_id),
      [owed],
    );
  });
});
