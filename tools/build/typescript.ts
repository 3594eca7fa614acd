import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { modules, root, staging } from './layout';

const compiler = join(modules, 'typescript/bin/tsc');

/** Runs the compiler on one project and returns what it complains of. It writes what it can even then. */
export function compile(project: string): Promise<string[]> {
  return new Promise((resolve) => {
    const args = [compiler, '-p', project, '--outDir', staging, '--pretty', 'false'];
    execFile(process.execPath, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const said = `${stdout}\n${stderr}`.split(/\r?\n/).filter((line) => line !== '');
      resolve(error && said.length === 0 ? [error.message] : said);
    });
  });
}
