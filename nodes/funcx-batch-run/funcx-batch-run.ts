/** One message with an array, one task an item. */
import type { Node, NodeAPI } from 'node-red';
import type { BatchCall, Entry, FuncXClient } from '../../lib/client.js';
import { argumentsOf } from '../shared/call-arguments.js';
import { ClientUser } from '../shared/client-user.js';
import { compileOptions } from '../shared/entry-options.js';
import { chain, type Eventually } from '../shared/eventually.js';
import { expectList } from '../shared/expectations.js';
import { compileDestination, type Destination } from '../shared/function-choice.js';
import type { Job } from '../shared/job.js';
import { compileTarget, compileValue } from '../shared/message-values.js';
import { writeFuncx } from '../shared/results.js';
import { type Collecting, ResultList, ResultMessages } from '../shared/several-tasks.js';
import type { BatchRunConfig, Message } from '../shared/types.js';

export = (RED: NodeAPI): void => {
  function BatchRun(this: Node, config: BatchRunConfig): void {
    RED.nodes.createNode(this, config);
    const user = new ClientUser(RED, this, config.client);
    const destinationOf = compileDestination(RED, this, config);
    const items = compileValue(RED, this, 'Items', config.items, config.itemsType);
    const write = compileTarget(RED, config.target);
    // A list is sent once: there is no message that a late result could go with.
    const options: BatchRunConfig = config.then === 'array' ? { ...config, late: 'drop' } : config;
    const optionsOf = compileOptions(RED, this, options, config.then === 'ids' ? 'accepted' : 'ended');

    const batchOf = (client: FuncXClient, msg: Message): Eventually<BatchCall & Destination> =>
      chain(destinationOf(client, msg), (destination) =>
        chain(items.read(msg), (value) => ({
          ...destination,
          calls: expectList(value, items, 'items, one for each task').map((item, index) =>
            argumentsOf(item, config.itemIs, { field: items.field, origin: `${items.origin}[${index}]` }),
          ),
        })),
      );

    const collecting = (job: Job, entry: Entry): Collecting =>
      config.then === 'each'
        ? new ResultMessages(RED, job, entry, config.target, write)
        : new ResultList(job, { count: entry.calls.length, write, failures: config.failures });

    const nothingToDo = (job: Job, { functionId, endpointId }: Destination) => {
      if (config.then === 'each') return job.finish();
      writeFuncx(job.msg, { functionId, endpointId, taskIds: [] });
      write(job.msg, []);
      job.succeed(0);
    };

    user.serve((job, delivery) => {
      job.collecting ??= collecting(job, delivery.entry);
      return job.collecting.add(delivery);
    });
    user.onInput((client, job) =>
      chain(batchOf(client, job.msg), (batch) => {
        if (batch.calls.length === 0) return nothingToDo(job, batch);
        return chain(optionsOf(job.msg), (options) => user.submit(client, job, batch, options));
      }),
    );
  }

  RED.nodes.registerType('funcx-batch-run', BatchRun);
};
