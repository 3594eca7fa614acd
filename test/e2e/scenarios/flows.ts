/** Flows that scenarios begin with. */
import type { FlowNode } from '../node-red';

export const TAB: FlowNode = { id: 'tab', type: 'tab', label: 'Flow 1', disabled: false, info: '', env: [] };

export const CLIENT: FlowNode = {
  id: 'client',
  type: 'funcx-client',
  name: '',
  service: 'hub',
  python: '',
  workers: '2',
  cwd: '',
  envAllow: '',
  timeLimit: '',
  memoryLimit: '',
  restartAfter: '',
  idleShutdown: '300',
  integers: 'bigint',
  queueLimit: '100000',
};

export const DETECT = `def detect(readings, limit: float = 3.0, *stations, unit="°C", **more):
    """Tell which readings are out of line."""
    return [reading for reading in readings if reading > limit]
`;

export function pythonFunction(id: string, code: string, entryPoint: string, properties = {}): FlowNode {
  return {
    id,
    type: 'funcx-function',
    name: '',
    mode: 'code',
    code,
    entryPoint,
    functionId: '',
    description: '',
    public: false,
    group: '',
    problem: '',
    ...properties,
  };
}

/** A function that is there when a scenario begins. */
export const FUNCTION = pythonFunction('function', DETECT, 'detect');

/** What comes after the work. The property's value is text: nothing can take such an object for a promise. */
export function then(what: 'result' | 'id' | 'array' | 'each' | 'ids'): Readonly<Record<string, string>> {
  // biome-ignore lint/suspicious/noThenProperty: the name of the nodes' property
  return { then: what };
}

interface Place {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly wires?: readonly (readonly string[])[];
}

function placed(type: string, place: Place, properties: object): FlowNode {
  return { type, z: 'tab', name: '', wires: [[]], ...properties, ...place };
}

export function inject(place: Place, payload: string, payloadType: string): FlowNode {
  const props = [{ p: 'payload' }];
  return placed('inject', place, {
    props,
    repeat: '',
    crontab: '',
    once: false,
    onceDelay: 0.1,
    topic: '',
    payload,
    payloadType,
  });
}

/** @param complete the property of the message that it shows */
export function debug(place: Place, complete = 'payload'): FlowNode {
  const shown = { active: true, tosidebar: true, console: false, tostatus: false, complete, targetType: 'msg' };
  return placed('debug', place, { ...shown, name: place.id, statusVal: '', statusType: 'auto', wires: [] });
}

export function caught(place: Place): FlowNode {
  return placed('catch', place, { scope: null, uncaught: false });
}

/** A node of this package as it comes from the palette, with a client. */
export function node(type: keyof typeof DEFAULTS, place: Place, properties = {}): FlowNode {
  return placed(`funcx-${type}`, place, { client: 'client', ...DEFAULTS[type], target: 'payload', ...properties });
}

const CHOICE = {
  functionFrom: 'node',
  function: 'function',
  functionId: 'funcx.functionId',
  functionIdType: 'msg',
  endpoint: '',
  endpointType: 'str',
};

const DEFAULTS = {
  register: {
    function: '',
    source: 'payload',
    sourceType: 'msg',
    entryPoint: '',
    entryPointType: 'str',
    description: '',
    descriptionType: 'str',
    public: false,
    group: '',
  },
  run: {
    ...CHOICE,
    argsMode: 'message',
    args: [],
    messageAs: 'single',
    message: 'payload',
    messageType: 'msg',
    ...then('result'),
  },
  'batch-run': { ...CHOICE, items: 'payload', itemsType: 'msg', itemIs: 'single', ...then('array'), failures: 'error' },
  'get-result': { tasks: '', tasksType: 'msg' },
  results: { from: 'message', inputs: 1, order: 'completed', tasks: '', tasksType: 'msg' },
  search: { query: 'payload', queryType: 'msg', offset: '0', offsetType: 'num', limit: '10', limitType: 'num' },
} as const;

/** One of each type, as they come from the palette. */
export const ONE_OF_EACH: readonly FlowNode[] = [
  TAB,
  CLIENT,
  FUNCTION,
  node('register', { id: 'register', x: 160, y: 80 }, { function: 'function' }),
  node('run', { id: 'run', x: 160, y: 140 }, { argsMode: 'rows' }),
  node('batch-run', { id: 'batch-run', x: 160, y: 200 }),
  node('get-result', { id: 'get-result', x: 160, y: 260, wires: [[], []] }),
  node('results', { id: 'results', x: 160, y: 320 }),
  node('search', { id: 'search', x: 160, y: 380 }),
];
