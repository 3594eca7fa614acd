/** Flows as they are stored, with what a test does not speak of filled in as the dialogs would. */
import { execFileSync } from 'node:child_process';

/** The interpreter itself: where `python3` is a launcher, as with pyenv, it would take most of the time of a test. */
export const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

export interface FlowNode {
  readonly id: string;
  readonly type: string;
  readonly [property: string]: unknown;
}

type Properties = Readonly<Record<string, unknown>>;

export const tab: FlowNode = { id: 'tab', type: 'tab', label: 'flow' };

/** A client with two workers. */
export function client(properties: Properties = {}): FlowNode {
  return {
    id: 'client',
    type: 'funcx-client',
    name: 'here',
    service: 'hub',
    python: PYTHON,
    workers: '2',
    cwd: '',
    envAllow: '',
    timeLimit: '',
    memoryLimit: '',
    restartAfter: '',
    idleShutdown: '300',
    integers: 'bigint',
    queueLimit: '100000',
    ...properties,
  };
}

export function pythonFunction(code: string, properties: Properties = {}): FlowNode {
  return {
    id: 'function',
    type: 'funcx-function',
    name: '',
    mode: 'code',
    code,
    entryPoint: '',
    functionId: '',
    description: '',
    public: false,
    group: '',
    ...properties,
  };
}

export function run(properties: Properties = {}): FlowNode {
  return {
    ...choice('funcx-run', 'run'),
    argsMode: 'message',
    args: [],
    messageAs: 'single',
    message: 'payload',
    messageType: 'msg',
    ...then('result'),
    ...properties,
  };
}

export function batchRun(properties: Properties = {}): FlowNode {
  return {
    ...choice('funcx-batch-run', 'batch'),
    items: 'payload',
    itemsType: 'msg',
    itemIs: 'single',
    ...then('array'),
    failures: 'error',
    ...properties,
  };
}

export function register(properties: Properties = {}): FlowNode {
  return {
    ...worker('funcx-register', 'register'),
    function: '',
    source: 'payload',
    sourceType: 'msg',
    entryPoint: '',
    entryPointType: 'str',
    description: '',
    descriptionType: 'str',
    public: false,
    group: '',
    ...properties,
  };
}

export function getResult(properties: Properties = {}): FlowNode {
  return {
    ...worker('funcx-get-result', 'get'),
    tasks: '',
    tasksType: 'msg',
    wires: [['out'], ['pending']],
    ...properties,
  };
}

export function results(properties: Properties = {}): FlowNode {
  return {
    ...worker('funcx-results', 'results'),
    from: 'message',
    inputs: 1,
    order: 'completed',
    tasks: '',
    tasksType: 'msg',
    ...properties,
  };
}

export function search(properties: Properties = {}): FlowNode {
  return {
    ...worker('funcx-search', 'search'),
    query: 'payload',
    queryType: 'msg',
    offset: '0',
    offsetType: 'num',
    limit: '10',
    limitType: 'num',
    ...properties,
  };
}

/** Of a run node: the message goes on with the id of its task. */
export const passingTheId = then('id');

/** What comes after the work. The property's value is text: nothing can take such an object for a promise. */
export function then(what: 'result' | 'id' | 'array' | 'each' | 'ids'): Properties {
  // biome-ignore lint/suspicious/noThenProperty: the name of the nodes' property
  return { then: what };
}

/** Where messages end; see `Runtime.inbox`. */
export function sink(id: string, properties: Properties = {}): FlowNode {
  return { ...placed('helper', id), wires: [], ...properties };
}

/** Everything that goes wrong on the tab. */
export const catchAll: FlowNode = {
  ...placed('catch', 'catch-all'),
  scope: null,
  uncaught: false,
  wires: [['caught']],
};

/** A node with a place on the tab. One without would be a config node to Node-RED. */
export function placed(type: string, id: string): FlowNode {
  return { id, type, z: 'tab', x: 100, y: 100, wires: [['out']] };
}

/** The usual surroundings of nodes under test: a client, sinks for what comes out and for what is caught. */
export function surroundings(clientProperties: Properties = {}): FlowNode[] {
  return [tab, client(clientProperties), sink('out'), sink('pending'), sink('caught'), catchAll];
}

function worker(type: string, id: string): FlowNode {
  return { ...placed(type, id), name: '', client: 'client', target: 'payload' };
}

function choice(type: string, id: string): FlowNode {
  return {
    ...worker(type, id),
    functionFrom: 'node',
    function: 'function',
    functionId: 'funcx.functionId',
    functionIdType: 'msg',
    endpoint: '',
    endpointType: 'str',
  };
}
