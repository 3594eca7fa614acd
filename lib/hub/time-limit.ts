/** Work in this thread whose length somebody else decides, such as by a regular expression of theirs. */
import { createContext, Script } from 'node:vm';
import { FuncXError } from '../compute/errors.js';

/** The script is ours; what it calls is stopped wherever it is, also in the middle of a regular expression. */
const context = createContext({ work: undefined });
const script = new Script('work()');

/** @throws FuncXError `BAD_INPUT` when the work takes longer than `limitMs`, and what the work throws */
export function withinTime<T>(limitMs: number, work: () => T): T {
  context.work = work;
  try {
    return script.runInContext(context, { timeout: limitMs }) as T;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new FuncXError('BAD_INPUT', `It takes longer than ${limitMs} ms.`);
    throw error;
  } finally {
    context.work = undefined;
  }
}
