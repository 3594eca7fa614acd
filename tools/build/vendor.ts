import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { dependencies } from '../../package.json';
import { borrowedPackages } from './declarations';
import { modules, root, staging } from './layout';

/**
 * Bundles `lib/vendor.ts` over the compiler's output of it, so that the packages behind it need not be installed where
 * ours is, and writes the licences of all that was taken in.
 */
export async function bundleVendor(): Promise<void> {
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['lib/vendor.ts'],
    outfile: join(staging, 'lib/vendor.js'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: true,
    external: Object.keys(dependencies),
    metafile: true,
    logLevel: 'silent',
  });
  const packages = new Set([...Object.keys(metafile.inputs).flatMap(packageOf), ...borrowedPackages]);
  writeFileSync(join(staging, 'THIRD-PARTY-LICENSES.txt'), [...packages].sort().map(licenceOf).join('\n\n'));
}

function packageOf(input: string): string[] {
  const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
  return name === undefined ? [] : [name];
}

function licenceOf(name: string): string {
  const folder = join(modules, name);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no licence file`);
  return `${name}\n${'-'.repeat(name.length)}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}
