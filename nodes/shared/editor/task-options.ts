/** What is asked of tasks beside their arguments: until when, how often, and whether an older result will do. */
import { textIn } from './form';
import { ELSEWHERE, typedField } from './typed-field';
import { amount, count, names, typedAmount } from './validators';

export interface TaskOptions {
  deadline: string;
  deadlineType: string;
  late: 'drop' | 'send';
  retries: string;
  retryErrors: string;
  backoff: string;
  memoize: string;
}

/** Definitions of the properties. */
export const TASK_PROPERTIES = {
  deadline: {
    value: '',
    label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.deadline'),
    validate: typedAmount('deadlineType'),
  },
  deadlineType: { value: 'num' },
  late: { value: 'drop' },
  retries: {
    value: '',
    label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.retries'),
    validate: count(0, { blank: true }),
  },
  retryErrors: {
    value: '',
    label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.retry-errors'),
    validate: names(RED._('@funcx/node-red-funcx/funcx-client:shared.invalid.errors')),
  },
  backoff: {
    value: '',
    label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.backoff'),
    validate: amount({ zero: true }),
  },
  memoize: {
    value: '',
    label: RED._('@funcx/node-red-funcx/funcx-client:shared.label.memoize'),
    validate: amount(),
  },
} as const;

/** What is not worth a word in the folded section. */
export const TASK_DEFAULTS = {
  deadline: '',
  late: 'drop',
  retries: '',
  retryErrors: '',
  backoff: '',
  memoize: '',
} as const;

/** Prepares the fields of `task-options.html`. Those that have no effect as the dialog stands are hidden. */
export function prepareTaskOptions(): void {
  typedField('deadline', [
    { value: 'num', label: RED._('@funcx/node-red-funcx/funcx-client:shared.seconds') },
    ...ELSEWHERE,
  ]);
  const show = () => {
    const then = textIn('node-input-then');
    const retries = textIn('node-input-retries').trim();
    // One message with all results is sent once: there is none that a late result could go with.
    $('.funcx-late').toggle(textIn('node-input-deadline').trim() !== '' && then !== 'array');
    $('.funcx-retry').toggle(retries !== '' && retries !== '0');
    $('.funcx-memoize').toggle(then !== 'id' && then !== 'ids');
  };
  $('#node-input-then, #node-input-deadline, #node-input-retries').on('input change keyup', show);
  show();
}
