/** The programs of others that the hub is tested with: the Python SDK and the endpoint agent, unmodified from PyPI. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const PACKAGES = ['globus-compute-sdk==4.15.*', 'globus-compute-endpoint==4.15.*', 'numpy'];

/** Agents run as an ordinary user, who cannot read an interpreter under another user's home. */
const SYSTEM_PYTHON = '/usr/bin/python3';

export interface Peers {
  /** Interpreter with the SDK, dill and numpy. */
  readonly python: string;
  /** The command `globus-compute-endpoint`. */
  readonly agent: string;
}

/**
 * Gives the virtual environment with both, made from PyPI when it is not there yet.
 *
 * @throws Error saying what is missing and how to get it
 */
export function peers(): Peers {
  const venv = join(cacheFolder(), 'venv');
  const mark = join(venv, 'packages.txt');
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== PACKAGES.join('\n')) build(venv, mark);
  return { python: join(venv, 'bin/python'), agent: join(venv, 'bin/globus-compute-endpoint') };
}

/** The system's own interpreter, without packages. */
export const bareInterpreter = SYSTEM_PYTHON;

/** A folder that every user can read, for what takes long to get. */
function cacheFolder(): string {
  const chosen = process.env.FUNCX_INTEROP_CACHE;
  if (chosen !== undefined && chosen !== '') return chosen;
  if (process.getuid?.() === 0) return '/var/cache/node-red-funcx/interop';
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'node-red-funcx/interop');
}

function build(venv: string, mark: string): void {
  if (!existsSync(SYSTEM_PYTHON)) throw new Error(`There is no ${SYSTEM_PYTHON}. On Debian: apt install python3-venv`);
  console.log(`Getting ${PACKAGES.join(', ')} from PyPI into ${venv}, once …`);
  const making = `${venv}.${process.pid}`;
  const umask = process.umask(0o022);
  try {
    mkdirSync(cacheFolder(), { recursive: true });
    run([SYSTEM_PYTHON, '-m', 'venv', making], 'On Debian: apt install python3-venv');
    // Moved before it is filled: its scripts name the folder.
    rmSync(venv, { recursive: true, force: true });
    renameSync(making, venv);
    run([SYSTEM_PYTHON, '-m', 'venv', '--upgrade', venv], 'On Debian: apt install python3-venv');
    run([join(venv, 'bin/python'), '-m', 'pip', 'install', '--quiet', ...PACKAGES], 'It needs PyPI.');
    writeFileSync(mark, PACKAGES.join('\n'));
  } finally {
    process.umask(umask);
    rmSync(making, { recursive: true, force: true });
  }
}

function run([file = '', ...args]: readonly string[], advice: string): void {
  try {
    execFileSync(file, args, { stdio: 'pipe', encoding: 'utf8' });
  } catch (error) {
    const said = (error as { readonly stderr?: string }).stderr ?? '';
    throw new Error(`${file} ${args.join(' ')} failed. ${advice}\n${said}`);
  }
}
