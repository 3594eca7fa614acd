/** A Python function: its source, or the id that it was registered under. */
import type { Node, NodeAPI } from 'node-red';
import type { FunctionId } from '../../lib/compute/ids.js';
import { expectUuid } from '../shared/expectations.js';
import type { FunctionConfig, FunctionNode } from '../shared/types.js';

export = (RED: NodeAPI): void => {
  function FuncxFunction(this: FunctionNode, config: FunctionConfig): void {
    RED.nodes.createNode(this, config);
    Object.assign(this, {
      repeatable: config.repeatable === true,
      definition: () => {
        if (config.mode === 'id') {
          const of = { field: 'Function id', origin: `that of ${config.name || config.id}` };
          return expectUuid<FunctionId>(config.functionId, of, 'a registered function');
        }
        return {
          source: config.code,
          ...(config.entryPoint && { entryPoint: config.entryPoint }),
          ...(config.description && { description: config.description }),
          ...(config.public && { public: true }),
          ...(config.group && { group: config.group }),
        };
      },
    } satisfies Omit<FunctionNode, keyof Node>);
  }

  RED.nodes.registerType('funcx-function', FuncxFunction);
};
