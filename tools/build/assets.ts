import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { dist, filesUnder, root, staging } from './layout';

/** Copies what the library needs at run time beside the compiled code: the workers' Python files. */
export function copyPython(): void {
  for (const file of filesUnder(join(root, 'lib')).filter((path) => path.endsWith('.py'))) {
    const copy = join(staging, relative(root, file));
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(file, copy);
  }
}

/** Moves into `dist` what changed. Each file is there whole at any time, so that a running test finds it. */
export function publish(): void {
  for (const file of filesUnder(staging)) {
    const target = join(dist, relative(staging, file));
    if (existsSync(target) && readFileSync(target).equals(readFileSync(file))) continue;
    mkdirSync(dirname(target), { recursive: true });
    renameSync(file, target);
  }
}

/** Removes from `dist` what no source gives any more. */
export function removeStale(fresh: ReadonlySet<string>, folder = dist): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeStale(fresh, path);
    else if (!fresh.has(relative(dist, path))) unlinkSync(path);
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}
