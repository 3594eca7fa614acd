/** Which function a node runs, and where. */
import type { Node, NodeAPI } from 'node-red';
import type { FuncXClient } from '../../lib/client.js';
import { InputError } from '../../lib/compute/errors.js';
import type { EndpointId, FunctionId } from '../../lib/compute/ids.js';
import { chain, type Eventually } from './eventually.js';
import { expectUuid } from './expectations.js';
import { compileValue } from './message-values.js';
import type { FunctionChoiceConfig, FunctionNode, Message } from './types.js';

export interface Destination {
  readonly functionId: FunctionId;
  readonly endpointId: EndpointId;
}

type Choice<T> = (client: FuncXClient, msg: Message) => Eventually<T>;

/** Compiles the choices of a function and of an endpoint. Once the function is known, it waits for nothing. */
export function compileDestination(RED: NodeAPI, node: Node, config: FunctionChoiceConfig): Choice<Destination> {
  const functionOf = compileFunction(RED, node, config);
  const endpointOf = compileEndpoint(RED, node, config);
  return (client, msg) =>
    chain(functionOf(client, msg), (functionId) =>
      chain(endpointOf(client, msg), (endpointId) => ({ functionId, endpointId })),
    );
}

function compileFunction(RED: NodeAPI, node: Node, config: FunctionChoiceConfig): Choice<FunctionId> {
  if (config.functionFrom === 'node') {
    const registered = new RegisteredFunction(RED, config.function);
    return (client) => registered.id(client);
  }
  const id = compileValue(RED, node, 'Function', config.functionId, config.functionIdType);
  return (_client, msg) => chain(id.read(msg), (value) => expectUuid<FunctionId>(value, id, 'a registered function'));
}

/** No endpoint chosen, or an empty value, is the client's own. */
function compileEndpoint(RED: NodeAPI, node: Node, config: FunctionChoiceConfig): Choice<EndpointId> {
  if (!config.endpoint) return (client) => client.endpointId;
  const endpoint = compileValue(RED, node, 'Endpoint', config.endpoint, config.endpointType);
  return (client, msg) =>
    chain(endpoint.read(msg), (value) =>
      value === '' || value === undefined || value === null
        ? client.endpointId
        : expectUuid<EndpointId>(value, endpoint, 'an endpoint'),
    );
}

/** The function of a funcx-function node, registered by the first message that needs it. */
export class RegisteredFunction {
  /** The promise of the id while it is being registered. A failed registration is tried again by the next message. */
  #id: Eventually<FunctionId> | undefined;

  constructor(
    readonly RED: NodeAPI,
    readonly nodeId: string,
  ) {}

  /** @throws InputError when there is no such node, or when it defines nothing */
  id(client: FuncXClient): Eventually<FunctionId> {
    if (this.#id !== undefined) return this.#id;
    const definition = this.#node().definition();
    if (typeof definition === 'string') {
      this.#id = definition;
      return definition;
    }
    const registering = client.registerFunction(definition);
    this.#id = registering;
    registering.then(
      (id) => {
        this.#id = id;
      },
      () => {
        this.#id = undefined;
      },
    );
    return registering;
  }

  #node(): FunctionNode {
    const node = this.RED.nodes.getNode(this.nodeId) as FunctionNode | null | undefined;
    if (node?.type === 'funcx-function') return node;
    const problem = !this.nodeId ? 'none is chosen' : `the one chosen (${this.nodeId}) does not exist or is disabled`;
    throw new InputError(`Function: ${problem}. Open the node, choose a function, and deploy.`);
  }
}
