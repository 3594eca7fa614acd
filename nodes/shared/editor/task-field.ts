/** The field for tasks: those that the message speaks of, or ids from somewhere. */
import { typedLabel } from './labels';
import { ELSEWHERE, typedField } from './typed-field';

/** Name of the choice that is stored as an empty value: `msg.funcx.taskId`, or `msg.funcx.taskIds`. */
const OF_MESSAGE = 'task';

/** Prepares the field. @param tasks the stored value; empty for the tasks of the message */
export function prepareTasks(tasks: string): void {
  if (tasks === '') $('#node-input-tasksType').val(OF_MESSAGE);
  typedField('tasks', [
    {
      value: OF_MESSAGE,
      label: RED._('@funcx/node-red-funcx/funcx-client:shared.tasks-of-message'),
      hasValue: false,
    },
    ...ELSEWHERE,
    { value: 'str', label: RED._('@funcx/node-red-funcx/funcx-client:shared.task-id'), icon: 'fa fa-hashtag' },
    'json',
  ]);
}

/** Writes the choice into the form as it is stored. */
export function saveTasks(): void {
  const type = $('#node-input-tasksType');
  if (type.val() !== OF_MESSAGE) return;
  type.val('msg');
  $('#node-input-tasks').val('');
}

/** The tasks in a word; empty for those of the message. */
export function tasksLabel(node: { readonly tasks: string; readonly tasksType: string }): string {
  return node.tasks === '' ? '' : typedLabel(node.tasksType, node.tasks);
}
