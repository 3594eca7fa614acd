import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../tools/build/layout';

interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** Runs npm, whichever way these tests were started. */
export function npm(args: readonly string[], cwd: string): string {
  const cli = process.env.npm_execpath;
  const quiet = ['--silent', '--no-audit', '--no-fund', '--no-update-notifier'];
  const options: ExecFileSyncOptionsWithStringEncoding = { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] };
  return cli === undefined
    ? execFileSync('npm', [...args, ...quiet], { ...options, shell: process.platform === 'win32' })
    : execFileSync(process.execPath, [cli, ...args, ...quiet], options);
}

/** What `npm publish` would upload. */
export function pack(...args: readonly string[]): Packed {
  const [packed] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', ...args], root)) as Packed[];
  if (packed === undefined) throw new Error('npm packed nothing');
  return packed;
}

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

/** The packages that are installed with ours, by their folder. */
export function installedPackages(): [string, LockedPackage][] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  return Object.entries(lock.packages).filter(([path, entry]) => path !== '' && !entry.dev);
}
