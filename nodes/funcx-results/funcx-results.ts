/** Sends results on when tasks complete: those that a message speaks of, or those of the client that nobody waits for. */
import type { Node, NodeAPI } from 'node-red';
import type { Entry } from '../../lib/client.js';
import { ClientUser } from '../shared/client-user.js';
import { NodeError } from '../shared/errors.js';
import { chain } from '../shared/eventually.js';
import { guarded, type Job } from '../shared/job.js';
import { compileTarget } from '../shared/message-values.js';
import { describeOutcome, durationOf } from '../shared/results.js';
import { type Collecting, ResultList, ResultMessages } from '../shared/several-tasks.js';
import { compileTasks } from '../shared/task-ids.js';
import type { Message, ResultsConfig } from '../shared/types.js';

type Write = (msg: Message, value: unknown) => void;

export = (RED: NodeAPI): void => {
  function Results(this: Node, config: ResultsConfig): void {
    RED.nodes.createNode(this, config);
    const user = new ClientUser(RED, this, config.client);
    const write = compileTarget(RED, config.target);
    if (config.from === 'client') {
      emitUnclaimed(user, write);
      user.inherit((job, delivery) => {
        job.settle(delivery, write);
        return [delivery];
      });
    } else waitForMessages(user, config, write);
  }

  RED.nodes.registerType('funcx-results', Results);

  /** The message goes on with the result of its task; one that speaks of several tasks becomes one for each. */
  function waitForMessages(user: ClientUser, config: ResultsConfig, write: Write): void {
    const tasksOf = compileTasks(RED, user.node, config);

    const collecting = (job: Job, entry: Entry): Collecting =>
      config.order === 'together'
        ? new ResultList(job, { count: entry.calls.length, write, failures: 'error' })
        : new ResultMessages(RED, job, entry, config.target, write);

    if (config.order === 'sent') user.keepOrder();
    user.serve((job, delivery) => {
      const { entry } = delivery;
      if (!entry.options.list) {
        job.settle(delivery, write);
        return [delivery];
      }
      job.collecting ??= collecting(job, entry);
      return job.collecting.add(delivery);
    });
    user.onInput((client, job) =>
      chain(tasksOf(job.msg), (tasks) => {
        if (typeof tasks === 'string') user.waitFor(client, job, [tasks], {});
        else if (tasks.length > 0) user.waitFor(client, job, tasks, { list: true });
        else nothingToWaitFor(job);
      }),
    );

    const nothingToWaitFor = (job: Job) => {
      if (config.order !== 'together') return job.finish();
      write(job.msg, []);
      job.succeed(0);
    };
  }
};

/** Every result that nobody else waits for becomes a message of its own. */
function emitUnclaimed(user: ClientUser, write: Write): void {
  const { node, status } = user;
  user.onUnclaimed((outcome, take) => {
    guarded(node, () => {
      const message = { funcx: describeOutcome(outcome) } as unknown as Message;
      if (outcome.status === 'failed') {
        status.failed(outcome.error);
        node.error(new NodeError(outcome.error), message);
      } else {
        write(message, outcome.result);
        status.succeeded(durationOf(outcome));
        node.send(message);
      }
      take();
    });
  });
}
