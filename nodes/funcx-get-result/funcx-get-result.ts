/** Asks once for the results of tasks. The first output is for what has ended, the second for what is still pending. */
import type { Node, NodeAPI } from 'node-red';
import type { BatchResult, FuncXClient } from '../../lib/client.js';
import { TaskError, TaskPending } from '../../lib/compute/errors.js';
import type { TaskId } from '../../lib/compute/ids.js';
import { ClientUser } from '../shared/client-user.js';
import { errorData } from '../shared/errors.js';
import type { Job } from '../shared/job.js';
import { compileTarget } from '../shared/message-values.js';
import { writeFuncx } from '../shared/results.js';
import { compileTasks } from '../shared/task-ids.js';
import type { GetResultConfig, Message } from '../shared/types.js';

export = (RED: NodeAPI): void => {
  function GetResult(this: Node, config: GetResultConfig): void {
    RED.nodes.createNode(this, config);
    const user = new ClientUser(RED, this, config.client);
    const tasksOf = compileTasks(RED, this, config);
    const write = compileTarget(RED, config.target);

    user.onInput(async (client, job) => {
      const tasks = await tasksOf(job.msg);
      if (typeof tasks === 'string') await answerOne(client, tasks, job, write);
      else await answerAll(client, tasks, job, write);
    });
  }

  RED.nodes.registerType('funcx-get-result', GetResult);
};

type Write = (msg: Message, value: unknown) => void;

async function answerOne(client: FuncXClient, taskId: TaskId, job: Job, write: Write): Promise<void> {
  let result: unknown;
  try {
    result = await client.getResult(taskId);
  } catch (error) {
    if (error instanceof TaskPending) {
      writeFuncx(job.msg, { taskId, pending: true, status: error.status });
      return job.pending(error.status, [null, job.msg]);
    }
    if (error instanceof TaskError) writeFuncx(job.msg, { taskId, pending: false, status: 'failed' });
    throw error;
  }
  writeFuncx(job.msg, { taskId, pending: false, status: 'success' });
  write(job.msg, result);
  job.succeed(undefined, [job.msg, null]);
}

async function answerAll(client: FuncXClient, taskIds: readonly TaskId[], job: Job, write: Write): Promise<void> {
  const results = await client.getBatchResult(taskIds);
  const states = Object.values(results);
  const waiting = states.find((state) => state.pending);
  const failed = states.some((state) => state.status === 'failed');
  const status = waiting?.status ?? (failed ? 'failed' : 'success');
  writeFuncx(job.msg, { taskIds, pending: waiting !== undefined, status });
  write(job.msg, Object.fromEntries(Object.entries(results).map(([id, result]) => [id, asData(result)])));
  if (waiting === undefined) job.succeed(undefined, [job.msg, null]);
  else job.pending(waiting.status, [null, job.msg]);
}

/** As the SDK answers, but with the exception as data. */
function asData({ exception, ...result }: BatchResult): object {
  return exception === undefined ? result : { ...result, exception: errorData(exception) };
}
