/** Why a worker process has ended, or could not be started, for the user. */
import { FuncXError } from '../../compute/errors.js';

export function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL')
    return 'The worker process was killed (SIGKILL): by the system when memory ran out, or by somebody.';
  if (signal !== null) return `The worker process was ended by ${signal}.`;
  return `The worker process ended itself with exit code ${code}.`;
}

export function notStartable(python: string, error: NodeJS.ErrnoException): FuncXError {
  const missing = error.code === 'ENOENT' || error.code === 'EACCES';
  return new FuncXError(
    missing ? 'PYTHON_NOT_FOUND' : 'WORKER_LOST',
    missing
      ? `The Python interpreter ${python} ${error.code === 'ENOENT' ? 'was not found' : 'may not be executed'}. Install Python 3.8 or later (Debian, Ubuntu: apt install python3), or give the path of an interpreter in the client.`
      : `The Python interpreter ${python} could not be started: ${error.message}`,
    { cause: error },
  );
}
