/** What the hub takes from the reports of user endpoints. */
import assert from 'node:assert/strict';
import { ClientVersions } from '../../../lib/hub/client-versions.js';
import type { TaskTerms } from '../../../lib/hub/terms.js';
import { loadOf, userEndpointReport } from '../../../lib/hub/user-endpoint-report.js';

/** As an agent 4.15 with a GlobusComputeEngine reports it. */
const PARSL = {
  managers: 2,
  active_managers: 2,
  total_workers: 4,
  idle_workers: 1,
  pending_tasks: 2,
  outstanding_tasks: 5,
  total_tasks: 25,
  scaling_enabled: true,
  mem_per_worker: null,
  max_blocks: 1,
  node_info: {
    '4711': [
      {
        worker_count: 2,
        idle_duration: 0.5,
        parsl_version: '2025.8.11',
        endpoint_version: '4.15.0',
        sdk_version: '4.15.0',
        python_version: '3.11.2',
      },
    ],
  },
  engine_type: 'GlobusComputeEngine',
  provider_type: 'SlurmProvider',
  queue: 'caslake',
  account: null,
  posix_ppid: 11,
  posix_username: 'you',
  posix_pid: 12,
  config_raw: 'engine:\n  type: GlobusComputeEngine\n',
  start_iso: '2026-11-25T00:30:00.123456+01:00',
  start_unix: 1795563000.123456,
  heartbeat_period: 30,
  active: true,
};

/** As one with a ThreadPoolEngine does: it counts no tasks. */
const THREADS = { total_workers: 2, pending_tasks: 0, outstanding_tasks: 0, engine_type: 'ThreadPoolEngine' };

describe('a report of a user endpoint', () => {
  it('is shown in the words of the console', () => {
    assert.deepEqual(userEndpointReport(PARSL).shown, {
      posix_pid: 12,
      posix_username: 'you',
      start_time_iso: '2026-11-25T00:30:00.123456+01:00',
      start_time_unix: 1795563000.123456,
      total_node_count: 2,
      node_info: {
        '4711': [
          {
            total_worker_count: 2,
            idle_duration_seconds: 0.5,
            python_version: '3.11.2',
            endpoint_version: '4.15.0',
            sdk_version: '4.15.0',
          },
        ],
      },
      engine_type: 'GlobusComputeEngine',
      provider_type: 'SlurmProvider',
      queue: 'caslake',
      config: 'engine:\n  type: GlobusComputeEngine\n',
    });
  });

  it('of another shape leaves out what is no such thing, and breaks nothing', () => {
    for (const value of [null, true, -1, 1.5, 2 ** 60, 'x', [], {}, [[]], { a: 1 }, { a: [1, null] }]) {
      const fields = Object.keys(PARSL).map((name) => [name, value]);
      const { shown, ...counts } = userEndpointReport(Object.fromEntries(fields));
      for (const name of ['posix_pid', 'total_node_count'] as const) assert.equal(shown[name], undefined);
      assert.equal(shown.start_time_iso, undefined);
      assert.deepEqual([counts.workers, counts.idleWorkers, counts.outstanding, counts.total], [0, undefined, 0, 0]);
    }
    assert.deepEqual(userEndpointReport({}).shown, {});
  });

  it('takes so much memory and no more, whatever an agent sends', () => {
    const long = 'x'.repeat(1_000_000);
    const node = { ...PARSL.node_info['4711'][0], python_version: long, more: long };
    const jobs = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`job ${i}`, [node, node]]));
    const texts = ['posix_username', 'start_iso', 'engine_type', 'provider_type', 'queue', 'account', 'config_raw'];
    const fields = Object.fromEntries(texts.map((name) => [name, long]));
    for (const node_info of [jobs, { a: Array(10_000).fill(node) }, { [long]: [node] }, emptyJobs(10_000)]) {
      const report = userEndpointReport({ ...PARSL, ...fields, more: long, node_info });
      assert.ok(JSON.stringify(report).length < 200_000);
      assert.equal(report.shown.total_node_count, 2);
    }
  });

  it('has a configuration as long as an agent can give one', () => {
    const most = 'x'.repeat(65_536);
    assert.equal(userEndpointReport({ config_raw: most }).shown.config, most);
    assert.equal(userEndpointReport({ config_raw: `${most}x` }).shown.config, undefined);
  });

  it('with a job of a name that would change a prototype is shown as any other', () => {
    const { shown } = userEndpointReport(JSON.parse('{"node_info": {"__proto__": [{"worker_count": 1}]}}'));
    assert.equal(JSON.stringify(shown), '{"node_info":{"__proto__":[{"total_worker_count":1}]}}');
  });

  it('is of a process that ends when it says so', () => {
    assert.equal(userEndpointReport(PARSL).active, true);
    assert.equal(userEndpointReport({ ...PARSL, active: false }).active, false);
    assert.equal(userEndpointReport({ heartbeat_period: 0 }).active, false);
  });
});

describe('workers and tasks of a user endpoint', () => {
  it('are as the engine counts them, where it does', () => {
    assert.deepEqual(loadOf(userEndpointReport(PARSL), 10, 7), { workers: 4, idleWorkers: 1, running: 3, queued: 14 });
  });

  it('do not run any more when they have ended since the report', () => {
    assert.equal(loadOf(userEndpointReport(PARSL), 0, 1).running, 1);
    assert.deepEqual(loadOf(userEndpointReport(PARSL), 0, 0), { workers: 4, idleWorkers: 1, running: 0, queued: 0 });
  });

  it('are one for each worker where the engine counts none', () => {
    const report = userEndpointReport(THREADS);
    assert.deepEqual(loadOf(report, 1, 5), { workers: 2, idleWorkers: 0, running: 2, queued: 4 });
    assert.deepEqual(loadOf(report, 0, 1), { workers: 2, idleWorkers: 1, running: 1, queued: 0 });
  });

  it('are none, and all tasks wait, when it is not there', () => {
    assert.deepEqual(loadOf(undefined, 2, 3), { workers: 0, idleWorkers: 0, running: 0, queued: 5 });
  });
});

describe('the versions of clients', () => {
  const terms = (globus_compute_sdk_version: unknown) =>
    ({ user_runtime: { globus_compute_sdk_version } }) as unknown as TaskTerms;

  it('are those that submissions name, each once', () => {
    const versions = new ClientVersions();
    for (const version of ['4.15.0', '4.14.0', '4.15.0']) versions.note(terms(version));
    versions.note(undefined);
    versions.note({});
    assert.deepEqual(versions.all, ['4.14.0', '4.15.0']);
  });

  it('are the last few, and of a length', () => {
    const versions = new ClientVersions();
    for (const value of [5, null, {}, [], '', 'x'.repeat(65)]) versions.note(terms(value));
    assert.deepEqual(versions.all, []);
    for (let i = 0; i < 1000; i++) versions.note(terms(`4.${i}.0`));
    assert.deepEqual([versions.all.length, versions.all[0], versions.all[15]], [16, '4.984.0', '4.999.0']);
  });
});

function emptyJobs(count: number): Record<string, []> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`job ${i}`, []]));
}
