/** Which tasks a message speaks of. */
import type { Node, NodeAPI } from 'node-red';
import type { TaskId } from '../../lib/compute/ids.js';
import { chain, type Eventually } from './eventually.js';
import { expectUuid } from './expectations.js';
import { compileValue } from './message-values.js';
import type { GetResultConfig, Message } from './types.js';

/** Compiles the field for tasks: one id, or a list of them, which is answered with a list even when it has only one. */
export function compileTasks(
  RED: NodeAPI,
  node: Node,
  config: GetResultConfig,
): (msg: Message) => Eventually<TaskId | readonly TaskId[]> {
  if (!config.tasks) {
    const one = compileValue(RED, node, 'Tasks', 'funcx.taskId', 'msg');
    const many = compileValue(RED, node, 'Tasks', 'funcx.taskIds', 'msg');
    const of = { field: 'Tasks', origin: 'msg.funcx.taskId (or msg.funcx.taskIds)' };
    return (msg) => chain(one.read(msg), (id) => chain(many.read(msg), (ids) => idsOf(id ?? ids, of)));
  }
  const tasks = compileValue(RED, node, 'Tasks', config.tasks, config.tasksType);
  return (msg) => chain(tasks.read(msg), (value) => idsOf(value, tasks));
}

function idsOf(value: unknown, of: { readonly field: string; readonly origin: string }): TaskId | readonly TaskId[] {
  if (!Array.isArray(value)) return expectUuid<TaskId>(value, of, 'a task');
  return value.map((id, index) => expectUuid<TaskId>(id, { ...of, origin: `${of.origin}[${index}]` }, 'a task'));
}
