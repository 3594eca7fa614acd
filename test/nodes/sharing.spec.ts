import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { catchAll, client, type FlowNode, placed, pythonFunction, run, tab } from './support/flow';
import { freePort, NodeRed } from './support/node-red';

/** A port where nothing listens. */
const NOWHERE = 'amqp://user:hunter2@127.0.0.1:1';

describe('a hub that a client shares', function () {
  this.timeout(60_000);
  let nodeRed: NodeRed;
  let starts: number;
  beforeEach(async () => {
    nodeRed = new NodeRed();
    await nodeRed.start({ flow: [] });
    starts = 1;
  });
  afterEach(() => nodeRed.dispose());

  async function deploy(
    properties: Readonly<Record<string, unknown>>,
    more: readonly FlowNode[] = [],
    type: 'full' | 'nodes' = 'full',
  ): Promise<void> {
    const flow = [
      tab,
      client({ workers: '1', ...properties }),
      ...more,
      pythonFunction('def f(x):\n    return 2 * x\n'),
      { ...placed('http in', 'in'), url: '/double', method: 'post', wires: [['run']] },
      run({ messageAs: 'keywords', wires: [['respond']] }),
      { ...catchAll, wires: [['respond']] },
      { ...placed('http response', 'respond'), statusCode: '', headers: {}, wires: [] },
    ];
    const headers = { 'node-red-deployment-type': type };
    const { status, body } = await nodeRed.ask('/flows', { body: flow, headers });
    assert.ok(status < 300, JSON.stringify(body));
    starts++;
    await nodeRed.logged(new RegExp(`(Started (modified )?(flows|nodes)[^]*){${starts}}`));
  }

  const statusAt = async (port: number) => (await fetch(`http://127.0.0.1:${port}/v2/endpoints`)).status;

  const double = async (value: number) => (await nodeRed.ask('/double', { body: { x: value } })).body;

  it('answers at the port, lets nobody in without a token, and keeps its secret in a file of its owner', async () => {
    const port = await freePort();
    await deploy({ port: String(port) });
    await nodeRed.logged(new RegExp(`The hub is at http://127.0.0.1:${port}`));
    assert.equal((await fetch(`http://127.0.0.1:${port}/v2/endpoints`)).status, 401);
    const file = join(nodeRed.userDir, 'funcx/client.sh');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const secret = /SECRET=(\S+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? assert.fail();
    assert.ok(!nodeRed.log.includes(secret));
  });

  it('is shared with nobody unless that is wanted', async () => {
    await deploy({});
    assert.equal(await double(21), 42);
    assert.doesNotMatch(nodeRed.log, /The hub is at/);
  });

  it('runs functions here while RabbitMQ cannot be reached, and says so', async () => {
    await deploy({ port: String(await freePort()), credentials: { amqp: NOWHERE } });
    await nodeRed.logged(/\[warn\].*(RabbitMQ|broker)/i);
    assert.equal(await double(21), 42);
  });

  it('keeps the URL of RabbitMQ, which has a password, out of flows, editor and log', async () => {
    await deploy({ port: String(await freePort()), credentials: { amqp: NOWHERE } });
    await nodeRed.logged(/\[warn\].*(RabbitMQ|broker)/i);
    const shown = await Promise.all(['/flows', '/credentials/funcx-client/client'].map((path) => nodeRed.ask(path)));
    assert.match(JSON.stringify(shown[1]?.body), /"has_amqp":true/);
    for (const text of [
      JSON.stringify(shown),
      nodeRed.log,
      readFileSync(join(nodeRed.userDir, 'flows.json'), 'utf8'),
    ]) {
      assert.doesNotMatch(text, /hunter2/);
    }
  });

  it('says which field of the client is wrong', async () => {
    await deploy({ port: '70000' });
    await nodeRed.logged(/Port: 70000/);
    await deploy({ credentials: { amqp: 'http://user:hunter2@somewhere' } });
    await nodeRed.logged(/RabbitMQ: the URL has to begin with amqp/);
    assert.doesNotMatch(nodeRed.log, /hunter2/);
  });

  it('is shared, shared at another port, and with nobody, by a deploy', async () => {
    await deploy({});
    assert.equal(await double(21), 42);
    const [first, second] = [await freePort(), await freePort()];
    for (const port of [first, second]) {
      await deploy({ port: String(port) });
      await nodeRed.logged(new RegExp(`The hub is at http://127.0.0.1:${port}`));
      assert.equal(await statusAt(port), 401);
      assert.equal(await double(4), 8);
    }
    await assert.rejects(statusAt(first));
    await deploy({});
    assert.equal(await double(5), 10);
    await nodeRed.logged(/The hub is shared with nobody any more/);
    await assert.rejects(statusAt(second));
  });

  it('gets a RabbitMQ, another and none by a deploy, and runs functions here all the while', async () => {
    const port = String(await freePort());
    await deploy({ port });
    assert.equal(await double(21), 42);
    await deploy({ port, credentials: { amqp: NOWHERE } });
    await nodeRed.logged(
      /\[warn\].*The broker is not reached: .*127\.0\.0\.1:1\b.*account and virtual host in its URL/,
    );
    assert.equal(await double(4), 8);
    await deploy({ port, credentials: { amqp: NOWHERE.replace(/1$/, '2') } });
    await nodeRed.logged(/left its RabbitMQ for another/);
    await nodeRed.logged(/\[warn\].*The broker is not reached: .*127\.0\.0\.1:2\b/);
    assert.equal(await double(5), 10);
    assert.equal(await statusAt(Number(port)), 401);
    await deploy({ port, credentials: { amqp: '' } });
    await nodeRed.logged(/The hub has no RabbitMQ any more/);
    assert.equal(await double(6), 12);
    assert.doesNotMatch(nodeRed.log, /hunter2/);
  });

  it('stays as it is where a deploy says something that cannot be', async () => {
    const port = await freePort();
    await deploy({ port: String(port), credentials: { amqp: NOWHERE } });
    await nodeRed.logged(/The broker is not reached/);
    for (const amqp of ['ampq://user:hunter2@127.0.0.1', 'amqp://user:hunter2@a b']) {
      await deploy({ port: String(port), credentials: { amqp } });
      await nodeRed.logged(new RegExp(`(RabbitMQ: the URL has to[^]*Started flows[^]*){${starts - 2}}`));
      assert.equal(await double(4), 8);
      assert.equal(await statusAt(port), 401);
    }
    await deploy({ port: String(port), credentials: { amqp: 'amqp://user:100%@127.0.0.1:1' } });
    await nodeRed.logged(/\[warn\].*has a % that begins no character/);
    assert.equal(await double(5), 10);
    assert.doesNotMatch(nodeRed.log, /no RabbitMQ any more|for another|hunter2/);
  });

  it('is shared as the client says that was first, also when that is changed, and the other one is told', async () => {
    const [first, second] = [await freePort(), await freePort()];
    const other = { ...client({ workers: '1', port: String(second), name: 'Bob' }), id: 'bob' };
    await deploy({ port: String(first), name: 'Alice' }, [other]);
    await nodeRed.logged(/\[funcx-client:Bob\].*the client Alice count/);
    await nodeRed.logged(new RegExp(`The hub is at http://127.0.0.1:${first}`));
    assert.equal(await statusAt(first), 401);
    const third = await freePort();
    await deploy({ port: String(third), name: 'Alice' }, [other], 'nodes');
    await nodeRed.logged(new RegExp(`The hub is at http://127.0.0.1:${third}`));
    assert.equal(await statusAt(third), 401);
    await assert.rejects(statusAt(second));
    await deploy({ name: 'Alice' }, [other], 'nodes');
    await nodeRed.logged(new RegExp(`The hub is at http://127.0.0.1:${second}`));
  });

  it('tries again by a deploy what could not be had', async () => {
    await deploy({});
    assert.equal(await double(21), 42);
    const port = await freePort();
    const taken = createServer().listen(port, '127.0.0.1');
    await once(taken, 'listening');
    await deploy({ port: String(port) });
    await nodeRed.logged(new RegExp(`\\[warn\\].*${port}`));
    await once(taken.close(), 'close');
    await deploy({ port: String(port), name: 'again' });
    await nodeRed.logged(new RegExp(`The hub is at http://127.0.0.1:${port}`));
    assert.equal(await double(4), 8);
  });

  it('keeps the URL of the management API out of flows and log, and says what is wrong with it', async () => {
    const port = String(await freePort());
    await deploy({ port, credentials: { management: 'http://user:hunter2@127.0.0.1:1' } });
    await nodeRed.logged(/Management: it is of use only with RabbitMQ/);
    await deploy({ port, credentials: { amqp: NOWHERE, management: 'amqp://user:hunter2@127.0.0.1:1' } });
    await nodeRed.logged(/Management: the URL has to begin with http/);
    await deploy({ port, credentials: { amqp: NOWHERE, management: 'http://user:hunter2@127.0.0.1:1' } });
    await nodeRed.logged(/\[warn\].*The broker is not reached/);
    assert.doesNotMatch(nodeRed.log, /hunter2|hub's own account/);
  });
});
