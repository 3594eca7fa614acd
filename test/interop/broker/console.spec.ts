/** The console of an attached agent over HTTP, fed by what its user endpoints report. */
import assert from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';
import { createApp } from '../../../dist/lib/hub/http/app.js';
import type { EndpointRegistration, FunctionId, Identity, Submission } from '../../../dist/lib/index.js';
import { basic, COMPUTE_SCOPE } from '../../unit/hub/http/fixture.js';
import { type Answer, echo, FakeAgent } from './fake-agent.js';
import { BrokerLab, idOf } from './fixture.js';

/** What agents 4.15 report with a GlobusComputeEngine, and that engine's nodes. */
const PARSL = {
  managers: 1,
  total_workers: 3,
  idle_workers: 1,
  pending_tasks: 1,
  outstanding_tasks: 3,
  total_tasks: 3,
  node_info: { '4711': [{ worker_count: 3, idle_duration: 0, python_version: '3.12.1', sdk_version: '4.15.0' }] },
  engine_type: 'GlobusComputeEngine',
  provider_type: 'SlurmProvider',
  queue: 'gpu ✓',
  account: null,
  posix_username: 'you',
  posix_pid: 4242,
  config_raw: 'engine:\n  type: GlobusComputeEngine\n',
  start_iso: '2026-11-25T00:30:00+00:00',
  start_unix: 1795566600,
};

