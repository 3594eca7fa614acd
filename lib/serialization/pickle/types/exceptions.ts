import { type Maker, type MakerTable, PythonObject } from '../python-objects.js';

/** Python's own exceptions, as of Python 3.13. */
const NAMES = `
  BaseException Exception ArithmeticError AssertionError AttributeError BaseExceptionGroup BlockingIOError
  BrokenPipeError BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError
  ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError EncodingWarning ExceptionGroup
  FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit ImportError ImportWarning
  IndentationError IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError
  ModuleNotFoundError NameError NotADirectoryError NotImplementedError OSError OverflowError PendingDeprecationWarning
  PermissionError ProcessLookupError PythonFinalizationError RecursionError ReferenceError ResourceWarning RuntimeError
  RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError
  TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning
  UserWarning ValueError Warning ZeroDivisionError`;

/** An exception that was returned, not raised: a labelled object that has the message ready. */
class PythonException extends PythonObject {
  readonly message: string;

  constructor($python: string, args: readonly unknown[]) {
    super($python, args);
    this.message = messageOf(args);
  }
}

const exception: Maker = (args, { name }) => new PythonException(name, args);

export const exceptions: MakerTable = Object.fromEntries(
  NAMES.trim()
    .split(/\s+/)
    .map((name) => [`builtins.${name}`, exception]),
);

/** The first text, since an OSError has its number before; or the only argument, if it is a number. */
function messageOf(args: readonly unknown[]): string {
  const text = args.find((arg) => typeof arg === 'string');
  if (text !== undefined) return text;
  const [only] = args;
  return args.length === 1 && (typeof only === 'number' || typeof only === 'bigint') ? String(only) : '';
}
