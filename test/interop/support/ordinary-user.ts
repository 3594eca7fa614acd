/** Endpoint agents refuse to run as root for one user: they are run as an ordinary user, who is ourselves unless we are root. */
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { peers } from './peers';

/** The user `nobody` and the group `nogroup`, which every Linux has. */
const NOBODY = 65534;

const isRoot = process.getuid?.() === 0;

/** A command as the ordinary user runs it, without any of root's capabilities. */
export function asOrdinaryUser(command: readonly string[]): readonly string[] {
  if (!isRoot) return command;
  return ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--inh-caps=-all', '--', ...command];
}

/** Gives a file or folder to the ordinary user. */
export function handOver(path: string): void {
  if (isRoot) chownSync(path, NOBODY, NOBODY);
}

/** A home folder of the ordinary user. */
export class OrdinaryHome {
  readonly folder = mkdtempSync(join(tmpdir(), 'funcx-home-'));

  constructor() {
    chmodSync(this.folder, 0o700);
    handOver(this.folder);
  }

  /** What its owner's programs have to know. The agent starts itself and its workers by PATH. */
  get environment(): NodeJS.ProcessEnv {
    return {
      HOME: this.folder,
      PATH: `${dirname(peers().agent)}:/usr/local/bin:/usr/bin:/bin`,
      PYTHONDONTWRITEBYTECODE: '1',
      ...(isRoot && { USER: 'nobody', LOGNAME: 'nobody' }),
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
