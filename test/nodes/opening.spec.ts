import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catchAll, client, type FlowNode, placed, pythonFunction, register, run, tab } from './support/flow';
import { NodeRed } from './support/node-red';
import { SlowPython } from './support/slow-python';
import { stored } from './support/stored-messages';

const ECHO = 'def f(x):\n    return x\n';
const SETTINGS = "functionGlobalContext: { fs: require('fs') }";

interface Arrival {
  readonly from: string;
  readonly payload: unknown;
  readonly topic?: string;
  readonly recovered?: true;
  readonly redelivered?: true;
  readonly error?: string;
}

/** A real Node-RED is killed, or something is deployed, while its client waits for an interpreter. */
describe('messages that come while the client opens', function () {
  this.timeout(30_000);
  let red: NodeRed;
  let python: SlowPython;

  beforeEach(() => {
    red = new NodeRed();
    python = new SlowPython(red.userDir);
    python.hold();
    writeFileSync(journal(), '');
  });
  afterEach(async () => {
    python.release();
    await red.dispose();
  });

  const journal = () => join(red.userDir, 'arrived.txt');

  /** GET /send/<node>?n=3&code=… hands n messages to a node. What comes out or is caught is written to the journal. */
  function flow(...nodes: FlowNode[]): FlowNode[] {
    const write = (from: string) => `
      const { recovered, redelivered } = msg.funcx ?? {};
      const line = { from: '${from}', payload: msg.payload, topic: msg.topic, recovered, redelivered, error: msg.error?.code };
      global.get('fs').appendFileSync(${JSON.stringify(journal())}, JSON.stringify(line) + '\\n');`;
    return [
      tab,
      client({ python: python.path, workers: '1' }),
      { ...placed('http in', 'in'), url: '/send/:node', method: 'get', wires: [['send']] },
      {
        ...placed('function', 'send'),
        func: `msg.res._res.end();
          const { n, code } = msg.req.query;
          const places = { run: 0, register: 1 };
          for (let i = 0; i < Number(n); i++) {
            const out = [null, null];
            out[places[msg.req.params.node]] = { payload: code ?? i, topic: String(i), big: 2n ** 70n, at: new Date(i) };
            node.send(out);
          }`,
        outputs: 2,
        wires: [['run'], ['register']],
      },
      ...nodes,
      { ...placed('function', 'out'), func: write('out'), outputs: 0, wires: [] },
      { ...catchAll, wires: [['caught']] },
      { ...placed('function', 'caught'), func: write('catch'), outputs: 0, wires: [] },
    ];
  }

  const withRun = (code = ECHO, properties = {}) => flow(pythonFunction(code), run(properties));

  async function start(nodes: readonly FlowNode[]): Promise<void> {
    await red.start({ flow: nodes, settings: SETTINGS });
  }

  async function killedWith(nodes: readonly FlowNode[], path: string, count: number): Promise<void> {
    await start(nodes);
    await python.asked();
    await red.ask(path);
    await stored(red.userDir, count);
    await red.end('SIGKILL');
    python.release();
  }

  const arrivals = (): Arrival[] =>
    readFileSync(journal(), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Arrival);

  /** What has come out when so many have, and nothing waits any more. */
  async function arrived(count: number, left = 0): Promise<Arrival[]> {
    const watcher = watch(journal());
    try {
      while (arrivals().length < count) await once(watcher, 'change');
    } finally {
      watcher.close();
    }
    await stored(red.userDir, left);
    return arrivals();
  }

  it('are done by the next process, each once, in their order', async () => {
    await killedWith(withRun(), '/send/run?n=20', 20);
    await start(withRun());
    const all = await arrived(20);
    assert.deepEqual(
      all.map(({ payload }) => payload),
      Array.from({ length: 20 }, (_, i) => i),
    );
    assert.ok(all.every(({ recovered, redelivered }) => recovered === true && redelivered === undefined));
  });

  it('are done before those that the next process gets', async () => {
    await killedWith(withRun(), '/send/run?n=3', 3);
    python.hold();
    await start(withRun());
    await python.asked();
    await red.ask('/send/run?n=2');
    await stored(red.userDir, 5);
    python.release();
    const all = await arrived(5);
    assert.deepEqual(
      all.map(({ payload, recovered }) => [payload, recovered]),
      [
        [0, true],
        [1, true],
        [2, true],
        [0, undefined],
        [1, undefined],
      ],
    );
  });

  it('survive any number of kills', async () => {
    await killedWith(withRun(), '/send/run?n=3', 3);
    for (let i = 0; i < 2; i++) {
      python.hold();
      await start(withRun());
      await python.asked();
      await red.end('SIGKILL');
      python.release();
    }
    await start(withRun());
    assert.deepEqual(
      (await arrived(3)).map(({ payload }) => payload),
      [0, 1, 2],
    );
  });

  it('are done by the node as it is when it takes them in', async () => {
    await killedWith(withRun(), '/send/run?n=2', 2);
    await start(withRun('def g(x):\n    return "as it is now"\n', { target: 'topic' }));
    assert.deepEqual(
      (await arrived(2)).map(({ payload, topic }) => [payload, topic]),
      [
        [0, 'as it is now'],
        [1, 'as it is now'],
      ],
    );
  });

  it('end in an error where the node cannot do them any more', async () => {
    await killedWith(withRun(), '/send/run?n=2', 2);
    await start(flow(run()));
    assert.deepEqual(
      (await arrived(2)).map(({ from, error }) => [from, error]),
      [
        ['catch', 'BAD_INPUT'],
        ['catch', 'BAD_INPUT'],
      ],
    );
  });

  it('wait for a node that is gone, and are done when its deletion is undone', async () => {
    await killedWith(withRun(), '/send/run?n=2', 2);
    await start(flow(pythonFunction(ECHO), register({ function: 'function' })));
    await red.logged(/The node run is gone, and messages wait for it that came while its client opened: 2/);
    await red.ask('/flows', { body: withRun(), headers: { 'Node-RED-Deployment-Type': 'nodes' } });
    assert.deepEqual(
      (await arrived(2)).map(({ payload }) => payload),
      [0, 1],
    );
  });

  it('wait for a client that cannot open, if they are of an earlier process', async () => {
    await killedWith(withRun(), '/send/run?n=2', 2);
    const broken = withRun().map((node) => (node.id === 'client' ? { ...node, python: '/nowhere/python3' } : node));
    await start(broken);
    await red.ask('/send/run?n=1');
    await arrived(1, 2);
    await red.end('SIGTERM');
    await start(withRun());
    const all = await arrived(3);
    assert.deepEqual(
      all.map(({ payload, error }) => [payload, error]),
      [
        [0, 'PYTHON_NOT_FOUND'],
        [0, undefined],
        [1, undefined],
      ],
    );
  });

  it('that only ask are asked by the next process', async () => {
    const nodes = () => flow(register({ wires: [['out']] }));
    await killedWith(nodes(), `/send/register?n=2&code=${encodeURIComponent(ECHO)}`, 2);
    await start(nodes());
    const all = await arrived(2);
    assert.match(String(all[0]?.payload), /^[0-9a-f-]{36}$/);
    assert.equal(all[0]?.payload, all[1]?.payload);
  });

  it('are done by the next instance of a node that is deployed meanwhile, with what cannot be stored', async () => {
    const answering = (name: string) => [
      tab,
      client({ python: python.path }),
      pythonFunction(ECHO),
      { ...placed('http in', 'in'), url: '/echo', method: 'get', wires: [['run']] },
      run({ name, wires: [['answer']] }),
      { ...placed('http response', 'answer'), statusCode: '', headers: {}, wires: [] },
    ];
    await start(answering('before'));
    await python.asked();
    const answer = red.ask('/echo?x=1');
    await stored(red.userDir, 1);
    await red.ask('/flows', { body: answering('after'), headers: { 'Node-RED-Deployment-Type': 'nodes' } });
    python.release();
    assert.deepEqual((await answer).body, { x: '1' });
  });
});
