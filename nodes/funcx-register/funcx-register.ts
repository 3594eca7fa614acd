/** Registers a function and passes its id on. The same source is registered once. */
import type { Node, NodeAPI } from 'node-red';
import type { FunctionDefinition, FuncXClient } from '../../lib/client.js';
import type { FunctionId } from '../../lib/compute/ids.js';
import { ClientUser } from '../shared/client-user.js';
import { expectText } from '../shared/expectations.js';
import { RegisteredFunction } from '../shared/function-choice.js';
import { compileTarget, compileValue, type MessageValue } from '../shared/message-values.js';
import { writeFuncx } from '../shared/results.js';
import type { Message, RegisterConfig } from '../shared/types.js';

export = (RED: NodeAPI): void => {
  function Register(this: Node, config: RegisterConfig): void {
    RED.nodes.createNode(this, config);
    const user = new ClientUser(RED, this, config.client);
    const register = config.function ? fromNode(config) : fromMessage(this, config);
    const write = compileTarget(RED, config.target);

    user.onInput(async (client, job) => {
      const functionId = await register(client, job.msg);
      writeFuncx(job.msg, { functionId });
      write(job.msg, functionId);
      job.succeed();
    });
  }

  RED.nodes.registerType('funcx-register', Register);

  type Registration = (client: FuncXClient, msg: Message) => FunctionId | Promise<FunctionId>;

  function fromNode(config: RegisterConfig): Registration {
    const registered = new RegisteredFunction(RED, config.function);
    return (client) => registered.id(client);
  }

  function fromMessage(node: Node, config: RegisterConfig): Registration {
    const source = compileValue(RED, node, 'Source', config.source, config.sourceType);
    const entryPoint = compileValue(RED, node, 'Entry point', config.entryPoint, config.entryPointType);
    const description = compileValue(RED, node, 'Description', config.description, config.descriptionType);
    return async (client, msg) => {
      const definition: FunctionDefinition = {
        source: expectText(await source.read(msg), source),
        ...(await optional('entryPoint', entryPoint, msg)),
        ...(await optional('description', description, msg)),
        ...(config.public && { public: true }),
        ...(config.group && { group: config.group }),
      };
      return client.registerFunction(definition);
    };
  }
};

/** A text that may be left empty, as the property it is for. */
async function optional(name: 'entryPoint' | 'description', value: MessageValue, msg: Message) {
  const found = await value.read(msg);
  return found === undefined || found === null || found === '' ? {} : { [name]: expectText(found, value) };
}
