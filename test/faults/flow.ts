/** The flow under test: http in → so many messages → run (two workers, a few milliseconds each) → a journal on disk. */
import { catchAll, client, type FlowNode, placed, pythonFunction, run, tab } from '../nodes/support/flow';

export interface FlowVariant {
  /** Properties of the nodes, by id. */
  readonly properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Nodes beside the usual ones. */
  readonly more?: readonly FlowNode[];
  /** Ids of nodes that are left out. */
  readonly without?: readonly string[];
}

const WORK = `
import time

def work(x):
    time.sleep(0.003)
    return x
`;

export class FaultFlow {
  readonly nodes: FlowNode[];

  constructor(
    readonly journal: string,
    readonly variant: FlowVariant,
  ) {
    const { properties = {}, more = [], without = [] } = variant;
    const nodes = [...usual(journal), ...more].filter(({ id }) => !without.includes(id));
    this.nodes = nodes.map((node) => ({ ...node, ...properties[node.id] }));
  }

  /** The same flow after an edit. */
  changed(variant: FlowVariant): FaultFlow {
    const properties = { ...this.variant.properties };
    for (const [id, more] of Object.entries(variant.properties ?? {})) properties[id] = { ...properties[id], ...more };
    return new FaultFlow(this.journal, {
      properties,
      more: [...(this.variant.more ?? []), ...(variant.more ?? [])],
      without: [...(this.variant.without ?? []), ...(variant.without ?? [])],
    });
  }
}

function usual(journal: string): FlowNode[] {
  const file = JSON.stringify(journal);
  const write = (kind: string) => `
    const line = { id: msg.number, kind: '${kind}', redelivered: msg.funcx?.redelivered === true, error: msg.error?.message };
    global.get('fs').appendFileSync(${file}, JSON.stringify(line) + '\\n');
    if (msg.res) msg.res._res.end();`;
  return [
    tab,
    client({ workers: '2' }),
    pythonFunction(WORK, { repeatable: true }),
    { ...placed('http in', 'send'), url: '/send', method: 'get', wires: [['burst']] },
    {
      ...placed('function', 'burst'),
      func: `msg.res._res.end();
        for (let i = 0; i < Number(msg.req.query.n); i++) node.send({ payload: i, number: i, topic: 'fault' });`,
      outputs: 1,
      wires: [['run']],
    },
    run({ wires: [['result']] }),
    { ...placed('function', 'result'), func: write('result'), outputs: 0, wires: [] },
    { ...catchAll, wires: [['caught']] },
    { ...placed('function', 'caught'), func: write('error'), outputs: 0, wires: [] },
  ];
}
