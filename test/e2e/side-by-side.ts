/** Plays the versions of Node-RED side by side, each in a process of its own: most of the time goes by with sliding dialogs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Row } from './scenario';
import type { Version } from './versions';

/** The last line of each process. */
const SUM = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/;

interface Part {
  readonly rows: readonly Row[];
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Prints what the processes print, each line when it comes, and one sum at the end.
 *
 * @param args of the command line; for an option that is given twice, the last counts
 * @returns the rows of all, and whether all is well
 */
export async function playSideBySide(
  versions: readonly Version[],
  args: readonly string[],
): Promise<{ rows: Row[]; isWell: boolean }> {
  const folder = mkdtempSync(join(tmpdir(), 'funcx-e2e-rows-'));
  const processes: ChildProcess[] = [];
  process.once('exit', () => {
    for (const each of processes) each.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  const parts = await Promise.all(versions.map((version) => play(version, args, join(folder, version), processes)));
  const sum = (key: 'passed' | 'failed' | 'skipped') => parts.reduce((total, part) => total + part[key], 0);
  const skipped = sum('skipped');
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return { rows: parts.flatMap(({ rows }) => rows), isWell: sum('failed') === 0 };
}

async function play(version: Version, args: readonly string[], file: string, processes: ChildProcess[]): Promise<Part> {
  const script = join(__dirname, 'run.mjs');
  const child = spawn(process.execPath, [script, ...args, '--node-red', version, '--json', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(child);
  let counts: RegExpExecArray | null = null;
  for await (const line of createInterface({ input: child.stdout })) {
    const found = SUM.exec(line);
    if (found === null) console.log(line);
    else counts = found;
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  // Without a sum it was ended from outside, or could not even begin.
  if (counts === null) return { rows: [], passed: 0, failed: 1, skipped: 0 };
  const [passed = 0, failed = 0, skipped = 0] = counts.slice(1).map((count) => Number(count ?? 0));
  return { rows: JSON.parse(readFileSync(file, 'utf8')) as Row[], passed, failed, skipped };
}
