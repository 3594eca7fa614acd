import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version of this package, from where it is installed. */
export function version(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../../../package.json'), 'utf8')) as {
    readonly version: string;
  };
  return version;
}
