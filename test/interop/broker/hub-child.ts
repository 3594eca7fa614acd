/** A hub with a broker in a process of its own, to be killed. */
import { type EndpointId, type FunctionId, Hub, type TaskId } from '../../../dist/lib/index.js';
import { NO_ARGUMENTS } from './fixture.js';

export interface ChildOrders {
  readonly file: string;
  readonly url: string;
  readonly endpoint: EndpointId;
  readonly functionId: FunctionId;
  readonly count: number;
}

process.once('message', async ({ file, url, endpoint, functionId, count }: ChildOrders) => {
  const hub = await Hub.open({ file, broker: { url, lookMs: 100 } });
  const { tasks } = await hub.submit(endpoint, { tasks: { [functionId]: Array(count).fill(NO_ARGUMENTS) } });
  await hub.durable();
  process.send?.(tasks[functionId] as TaskId[]);
});
