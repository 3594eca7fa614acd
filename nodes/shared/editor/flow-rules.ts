/** The rule for the number of tasks in flight. */
import { currentText, type SomeNode } from './form';
import { count, isEnvironment, wrong } from './validators';

const positive = count(1, { blank: true });

/** Only what waits here can be dropped: to drop the oldest, fewer have to be in flight than the queue has room for. */
export function inFlight(this: SomeNode, value: string, options?: NodeRedEditor.ValidateOptions): boolean | string {
  const answer = positive.call(this, value, options);
  if (answer !== true || currentText(this, 'whenFull') !== 'drop-oldest' || isEnvironment(value)) return answer;
  const limit = currentText(this, 'queueLimit').trim();
  const room = limit === '' ? Number.POSITIVE_INFINITY : Number(limit);
  if (String(value ?? '').trim() !== '' && (Number(value) < room || isEnvironment(limit))) return true;
  return wrong(options, RED._('@funcx/node-red-funcx/funcx-client:funcx-client.invalid.in-flight'));
}
