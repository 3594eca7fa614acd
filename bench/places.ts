import { join, resolve } from 'node:path';

export const root = resolve(__dirname, '..');

/** Where runs have their files: on the disk of the checkout, as a temporary folder may be in memory. */
export const cache = join(root, 'node_modules/.cache/funcx-bench');
