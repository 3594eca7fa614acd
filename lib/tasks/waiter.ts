import type { FuncXError } from '../compute/errors.js';
import type { TaskStatus } from '../compute/service.js';

/**
 * Who waits for a task. One of `ended` and `failed` is called, once; a result that was stored or sent on is then
 * acknowledged.
 */
export interface Waiter {
  ended(status: TaskStatus): void;
  /** The service refuses to tell. */
  failed(error: FuncXError): void;
  /** The service was asked, and says that the task has not ended. */
  pending?(status: TaskStatus): void;
}
