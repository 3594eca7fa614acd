import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(__dirname, '../..');
export const dist = join(root, 'dist');
export const modules = join(root, 'node_modules');

/** Where one build writes until it is whole; as deep as `dist`, so that source maps hold in both. */
export const staging = join(root, `dist.${process.pid}`);

/** The node types, one a folder; `nodes/shared` is not one. */
export function nodeTypes(): string[] {
  return readdirSync(join(root, 'nodes'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'shared')
    .map((entry) => entry.name);
}

export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
