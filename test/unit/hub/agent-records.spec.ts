import assert from 'node:assert/strict';
import { AgentRecords } from '../../../dist/lib/hub/agent-records.js';
import { HUB_MIGRATIONS } from '../../../dist/lib/hub/schema.js';
import type { EndpointId } from '../../../dist/lib/index.js';
import type { StoreFailed } from '../../../dist/lib/storage/index.js';
import { Scratch } from '../storage/scratch.js';

const AGENT = '33333333-3333-4333-8333-333333333333' as EndpointId;

describe('the records of user endpoints', () => {
  const scratch = new Scratch();
  after(() => scratch.clean());

  it('have the last state of one that was given up and is there again before that was written', async () => {
    const store = await scratch.open({ migrations: HUB_MIGRATIONS });
    const refused: StoreFailed[] = [];
    store.on('refused', (error) => refused.push(error));
    const records = new AgentRecords(store);
    const settings = { user: { id: AGENT, username: 'user' }, config: {}, python: undefined };
    records.addUserEndpoint(AGENT, { id: AGENT, settings: { ...settings, python: '3.10' }, incarnation: 'first' });
    await store.flush();
    records.removeUserEndpoint(AGENT);
    records.addUserEndpoint(AGENT, { id: AGENT, settings: { ...settings, python: '3.11' }, incarnation: 'second' });
    await store.flush();
    const found = await records.userEndpointsOf(AGENT);
    assert.deepEqual(
      found.map(({ settings: { python }, incarnation }) => [python, incarnation]),
      [['3.11', 'second']],
    );
    assert.deepEqual(refused, []);
  });
});
