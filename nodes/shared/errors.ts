/** Errors as they leave a node. */
import { FuncXError, RemoteException } from '../../lib/compute/errors.js';

/**
 * What `done()` is given. Node-RED puts on `msg.error`: `message`, which is `String(error)`, and the error's own `code`,
 * `stack` and `cause` (runtime, Flow.handleError).
 *
 * Of an exception of the user's function, the message is the last line of the traceback, and `stack` and `cause` are the
 * traceback as Python printed it: the JavaScript stack would only show how the news arrived.
 */
export class NodeError extends Error {
  readonly code?: string;
  /** As Python printed it. */
  readonly traceback?: string;

  constructor(error: unknown) {
    super(error instanceof Error ? error.message : String(error));
    if (!(error instanceof Error)) return;
    const code = codeOf(error);
    if (code !== undefined) this.code = code;
    if (error instanceof RemoteException) {
      this.traceback = error.traceback;
      this.stack = error.traceback;
      this.cause = error.traceback;
    } else {
      if (error.stack !== undefined) this.stack = error.stack;
      if (error.cause !== undefined) this.cause = error.cause;
    }
  }

  /** Without the name of the class in front, which says nothing to the reader of a flow. */
  override toString(): string {
    return this.message;
  }
}

/** The word for an error in a status: the Python type of an exception, otherwise the code. */
export function reasonOf(error: unknown): string {
  if (error instanceof RemoteException) return error.pythonType;
  return codeOf(error) ?? (error instanceof Error ? error.name : 'error');
}

/** An error as data, for a message: Error objects do not survive being cloned or written as JSON. */
export interface ErrorData {
  readonly code: string;
  readonly message: string;
  /** Of an exception of the function, as Python printed it. */
  readonly traceback?: string;
}

export function errorData(error: FuncXError): ErrorData {
  const { code, message } = error;
  return error instanceof RemoteException ? { code, message, traceback: error.traceback } : { code, message };
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof FuncXError) return error.code;
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
