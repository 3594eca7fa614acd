/** Finds registered functions. */
import type { Node, NodeAPI } from 'node-red';
import { ClientUser } from '../shared/client-user.js';
import { expectCount, expectText } from '../shared/expectations.js';
import { compileTarget, compileValue } from '../shared/message-values.js';
import type { SearchConfig } from '../shared/types.js';

export = (RED: NodeAPI): void => {
  function Search(this: Node, config: SearchConfig): void {
    RED.nodes.createNode(this, config);
    const user = new ClientUser(RED, this, config.client);
    const query = compileValue(RED, this, 'Search', config.query, config.queryType);
    const offset = compileValue(RED, this, 'Offset', config.offset, config.offsetType);
    const limit = compileValue(RED, this, 'Limit', config.limit, config.limitType);
    const write = compileTarget(RED, config.target);

    user.onInput(async (client, job) => {
      const page = await client.searchFunctions(expectText(await query.read(job.msg), query), {
        offset: expectCount(await offset.read(job.msg), offset, 0),
        limit: expectCount(await limit.read(job.msg), limit, 1),
      });
      write(job.msg, page);
      job.succeed();
    });
  }

  RED.nodes.registerType('funcx-search', Search);
};
