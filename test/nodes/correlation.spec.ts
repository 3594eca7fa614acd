import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { client, type FlowNode, placed, pythonFunction, run, sink, surroundings, tab } from './support/flow';
import { NodeRed } from './support/node-red';
import { useRuntime } from './support/runtime';

/** Takes the longer the smaller its argument: results come in another order than messages. */
const BACKWARDS = 'def f(x):\n    import time\n    time.sleep(0.05 * (5 - x))\n    return x * 10\n';

describe('What belongs together', () => {
  const red = useRuntime();

  it('is joined in its order after split and run, whatever order results come in', async () => {
    await red.load(
      [
        ...surroundings({ workers: '4' }),
        {
          ...placed('split', 'split'),
          splt: '\\n',
          spltType: 'str',
          arraySplt: 1,
          arraySpltType: 'len',
          stream: false,
          addname: '',
          property: 'payload',
          wires: [['run']],
        },
        pythonFunction(BACKWARDS),
        run({ wires: [['join']] }),
        {
          ...placed('join', 'join'),
          mode: 'auto',
          build: 'object',
          property: 'payload',
          propertyType: 'msg',
          key: 'topic',
          joiner: '\\n',
          joinerType: 'str',
          useparts: true,
          accumulate: false,
          timeout: '',
          count: '',
          reduceRight: false,
        },
      ],
      ['sequence/17-split.js'],
    );
    red.send('split', { payload: [1, 2, 3, 4], topic: 'kept', _msgid: 'the-id' });
    const { payload, topic, parts } = await red.out.first();
    assert.deepEqual([payload, topic, parts], [[10, 20, 30, 40], 'kept', undefined]);
  });

  it('comes back to the link call that asked', async () => {
    await red.load(
      [
        ...surroundings(),
        { ...placed('link call', 'call'), links: ['in'], linkType: 'static', timeout: '30', wires: [['out']] },
        { ...placed('link in', 'in'), links: [], wires: [['run']] },
        pythonFunction(BACKWARDS),
        run({ wires: [['return']] }),
        { ...placed('link out', 'return'), mode: 'return', links: [], wires: [] },
      ],
      ['common/60-link.js'],
    );
    for (let i = 1; i <= 4; i++) red.send('call', { payload: i, topic: i });
    for (const { payload, topic, _linkSource } of await red.out.take(4)) {
      assert.equal(payload, Number(topic) * 10);
      assert.equal(_linkSource, undefined);
    }
  });

  it('is told to Status nodes and Complete nodes of the node alone', async () => {
    await red.load([
      ...surroundings(),
      { ...placed('complete', 'complete'), scope: ['run'], wires: [['completed']] },
      { ...placed('status', 'status'), scope: ['run'], wires: [['shown']] },
      sink('completed'),
      sink('shown'),
      pythonFunction(BACKWARDS),
      run(),
      run({ id: 'other' }),
    ]);
    red.send('run', { payload: 5, _msgid: 'mine' });
    red.send('other', { payload: 5, _msgid: 'other' });
    await red.out.take(2);
    assert.deepEqual([(await red.inbox('completed').first())._msgid, red.inbox('completed').items.length], ['mine', 1]);
    const shown = await red.inbox('shown').first();
    assert.equal((shown.status as { source: { id: string } }).source.id, 'run');
  });
});

describe('A web request that waits for Python', function () {
  this.timeout(60_000);
  let red: NodeRed;
  beforeEach(() => {
    red = new NodeRed();
  });
  afterEach(() => red.dispose());

  const WAITING =
    'def f(folder):\n    import os, time\n    open(os.path.join(folder, "begun"), "w").close()\n' +
    '    while not os.path.exists(os.path.join(folder, "go")): time.sleep(0.01)\n    return "answered"\n';

  const flow = (name: string): FlowNode[] => [
    tab,
    client({ python: '' }),
    pythonFunction(WAITING),
    { ...placed('http in', 'in'), url: '/run', method: 'post', upload: false, wires: [['run']] },
    run({ name, message: 'payload.folder', wires: [['answer']] }),
    { ...placed('http response', 'answer'), statusCode: '', headers: {}, wires: [] },
  ];

  for (const type of ['full', 'flows', 'nodes']) {
    it(`is answered though its message is in the ledger and the node was deployed anew (${type})`, async () => {
      await red.start({ flow: flow('before') });
      const answer = red.ask('/run', { body: { folder: red.userDir } });
      while (!existsSync(join(red.userDir, 'begun'))) await new Promise((resolve) => setTimeout(resolve, 20));
      const deployed = await red.ask('/flows', {
        body: flow('after'),
        headers: { 'Node-RED-Deployment-Type': type },
      });
      assert.equal(deployed.status, 204);
      writeFileSync(join(red.userDir, 'go'), '');
      const { status, body } = await answer;
      assert.deepEqual([status, body], [200, 'answered']);
    });
  }
});
