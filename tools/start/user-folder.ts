/** Node-RED's user directory: made at the first start, and the user's own from then on. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { name } from '../../package.json';
import { root } from '../build/layout';

export const FLOW_FILE = 'flows.json';

/** What was put into the flow file, to tell whether it was changed since. */
const PLACED_FILE = '.placed-flows.json';

/** What Node-RED encrypts credentials with. */
const SECRET_FILE = '.credential-secret';

/**
 * Puts into the directory what Node-RED needs there: this package, and a flow unless the user has made one of their own.
 *
 * @returns whether the flow in it is the given one
 */
export function prepareUserFolder(folder: string, flow: string): boolean {
  mkdirSync(folder, { recursive: true });
  describe(folder);
  link(join(folder, 'node_modules', name));
  return placeFlow(join(folder, FLOW_FILE), join(folder, PLACED_FILE), flow);
}

/** The secret of this directory. Without one of ours, Node-RED makes one and warns of that at every start. */
export function secretOf(folder: string): string {
  const file = join(folder, SECRET_FILE);
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

/** Node-RED's palette manager runs npm in the directory: npm removes what is not named here. */
function describe(folder: string): void {
  const file = join(folder, 'package.json');
  if (existsSync(file)) return;
  const path = relative(folder, root);
  const description = {
    name: 'node-red-project',
    version: '0.0.1',
    private: true,
    dependencies: { [name]: `file:${path}` },
  };
  writeFileSync(file, `${JSON.stringify(description, null, 2)}\n`);
}

/** A link, so that Node-RED finds these nodes as it finds installed ones, with their examples and their texts. */
function link(path: string): void {
  if (targetOf(path) === root) return;
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  symlinkSync(root, path, 'junction');
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function placeFlow(file: string, placed: string, flow: string): boolean {
  const isUsersOwn = existsSync(file) && textOf(file) !== textOf(placed);
  if (!isUsersOwn) {
    writeFileSync(file, flow);
    writeFileSync(placed, flow);
  }
  return !isUsersOwn;
}

function textOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
