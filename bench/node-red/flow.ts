/** The flow of the rows: a source, a sink, and between them whatever a row sends its messages through. */
import type { FlowNode } from './protocol';

/** Where a message may go from the source to the sink. Each is the id of a node. */
export type Way = 'run' | 'batch' | 'pass';

export const IDENTITY = 'def f(x):\n    return x\n';

export interface BenchFlowOptions {
  readonly python: string;
  /** Of funcx-run and funcx-batch-run. @default {@link IDENTITY} */
  readonly code?: string;
  /** @default 2 */
  readonly workers?: number;
}

export function benchFlow({ python, code = IDENTITY, workers = 2 }: BenchFlowOptions): FlowNode[] {
  const place = { z: 'tab', x: 100, y: 100 };
  const funcx = {
    ...place,
    client: 'client',
    functionFrom: 'node',
    function: 'function',
    functionId: '',
    functionIdType: 'msg',
    endpoint: '',
    endpointType: 'str',
    target: 'payload',
    wires: [['sink']],
  };
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    {
      id: 'client',
      type: 'funcx-client',
      name: 'bench',
      service: 'hub',
      python,
      workers: String(workers),
      cwd: '',
      envAllow: '',
      timeLimit: '',
      memoryLimit: '',
      restartAfter: '',
      idleShutdown: '300',
      integers: 'bigint',
      queueLimit: '100000',
    },
    {
      id: 'function',
      type: 'funcx-function',
      name: '',
      mode: 'code',
      code,
      entryPoint: 'f',
      functionId: '',
      description: '',
      public: false,
      group: '',
    },
    { ...place, id: 'source', type: 'bench-source', wires: [[]] },
    {
      ...funcx,
      id: 'run',
      type: 'funcx-run',
      argsMode: 'message',
      args: [],
      messageAs: 'single',
      message: 'payload',
      messageType: 'msg',
      // biome-ignore lint/suspicious/noThenProperty: the field of the node has this name
      then: 'result',
    },
    {
      ...funcx,
      id: 'batch',
      type: 'funcx-batch-run',
      items: 'payload',
      itemsType: 'msg',
      itemIs: 'single',
      // biome-ignore lint/suspicious/noThenProperty: the field of the node has this name
      then: 'array',
      failures: 'error',
    },
    { ...place, id: 'pass', type: 'bench-pass', wires: [['sink']] },
    { ...place, id: 'sink', type: 'bench-sink', wires: [] },
    { ...place, id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['caught']] },
    { ...place, id: 'caught', type: 'bench-sink', wires: [] },
  ];
}
