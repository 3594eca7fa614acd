/** The flow of the demonstration: a button, 1000 messages, one run node, and each message says on which agent it runs. */

export const TASKS = 1000;

/** Messages that come out of this node are results. */
export const RUN = 'demo-run';

const FUNCTION = `
import math
import os
import socket


def area(radius):
    """Area of a circle, and which process worked it out."""
    return {"area": math.pi * radius ** 2, "worker": f"{socket.gethostname()}:{os.getpid()}"}
`;

/** @param endpoints ids of the agents; none while they are not registered */
export function demoFlow(amqp: string, port: number, endpoints: readonly string[]): readonly object[] {
  const spread = `
const endpoints = ${JSON.stringify(endpoints)};
for (let radius = 0; radius < ${TASKS}; radius++) {
  node.send({ payload: radius, endpoint: endpoints[radius % endpoints.length] });
}`;
  return [
    { id: 'demo-tab', type: 'tab', label: '1000 tasks over two agents' },
    {
      id: 'demo-client',
      type: 'funcx-client',
      name: '',
      service: 'hub',
      python: '',
      workers: '1',
      idleShutdown: '300',
      integers: 'bigint',
      queueLimit: '100000',
      whenFull: 'error',
      order: 'completed',
      port: String(port),
      credentials: { amqp },
    },
    { id: 'demo-function', type: 'funcx-function', name: 'area', mode: 'code', code: FUNCTION, entryPoint: 'area' },
    node('inject', 'demo-start', 140, {
      name: 'start',
      props: [],
      once: endpoints.length > 0,
      wires: [['demo-spread']],
    }),
    node('function', 'demo-spread', 320, { name: 'spread over the agents', func: spread, outputs: 1, wires: [[RUN]] }),
    node('funcx-run', RUN, 520, {
      client: 'demo-client',
      functionFrom: 'node',
      function: 'demo-function',
      argsMode: 'message',
      message: 'payload',
      messageType: 'msg',
      messageAs: 'single',
      endpoint: 'endpoint',
      endpointType: 'msg',
      target: 'payload',
      // biome-ignore lint/suspicious/noThenProperty: the name of the node's property
      then: 'result',
      wires: [['demo-count']],
    }),
    node('function', 'demo-count', 700, { name: 'count', func: COUNT, outputs: 0, wires: [] }),
  ];
}

const COUNT = `
const count = (context.get('count') ?? 0) + 1;
context.set('count', count);
node.status({ text: count + ' results' });`;

function node(type: string, id: string, x: number, more: object): object {
  return { id, type, z: 'demo-tab', name: '', x, y: 100, ...more };
}