describe('the console of an attached agent', () => {
  let lab: BrokerLab;
  let app: FastifyInstance;
  let owner: Person;
  let other: Person;
  let agent: FakeAgent;

  interface Person {
    readonly identity: Identity;
    readonly get: (query?: string) => Promise<{ status: number; body: ReturnType<typeof JSON.parse> }>;
  }

  async function person(name: string): Promise<Person> {
    const { clientId, clientSecret } = await lab.hub.issueClient(name);
    const payload = new URLSearchParams({ grant_type: 'client_credentials', scope: COMPUTE_SCOPE }).toString();
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const headers = { ...type, authorization: basic(clientId, clientSecret) };
    const { access_token } = (await app.inject({ method: 'POST', url: '/v2/oauth2/token', headers, payload })).json();
    return {
      identity: { id: clientId, username: name },
      get: async (query = '') => {
        const url = `/v3/endpoints/${idOf(agent)}/console${query}`;
        const answer = await app.inject({ url, headers: { authorization: `Bearer ${access_token}` } });
        return { status: answer.statusCode, body: answer.json() };
      },
    };
  }

  async function attach(answer: () => Answer, more: Partial<EndpointRegistration> = {}): Promise<void> {
    const metadata = { endpoint_version: '4.15.0', python_version: '3.11.2' };
    const registration = { endpoint_name: 'lab', metadata, ...more };
    agent = new FakeAgent(await lab.hub.registerEndpoint(registration, owner.identity), answer);
    lab.agents.push(agent);
    await agent.start();
  }

  /** Asks until what is shown is as a report has it that was sent before. */
  async function shown(is: (user: ReturnType<typeof JSON.parse>) => boolean): Promise<ReturnType<typeof JSON.parse>> {
    for (;;) {
      const { body } = await owner.get();
      const found = body.user_endpoints.find(is);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  const submit = (count: number, more: Partial<Submission> = {}) => lab.submit(agent, count, more, owner.identity);

  beforeEach(async () => {
    lab = await BrokerLab.open();
    app = await createApp({ hub: lab.hub, rateLimit: false });
    owner = await person('owner');
    other = await person('other');
  });
  afterEach(async () => {
    await app.close();
    await lab.clean();
  });

  it('shows what a user endpoint reports, and what the hub knows of its tasks', async () => {
    await attach(() => undefined);
    assert.deepEqual((await owner.get()).body, { user_endpoints: [] });
    const user_runtime = { globus_compute_sdk_version: '4.14.0' } as NonNullable<Submission['user_runtime']>;
    await lab.confirmed((await submit(4, { user_runtime })).ids);
    const endpoint = await agent.until(1);
    await endpoint.report(PARSL);
    const { last_heartbeat_unix, ...rest } = await shown((one) => one.engine_type !== undefined);
    assert.ok(Math.abs(last_heartbeat_unix - Date.now() / 1000) < 120);
    assert.deepEqual(rest, {
      user_endpoint_id: endpoint.id,
      active: true,
      python_version: '3.11.2',
      endpoint_version: '4.15.0',
      client_sdk_versions: ['4.14.0'],
      posix_pid: 4242,
      posix_username: 'you',
      start_time_iso: '2026-11-25T00:30:00+00:00',
      start_time_unix: 1795566600,
      total_worker_count: 3,
      idle_worker_count: 1,
      total_node_count: 1,
      node_info: {
        '4711': [{ total_worker_count: 3, idle_duration_seconds: 0, python_version: '3.12.1', sdk_version: '4.15.0' }],
      },
      running_task_count: 2,
      queued_task_count: 2,
      executed_task_count: 0,
      engine_type: 'GlobusComputeEngine',
      provider_type: 'SlurmProvider',
      queue: 'gpu ✓',
    });
    const { details } = await lab.hub.endpointStatus(idOf(agent));
    assert.deepEqual(details, {
      total_workers: 3,
      idle_workers: 1,
      pending_tasks: 2,
      outstanding_tasks: 4,
      managers: 1,
    });
  });

  it('shows the fields that are asked for, and the configuration to who asks for it', async () => {
    await attach(() => undefined);
    await submit(1);
    const endpoint = await agent.until(1);
    await endpoint.report(PARSL);
    await shown((one) => one.engine_type !== undefined);
    const { body } = await owner.get('?include_fields=config,%20account,queue');
    const always = { user_endpoint_id: endpoint.id, active: true };
    assert.deepEqual(body.user_endpoints, [{ ...always, config: PARSL.config_raw, queue: PARSL.queue }]);
    assert.equal((await owner.get('?include_fields=configuration')).status, 400);
  });

  it('shows one user endpoint to who names it', async () => {
    await attach(() => undefined);
    await submit(1, { user_endpoint_config: { nodes: 1 } });
    await submit(1, { user_endpoint_config: { nodes: 2 } });
    const second = await agent.until(2);
    assert.equal((await owner.get()).body.user_endpoints.length, 2);
    for (const id of [second.id, second.id.toUpperCase()]) {
      const { body } = await owner.get(`?user_endpoint_id=${id}&include_fields=user_endpoint_id`);
      assert.deepEqual(
        body.user_endpoints.map((one: { user_endpoint_id: string }) => one.user_endpoint_id),
        [second.id],
      );
    }
    assert.deepEqual((await owner.get(`?user_endpoint_id=${idOf(agent)}`)).body, { user_endpoints: [] });
  });

  it('counts the tasks of threads, of which these report nothing', async () => {
    await attach(() => undefined);
    await lab.confirmed((await submit(3)).ids);
    await (await agent.until(1)).report({ engine_type: 'ThreadPoolEngine', total_workers: 2, idle_workers: undefined });
    const found = await shown((one) => one.engine_type !== undefined);
    assert.deepEqual([found.running_task_count, found.queued_task_count, found.idle_worker_count], [2, 1, 0]);
  });

  it('says no more of a process that has ended, and of the next what that has done', async () => {
    await attach(echo as () => Answer);
    await lab.ended((await submit(3)).ids);
    const endpoint = await agent.until(1);
    await endpoint.report({ engine_type: 'ThreadPoolEngine' });
    assert.equal((await shown((one) => one.engine_type !== undefined)).executed_task_count, 3);
    await endpoint.report({ active: false });
    const { last_heartbeat_unix, ...ended } = await shown((one) => !one.active);
    const none = { total_worker_count: 0, idle_worker_count: 0, running_task_count: 0, queued_task_count: 0 };
    const known = { client_sdk_versions: [], executed_task_count: 3 };
    assert.deepEqual(ended, { user_endpoint_id: endpoint.id, active: false, ...none, ...known });
    await endpoint.report({ posix_pid: 4243 });
    assert.equal((await shown((one) => one.posix_pid === 4243)).executed_task_count, 0);
    await endpoint.report({ posix_pid: 4243, total_tasks: 7, outstanding_tasks: 2, queue: 'x' });
    assert.equal((await shown((one) => one.queue === 'x')).executed_task_count, 5);
  });

  it('shows tasks that wait for a user endpoint which is not there yet', async () => {
    await attach(() => undefined);
    agent.kill();
    const { ids } = await submit(2);
    await lab.confirmed(ids);
    const { user_endpoint_id, ...rest } = (await owner.get()).body.user_endpoints[0];
    const none = { total_worker_count: 0, idle_worker_count: 0, running_task_count: 0, executed_task_count: 0 };
    assert.deepEqual(rest, { active: false, client_sdk_versions: [], ...none, queued_task_count: 2 });
  });

  it('keeps of a report so much and no more, whatever an agent sends', async () => {
    await attach(() => undefined);
    await submit(1);
    const endpoint = await agent.until(1);
    const long = 'x'.repeat(100_000);
    const node = { worker_count: 1, python_version: long };
    const node_info = { [long]: [node], many: Array(20_000).fill({ worker_count: 1, more: 'xx' }), last: [node] };
    await endpoint.report({
      ...PARSL,
      node_info,
      config_raw: long,
      queue: long,
      posix_pid: long,
      total_workers: 1e300,
    });
    const found = await shown((one) => one.engine_type === PARSL.engine_type);
    assert.deepEqual(Object.keys(found.node_info), ['many']);
    assert.equal(found.node_info.many.length, 1000);
    assert.deepEqual([found.queue, found.posix_pid, found.total_worker_count], [undefined, undefined, 0]);
    const { user_endpoints } = (await owner.get('?include_fields=config')).body;
    assert.deepEqual(user_endpoints, [{ user_endpoint_id: endpoint.id, active: true }]);
  });

  it('is not for another user, though he has tasks there', async () => {
    await attach(echo as () => Answer, { multi_user: true, public: true });
    const body = { function_name: 'f', function_code: '3\nst\n', meta: META, public: true };
    const id = (await lab.hub.registerFunction(body)).function_uuid as FunctionId;
    const reply = await lab.hub.as(other.identity).submit(idOf(agent), { tasks: { [id]: ['5\n11\n[]5\n11\n{}'] } });
    assert.equal(Object.values(reply.tasks).flat().length, 1);
    const refused = await other.get();
    assert.deepEqual([refused.status, refused.body.code], [403, 'ENDPOINT_ACCESS_FORBIDDEN']);
    assert.equal((await owner.get()).body.user_endpoints.length, 1);
  });
});

const META = { python_version: '3.11.2', sdk_version: '4.15.0', serde_identifier: 'st' };
