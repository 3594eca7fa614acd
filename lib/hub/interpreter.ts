/** Finding a Python interpreter, and asking it what a source text defines. User code is parsed, never run. */
import { type ExecFileException, execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FuncXError } from '../compute/errors.js';

const SCRIPT = join(__dirname, 'workers', 'inspect_source.py');

/** An interpreter that says nothing for so long is not usable. Unit: milliseconds. */
const ANSWER_LIMIT_MS = 10_000;

/** Larger than what is said of a source text of the largest size that can be registered. Unit: bytes. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** The worker's language level. */
const OLDEST = [3, 8] as const;

export interface PythonInfo {
  /** Absolute path of the interpreter, as it knows itself. */
  readonly executable: string;
  /** For example `3.11.7`. */
  readonly version: string;
  /** For example `CPython`. */
  readonly implementation: string;
  /** Version of dill, which lets more types travel; null where it is not installed. */
  readonly dill: string | null;
}

export type ParameterKind = 'positional-only' | 'positional' | 'var-positional' | 'keyword' | 'var-keyword';

export interface FunctionParameter {
  readonly name: string;
  readonly kind: ParameterKind;
  /** Source text of the default; absent where the caller must give a value. */
  readonly default?: string;
  /** Source text of the annotation. */
  readonly annotation?: string;
}

export interface FunctionSignature {
  readonly name: string;
  /** Line of the `def`, the first being 1. */
  readonly line: number;
  /** Docstring, without its indentation; empty where there is none. */
  readonly doc: string;
  readonly async: boolean;
  readonly parameters: readonly FunctionParameter[];
}

/** What the interpreter sees in a source text: its top-level functions in order, or its first error. */
export type SourceReport =
  | { readonly ok: true; readonly functions: readonly FunctionSignature[] }
  | {
      readonly ok: false;
      readonly error: { readonly line: number; readonly column: number; readonly message: string };
    };

/**
 * Finds a usable interpreter.
 *
 * @param path what to start: a name looked up on PATH, a file, or the directory of a virtual environment.
 *   Empty: the `python3` of PATH, or `python` where that is a Python 3.
 * @param signal gives up, ending what was started.
 * @throws FuncXError `PYTHON_NOT_FOUND`, saying what was tried and what to install on this platform.
 */
export async function findPython(path = '', signal?: AbortSignal): Promise<PythonInfo> {
  const failures: string[] = [];
  for (const candidate of await candidates(path.trim())) {
    try {
      const info = (await ask(candidate, 'describe', '', signal)) as PythonInfo;
      if (isOldEnough(info.version)) return info;
      failures.push(`${candidate} is Python ${info.version}`);
    } catch (error) {
      failures.push(`${candidate}: ${(error as Error).message}`);
    }
  }
  throw new FuncXError(
    'PYTHON_NOT_FOUND',
    `No Python ${OLDEST.join('.')} or later was found (${failures.join('; ')}). ${installAdvice()} ` +
      'Or name another interpreter, or the directory of a virtual environment, in the field Python of the client.',
  );
}

/**
 * Asks an interpreter which functions a source text defines.
 *
 * @param python executable of the interpreter; see {@link findPython}.
 * @throws FuncXError `PYTHON_NOT_FOUND` when the interpreter cannot be started or does not answer.
 */
export async function inspectSource(python: string, source: string): Promise<SourceReport> {
  try {
    return (await ask(python, 'functions', source)) as SourceReport;
  } catch (error) {
    throw new FuncXError(
      'PYTHON_NOT_FOUND',
      `The interpreter ${python} could not read the source: ${(error as Error).message}`,
    );
  }
}

async function candidates(path: string): Promise<string[]> {
  if (path === '') return process.platform === 'win32' ? ['python', 'py', 'python3'] : ['python3', 'python'];
  const file = path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
  if (!(await isDirectory(file))) return [file];
  // A virtual environment: https://docs.python.org/3/library/venv.html
  return process.platform === 'win32'
    ? [join(file, 'Scripts', 'python.exe'), join(file, 'python.exe')]
    : [join(file, 'bin', 'python'), join(file, 'bin', 'python3')];
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function isOldEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

function ask(
  python: string,
  question: 'describe' | 'functions',
  input: string,
  signal?: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      python,
      [SCRIPT, question],
      { timeout: ANSWER_LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_ANSWER_BYTES, windowsHide: true, signal },
      (error, stdout, stderr) => {
        if (error) return reject(new Error(reasonOf(error, stderr)));
        try {
          resolve(JSON.parse(stdout.slice(stdout.trimEnd().lastIndexOf('\n') + 1)));
        } catch {
          reject(new Error('it does not answer as a Python does'));
        }
      },
    );
    // The interpreter may end before it has read everything; how it ended is what counts.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

function reasonOf(error: ExecFileException, stderr: string): string {
  if (error.killed) return `no answer within ${ANSWER_LIMIT_MS / 1000} s`;
  switch (error.code as number | string | null | undefined) {
    case 'ENOENT':
      return 'not found';
    case 'EACCES':
      return 'may not be run';
    default:
      return stderr.trimEnd().split('\n').at(-1) || error.message;
  }
}

function installAdvice(): string {
  switch (process.platform) {
    case 'win32':
      return 'Install it from https://www.python.org/downloads/ or with: winget install Python.Python.3.13.';
    case 'darwin':
      return 'Install it from https://www.python.org/downloads/ or with: brew install python.';
    default:
      return (
        'Install it with the package manager of the system: sudo apt install python3 (Debian, Ubuntu, Raspberry Pi OS), ' +
        'sudo dnf install python3 (Fedora), apk add python3 (Alpine and the Node-RED container image).'
      );
  }
}
