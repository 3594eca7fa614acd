/** A process with a hub, to be killed: submits what it is told to, and says when that is durable. See `restart.spec.ts`. */
import { type EndpointId, type FunctionId, FuncXClient, Hub, type TaskGroupId } from '../../../dist/lib/index.js';

/** What the process is told to do first; afterwards each message asks whether all is durable. */
export interface ChildOrders {
  readonly file: string;
  readonly cwd: string;
  readonly python: string;
  readonly source: string;
  readonly group: TaskGroupId;
  readonly workers: number;
  /** Positional arguments of each task. */
  readonly calls: readonly (readonly unknown[])[];
}

async function begin({ file, cwd, python, source, group, workers, calls }: ChildOrders): Promise<void> {
  const hub = await Hub.open({ file });
  const endpointId: EndpointId = await hub.localEndpoint({ name: 'lab', python, cwd, workers });
  const client = await FuncXClient.open({ service: hub, endpointId, taskGroupId: group });
  const functionId: FunctionId = await client.registerFunction({ source });
  const { taskIds } = await client.batchRun({ functionId, calls: calls.map((args) => ({ args })) });
  process.on('message', () => void hub.durable().then(() => process.send?.('durable')));
  process.send?.(taskIds);
}

process.once('message', (orders: ChildOrders) => void begin(orders));
