/** One message, one task. */
import type { Node, NodeAPI } from 'node-red';
import { compileArguments } from '../shared/call-arguments.js';
import { ClientUser } from '../shared/client-user.js';
import { compileOptions } from '../shared/entry-options.js';
import { chain } from '../shared/eventually.js';
import { compileDestination } from '../shared/function-choice.js';
import { compileTarget } from '../shared/message-values.js';
import type { RunConfig } from '../shared/types.js';

export = (RED: NodeAPI): void => {
  function Run(this: Node, config: RunConfig): void {
    RED.nodes.createNode(this, config);
    const user = new ClientUser(RED, this, config.client);
    const destinationOf = compileDestination(RED, this, config);
    const argumentsOf = compileArguments(RED, this, config);
    const write = compileTarget(RED, config.target);

    const optionsOf = compileOptions(RED, this, config, config.then === 'id' ? 'accepted' : 'ended');

    user.serve((job, delivery) => {
      job.settle(delivery, write);
      return [delivery];
    });
    user.onInput((client, job) =>
      chain(destinationOf(client, job.msg), ({ functionId, endpointId }) =>
        chain(argumentsOf(job.msg), (call) =>
          chain(optionsOf(job.msg), (options) => {
            user.submit(client, job, { functionId, endpointId, calls: [call] }, options);
          }),
        ),
      ),
    );
  }

  RED.nodes.registerType('funcx-run', Run);
};
