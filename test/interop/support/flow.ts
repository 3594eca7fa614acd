/** A flow whose functions run where each request says: http in → run → http response, and the same for an array. */
import {
  batchRun,
  catchAll,
  client,
  type FlowNode,
  placed,
  pythonFunction,
  run,
  tab,
  then,
} from '../../nodes/support/flow';
import { SDK_PORT } from './hub';

const CODE = `
def f(kind, value):
    import os
    import time

    if kind == "same":
        return value
    if kind == "bytes":
        return bytes(value)
    if kind == "mean":
        import numpy
        return float(numpy.asarray(value).mean())
    if kind == "letters":
        return "x" * value
    if kind == "slow":
        time.sleep(0.05)
        return value
    if kind == "worker":
        return os.getpid()
    try:
        {}[value]
    except KeyError as error:
        raise ValueError("boom ✓ 😀") from error
`;

/** @param journal file for the results of `/burst`, which outlives Node-RED */
export function agentFlow(amqp: string, journal: string): FlowNode[] {
  const chosen = { endpoint: 'endpoint', endpointType: 'msg', messageAs: 'list' };
  const place = (node: string) => ({
    ...placed('function', `place-${node}`),
    func: `msg.endpoint = msg.payload.endpoint; msg.payload = msg.payload.value; return msg;`,
    outputs: 1,
    wires: [[node]],
  });
  const respond = { ...placed('http response', 'respond'), statusCode: '', headers: {}, wires: [] };
  return [
    tab,
    { ...client({ workers: '1', port: String(SDK_PORT) }), credentials: { amqp } },
    pythonFunction(CODE, { repeatable: true }),
    { ...placed('http in', 'in-run'), url: '/run', method: 'post', wires: [['place-run']] },
    place('run'),
    run({ ...chosen, wires: [['respond']] }),
    { ...placed('http in', 'in-batch'), url: '/batch', method: 'post', wires: [['place-batch']] },
    place('batch'),
    batchRun({ ...chosen, itemIs: 'list', ...then('array'), wires: [['respond']] }),
    { ...placed('http in', 'in-burst'), url: '/burst', method: 'post', wires: [['burst']] },
    {
      ...placed('function', 'burst'),
      func: `
        const { endpoints, count } = msg.payload;
        for (let i = 0; i < count; i++) {
          node.send({ payload: ['slow', i], endpoint: endpoints[i % endpoints.length], number: i });
        }
        msg.res._res.end();`,
      outputs: 1,
      wires: [['each']],
    },
    { ...run({ ...chosen, wires: [['journal']] }), id: 'each' },
    {
      ...placed('function', 'journal'),
      func: `
        const line = { number: msg.number, payload: msg.payload, error: msg.error?.message, again: msg.funcx?.redelivered };
        global.get('fs').appendFileSync(${JSON.stringify(journal)}, JSON.stringify(line) + '\\n');`,
      outputs: 0,
      wires: [],
    },
    { ...catchAll, wires: [['failed']] },
    {
      ...placed('function', 'failed'),
      func: `
        if (msg.number !== undefined) return [null, msg];
        msg.payload = { code: msg.error.code, message: msg.error.message };
        msg.statusCode = 500;
        return [msg, null];`,
      outputs: 2,
      wires: [['respond'], ['journal']],
    },
    respond,
  ];
}
