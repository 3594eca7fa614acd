/** Submitting tasks to the hub and asking for them, in the shapes and refusals of the service. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { promisify } from 'node:util';
import { Deferred } from '../../../dist/lib/deferred.js';
import type {
  EndpointId,
  FunctionId,
  PackedArguments,
  Submission,
  TaskGroupId,
  TaskId,
} from '../../../dist/lib/index.js';
import { Consumer, endOf, Lab, PYTHON, RING, WAIT_FOR_ANSWER } from './fixture.js';

/** Largest submission. Source: Globus Compute documentation, "Limits". */
const LIMIT = 10 * 1024 * 1024;

/** Packed arguments of one text. */
function packed(text: string): string {
  const args = `11\n${JSON.stringify([text])}`;
  return `${args.length}\n${args}5\n11\n{}`;
}

const newId = <Id>() => randomUUID() as unknown as Id;

describe('a submission to the hub', () => {
  let lab: Lab;
  let echo: FunctionId;

  before(async () => {
    lab = await Lab.open();
    echo = await lab.function('def echo(x):\n    return x');
  });
  after(() => lab.clean());

  const submit = (body: Submission, endpoint = lab.endpoint) => lab.hub.submit(endpoint, body);

  it('is answered with ids in the order of the arguments, for several functions at once', async () => {
    const other = await lab.function('def other(x):\n    return "other " + x');
    const texts = Array.from({ length: 300 }, (_, i) => String(i));
    const group = newId<TaskGroupId>();
    const reply = await submit({
      task_group_id: group,
      tasks: { [echo]: texts.map(packed), [other]: ['a', 'b'].map(packed) },
    });
    assert.equal(reply.task_group_id, group);
    assert.equal(reply.endpoint_id, lab.endpoint);
    assert.ok(typeof reply.request_id === 'string');
    assert.deepEqual(Object.keys(reply.tasks).sort(), [echo, other].sort());
    const ids = [...(reply.tasks[echo] ?? []), ...(reply.tasks[other] ?? [])] as TaskId[];
    assert.equal(new Set(ids).size, 302);
    const results = [];
    for (const id of ids) {
      const outcome = await endOf(lab.client, id);
      results.push(outcome.status === 'success' && outcome.result);
    }
    assert.deepEqual(results, [...texts, 'other a', 'other b']);
  });

  it('makes a task group where it names none, which another submission can join', async () => {
    const { task_group_id } = await submit({ tasks: { [echo]: [packed('a')] } });
    const group = task_group_id as TaskGroupId;
    const second = await submit({ task_group_id: group, tasks: { [echo]: [packed('b'), packed('c')] } });
    assert.equal(second.task_group_id, group);
    const info = await lab.hub.taskGroup(group);
    assert.equal(info.taskgroup_id, group);
    assert.equal(info.tasks?.length, 3);
    for (const { created_at } of info.tasks ?? []) assert.ok(!Number.isNaN(Date.parse(String(created_at))));
  });

  for (const [what, body, code, status] of [
    ['without tasks', { tasks: {} }, 'REQUEST_MALFORMED', 400],
    ['with a function that has no task', () => ({ tasks: { [echo]: [] } }), 'REQUEST_MALFORMED', 400],
    ['that is no object', { tasks: null as never }, 'REQUEST_MALFORMED', 400],
    ['with arguments that are no list', () => ({ tasks: { [echo]: packed('a') as never } }), 'REQUEST_MALFORMED', 400],
    ['with arguments that are not packed', () => ({ tasks: { [echo]: [['a'] as never] } }), 'REQUEST_MALFORMED', 400],
    ['for a function that is not known', { tasks: { [randomUUID()]: ['x'] } }, 'FUNCTION_NOT_FOUND', 404],
    ['for a function that is no UUID', { tasks: { add: ['x'] } }, 'INVALID_UUID', 400],
    [
      'in a group that is no UUID',
      () => ({ tasks: { [echo]: ['x'] }, task_group_id: 'g' as never }),
      'INVALID_UUID',
      400,
    ],
  ] as const) {
    it(`${what} is refused with ${code}`, async () => {
      const submission = typeof body === 'function' ? body() : body;
      await assert.rejects(submit(submission), { code, httpStatus: status });
    });
  }

  it('for an endpoint that is not known is refused with ENDPOINT_NOT_FOUND', async () => {
    const tasks = { [echo]: [packed('a')] };
    await assert.rejects(submit({ tasks }, newId<EndpointId>()), { code: 'ENDPOINT_NOT_FOUND', httpStatus: 404 });
    await assert.rejects(submit({ tasks }, 'here' as EndpointId), { code: 'ENDPOINT_NOT_FOUND', httpStatus: 404 });
  });

  it('with one function that is not known runs nothing of the others', async () => {
    const bell = await lab.bell();
    const ring = await lab.function(`${RING}\ndef main(bell):\n    ring(bell, "rang")`);
    const tasks = { [ring]: [packed(bell.path)], [newId<FunctionId>()]: ['x'] };
    await assert.rejects(submit({ tasks }), { code: 'FUNCTION_NOT_FOUND' });
    await submit({ tasks: { [ring]: [packed(bell.path), packed(bell.path)] } });
    assert.equal((await bell.next()).text, 'rang');
    assert.equal((await bell.next()).text, 'rang');
    assert.equal(bell.waiting, 0);
  });

  describe('of many bytes', () => {
    const text = (bytes: number) => packed('x'.repeat(bytes - packed('').length - 7));

    it('is taken up to the limit', async () => {
      const arguments_ = text(LIMIT);
      assert.equal(Buffer.byteLength(arguments_), LIMIT);
      const { tasks } = await submit({ tasks: { [echo]: [arguments_] } });
      // What it returns is as long, and a result may be so long.
      const outcome = await endOf(lab.client, tasks[echo]?.[0] as TaskId);
      assert.equal(outcome.status === 'success' && (outcome.result as string).length, LIMIT - 23);
    });

    it('is refused above it: one task with TASK_PAYLOAD_TOO_LARGE, several with BATCH_RUN_TOO_LARGE', async () => {
      const cases: [PackedArguments[], string, number][] = [
        [[text(LIMIT + 1)], 'TASK_PAYLOAD_TOO_LARGE', LIMIT + 1],
        [[text(LIMIT - 10), 'x'.repeat(11)], 'BATCH_RUN_TOO_LARGE', LIMIT + 1],
        [['é'.repeat(LIMIT / 2 + 1)], 'TASK_PAYLOAD_TOO_LARGE', LIMIT + 2],
        [[{ text: 'x', tag: 't', buffers: [new Uint8Array(LIMIT)] }], 'TASK_PAYLOAD_TOO_LARGE', LIMIT + 1],
      ];
      for (const [args, code, bytes] of cases) {
        await assert.rejects(submit({ tasks: { [echo]: args } }), { code, httpStatus: 413, errorArgs: [bytes, LIMIT] });
      }
    });

    it('counts what all functions get', async () => {
      const other = await lab.function('def other(x):\n    pass');
      const half = text(LIMIT / 2 + 2);
      await assert.rejects(submit({ tasks: { [echo]: [half], [other]: [half] } }), { code: 'BATCH_RUN_TOO_LARGE' });
    });
  });

  describe('asked for', () => {
    it('shows its tasks in the states of the service, from waiting to the end', async () => {
      const bell = await lab.bell();
      const wait = await lab.function(WAIT_FOR_ANSWER);
      const args = (text: string) => {
        const list = `11\n${JSON.stringify([bell.path, text])}`;
        return `${list.length}\n${list}5\n11\n{}`;
      };
      const { tasks } = await submit({ tasks: { [wait]: ['a', 'b', 'c'].map(args) } });
      const ids = tasks[wait] as TaskId[];
      const [first, second] = [await bell.next(), await bell.next()];
      assert.deepEqual([first.text, second.text].sort(), ['a', 'b']);
      assert.deepEqual(
        await Promise.all(ids.map((id) => lab.hub.getTask(id))),
        ids.map((task_id, i) => ({ task_id, status: i < 2 ? 'running' : 'waiting-for-nodes' })),
      );
      assert.deepEqual(await lab.hub.endpointStatus(lab.endpoint), {
        status: 'online',
        details: { total_workers: 2, idle_workers: 0, pending_tasks: 1, outstanding_tasks: 3, managers: 1 },
      });
      first.answer();
      second.answer();
      (await bell.next()).answer();
      for (const id of ids) await endOf(lab.client, id);
      const ended = await lab.hub.batchStatus(ids);
      for (const [i, id] of ids.entries()) {
        const status = ended[id];
        assert.equal(status?.status, 'success');
        assert.equal(status.result, `11\n"${'abc'[i]}"`);
        const { 'execution-start': start = 0, 'execution-end': end = 0 } = status.details?.task_transitions ?? {};
        assert.ok(start > 1e9 && start <= end);
        assert.match(String(status.completion_t), /^\d+\.\d{6}$/);
        assert.ok(Math.abs(end - Number(status.completion_t)) < 2e-6);
        assert.equal(status.details?.endpoint_id, lab.endpoint);
      }
    });

    it('does not know what never was: an error for one task, a failed entry among many', async () => {
      const unknown = newId<TaskId>();
      await assert.rejects(lab.hub.getTask(unknown), { code: 'TASK_NOT_FOUND', httpStatus: 404, errorArgs: [unknown] });
      await assert.rejects(lab.hub.getTask('x' as TaskId), { code: 'INVALID_UUID' });
      await assert.rejects(lab.hub.taskGroup(newId<TaskGroupId>()), { code: 'TASK_GROUP_NOT_FOUND', httpStatus: 404 });
      const known = await lab.client.run({ functionId: echo, args: ['a'] });
      await endOf(lab.client, known);
      const statuses = await lab.hub.batchStatus([unknown, known]);
      assert.deepEqual(statuses[unknown], { task_id: unknown, status: 'failed', reason: 'Unknown task id' });
      assert.equal(statuses[known]?.status, 'success');
    });

    it('tells the results of a group without a queue only to those who ask', async () => {
      const group = newId<TaskGroupId>();
      const consumer = new Consumer(lab.hub, group, true);
      const silent = await submit({ task_group_id: group, tasks: { [echo]: [packed('silent')] } });
      const id = silent.tasks[echo]?.[0] as TaskId;
      await endOf(lab.client, id);
      const told = await submit({ task_group_id: group, create_queue: true, tasks: { [echo]: [packed('told')] } });
      await consumer.until(1);
      assert.deepEqual(consumer.ids, told.tasks[echo]);
      consumer.close();
    });
  });

  describe('to an endpoint', () => {
    it('that is listed and described as the service does', async () => {
      const [entry] = await lab.hub.listEndpoints();
      assert.equal(entry?.uuid, lab.endpoint);
      assert.equal(entry?.name, 'lab');
      const info = await lab.hub.getEndpoint(lab.endpoint);
      assert.deepEqual([info.uuid, info.name, info.public, info.multi_user], [lab.endpoint, 'lab', false, false]);
      await assert.rejects(lab.hub.endpointStatus(newId<EndpointId>()), { code: 'ENDPOINT_NOT_FOUND' });
    });

    it('needs no name of the user, whom a container may not know', async () => {
      const { userInfo } = os;
      os.userInfo = () => {
        throw new Error('uv_os_get_passwd returned ENOENT');
      };
      const other = await Lab.open();
      try {
        assert.equal(await other.result('def f():\n    return 1'), 1);
        assert.ok(((await other.hub.listEndpoints())[0]?.owner ?? '').length > 0);
        assert.equal((await other.hub.getEndpoint(other.endpoint)).name, 'lab');
      } finally {
        os.userInfo = userInfo;
        await other.clean();
      }
    });

    it('speaks of its version as clients of the service expect', async () => {
      const { api, min_sdk_version, min_ep_version } = await lab.hub.version();
      for (const version of [api, min_sdk_version, min_ep_version]) assert.match(version ?? '', /^\d+\.\d+\.\d+$/);
    });
  });

  describe('of another user, while it is being written down,', () => {
    const ALICE = { id: randomUUID(), username: 'alice' };
    let written: Deferred<void>;
    let flush: () => Promise<void>;

    beforeEach(() => {
      const { store } = lab.hub;
      flush = store.flush.bind(store);
      written = new Deferred();
      store.flush = () => written.promise;
    });
    afterEach(() => {
      written.resolve();
      lab.hub.store.flush = flush;
    });

    /** The id of its one task is known before the reply, by its group. */
    async function submitOne() {
      const group = newId<TaskGroupId>();
      const reply = lab.hub.submit(lab.endpoint, { task_group_id: group, tasks: { [echo]: [packed('a')] } }, ALICE);
      // Another one of this process comes and goes in the meantime.
      const { tasks } = await submit({ tasks: { [echo]: [packed('b')] } });
      await endOf(lab.client, tasks[echo]?.[0] as TaskId);
      const [task] = (await lab.hub.taskGroup(group)).tasks;
      return { reply, id: task?.id as TaskId };
    }

    it('has not begun, and is answered and run then', async () => {
      const { reply, id } = await submitOne();
      assert.equal((await lab.hub.getTask(id)).status, 'waiting-for-nodes');
      written.resolve();
      assert.deepEqual((await reply).tasks, { [echo]: [id] });
      assert.equal((await endOf(lab.client, id)).status, 'success');
    });

    it('is run too when that fails, as it is tried again, and the user is told', async () => {
      const { reply, id } = await submitOne();
      written.reject(new Error('no space left'));
      await assert.rejects(reply, /no space left/);
      assert.equal((await endOf(lab.client, id)).status, 'success');
    });

    it('waits for its endpoint when that is closed meanwhile', async () => {
      const { reply, id } = await submitOne();
      const closed = lab.hub.closeEndpoint(lab.endpoint);
      // Ending workers takes less than starting an interpreter.
      await promisify(execFile)(PYTHON, ['-c', '']);
      written.resolve();
      await reply;
      await closed;
      lab.hub.store.flush = flush;
      await lab.openEndpoint();
      assert.equal((await endOf(lab.client, id)).status, 'success');
    });
  });
});
