import assert from 'node:assert/strict';
import { RunningHub } from '../support/hub';
import { bareInterpreter, peers } from '../support/peers';
import { Sdk } from '../support/sdk';

describe('the SDK Client on a local pool', () => {
  const hub = new RunningHub({ python: peers().python, workers: 2 });
  let sdk: Sdk;
  before(async () => {
    const { environment } = await hub.start();
    sdk = new Sdk('client', environment);
  });
  after(async () => {
    await sdk?.kill();
    await hub.dispose();
  });

  const here = (more = {}) => ({ endpoint: hub.pool, ...more });

  for (const name of [
    'DillCode',
    'DillCodeSource',
    'DillCodeTextInspect',
    'CombinedCode',
    'PureSourceTextInspect',
    'PureSourceDill',
    'AllCodeStrategies',
  ]) {
    it(`runs a function registered with ${name}`, async () => {
      await sdk.do('code_strategy', here({ name }));
    });
  }

  for (const name of ['DillDataBase64', 'JSONData', 'AllDataStrategies']) {
    it(`takes arguments and gives results by ${name}`, async () => {
      await sdk.do('data_strategy', here({ name }));
    });
  }

  it('says clearly that a result cannot be had in an encoding that there is not', async () => {
    const strategies = ['some.package.Strategy'];
    const said = await sdk.do('result_refused', here({ function: 'add', strategies }));
    assert.match(String(said), /none of the result_serializers asked for/);
  });

  it('runs source text', async () => {
    await sdk.do('source_code', here());
  });

  it('shows a function as it was registered', async () => {
    await sdk.do('get_function');
  });

  it('forgets a function that is deleted', async () => {
    await sdk.do('delete_function', here());
  });

  it('tells a task that runs from one that has ended, and keeps the result for the next who asks', async () => {
    await sdk.do('task_states', here());
  });

  it('runs a batch of several functions and gives its results in the order of the calls', async () => {
    await sdk.do('batch', here({ count: 150 }));
  });

  it('raises what the function raised, with its cause', async () => {
    await sdk.do('exception', here());
  });

  it('carries unicode, long integers and what only Python has', async () => {
    await sdk.do('values', here());
  });

  it('carries 9 MB there and back', async () => {
    await sdk.do('large_values', here());
  });

  it('refuses what is larger than the service allows', async () => {
    await sdk.do('too_large', here());
  });

  it('runs functions that use numpy, with arrays as arguments and results', async () => {
    await sdk.do('arrays', here());
  });

  it('shows the pool as an endpoint that is online', async () => {
    const found = (await sdk.do('endpoints', here({ role: 'any' }))) as Record<string, Record<string, unknown>>;
    assert.equal(found.status?.status, 'online');
    assert.equal(found.metadata?.name, 'local');
  });

  it('refuses what does not exist with the code that the service has for it', async () => {
    await sdk.do('refusals', here());
  });

  it('lets nobody in with a wrong secret', async () => {
    const wrong = new Sdk('client', { ...hub.report.environment, GLOBUS_COMPUTE_CLIENT_SECRET: 'wrong' });
    try {
      await wrong.do('wrong_secret');
    } finally {
      await wrong.kill();
    }
  });

  it('keeps users apart', async () => {
    const theirs = new Sdk('client', await hub.issue('somebody'));
    try {
      const mine = (await sdk.do('for_another_user', here())) as Record<string, string>;
      await theirs.do('of_another_user', here(mine));
    } finally {
      await theirs.kill();
    }
  });
});

describe('the SDK Client on a pool whose Python has no dill', () => {
  const hub = new RunningHub({ python: bareInterpreter, workers: 1 });
  let sdk: Sdk;
  before(async () => {
    const { environment } = await hub.start();
    sdk = new Sdk('client', environment);
  });
  after(async () => {
    await sdk?.kill();
    await hub.dispose();
  });

  it('runs functions that are sent as source, with values in JSON', async () => {
    await sdk.do('source_code', { endpoint: hub.pool, data: 'JSONData' });
    await sdk.do('large_values', { endpoint: hub.pool });
  });

  it('says what is missing where the SDK sends code that only dill reads', async () => {
    const said = String(await sdk.do('default_strategies', { endpoint: hub.pool }));
    assert.match(said, /dill/);
  });

  it('says what is missing where a result is wanted that only dill writes', async () => {
    const strategies = ['globus_compute_sdk.serialize.DillDataBase64'];
    const asked = { endpoint: hub.pool, function: 'function_as_result', strategies };
    assert.match(String(await sdk.do('result_refused', asked)), /dill/i);
  });
});

describe('the SDK Client at the rate limit of the hosted service', () => {
  const hub = new RunningHub({ python: peers().python, workers: 1, rateLimit: 20 });
  let sdk: Sdk;
  before(async () => {
    const { environment } = await hub.start();
    sdk = new Sdk('client', environment);
  });
  after(async () => {
    await sdk?.kill();
    await hub.dispose();
  });

  it('waits as it is told to, and gets its results', async () => {
    for (let i = 0; i < 3; i++) await sdk.do('batch', { endpoint: hub.pool, count: 20 });
  });
});
