/** The command line of the benchmark. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release, type } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measure } from './measure';
import { nodeRedVersion } from './node-red/node-red';
import { root } from './places';
import { type ReportRow, reportRow, table } from './report';
import { rows } from './rows';

const USAGE = `npm run bench -- [options]
  --only ID,ID    some of the rows: ${rows.map(({ id }) => id).join(', ')}
  --rounds N      rounds a side; 7 if not given
  --json FILE     writes the numbers too
  --profile DIR   writes a CPU profile of Node-RED for each side of each row (a round more, which does not count)
  --dist DIR      another build to measure; ./dist if not given
PYTHON=…          interpreter of the workers and of what is beside them; python3 if not given`;

/** Exit code 1: something could not be measured, or was used wrongly. A missed goal is none. */
export async function main(args: readonly string[]): Promise<void> {
  const options = optionsOf(args);
  if (options === undefined) return;
  const { chosen, json, ...measuring } = options;
  const python = pythonOf(process.env.PYTHON || 'python3');
  console.log(await surroundings(python));
  const done: (ReportRow | { id: string; failure: string })[] = [];
  for (const row of chosen) {
    process.stderr.write(`${row.id} … `);
    const started = performance.now();
    try {
      done.push(reportRow(await measure(row, { ...measuring, python: python.executable })));
      process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0)} s\n`);
    } catch (error) {
      process.exitCode = 1;
      const failure = error instanceof Error ? error.message : String(error);
      done.push({ id: row.id, failure });
      process.stderr.write(`failed: ${failure}\n`);
    }
  }
  console.log(`\n${table(done)}`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(done, undefined, 2)}\n`);
}

function optionsOf(args: readonly string[]) {
  const refuse = (problem: string) => {
    console.error(`${problem}\n\n${USAGE}`);
    process.exitCode = 1;
    return undefined;
  };
  let values: Partial<Record<'only' | 'rounds' | 'json' | 'profile' | 'dist', string>> & { help?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        rounds: { type: 'string' },
        json: { type: 'string' },
        profile: { type: 'string' },
        dist: { type: 'string' },
        help: { type: 'boolean' },
      },
    }));
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  if (values.help) {
    console.log(USAGE);
    return undefined;
  }
  const rounds = Number(values.rounds ?? 7);
  if (!Number.isInteger(rounds) || rounds < 1) return refuse(`--rounds is ${values.rounds}; expected 1 or more.`);
  const ids = values.only?.split(',').map((id) => id.trim());
  const unknown = ids?.find((id) => !rows.some((row) => row.id === id));
  if (unknown !== undefined) return refuse(`There is no row ${unknown}.`);
  return {
    chosen: rows.filter(({ id }) => ids === undefined || ids.includes(id)),
    rounds,
    json: values.json,
    profile: values.profile === undefined ? undefined : resolve(values.profile),
    dist: values.dist === undefined ? join(root, 'dist') : resolve(values.dist),
  };
}

interface Python {
  readonly executable: string;
  readonly version: string;
}

/** The interpreter itself rather than a script that chooses one, so that both sides start the same. */
function pythonOf(command: string): Python {
  const code = 'import platform, sys; print(sys.executable); print(platform.python_version())';
  const [executable = '', version = ''] = execFileSync(command, ['-c', code], { encoding: 'utf8' }).split(/\r?\n/);
  return { executable, version };
}

/** Numbers without these say nothing. */
async function surroundings({ version }: Python): Promise<string> {
  const [{ model } = { model: 'unknown processor' }] = cpus();
  const busy = loadavg()[0] ?? 0;
  return [
    `Node.js ${process.version}, Node-RED ${await nodeRedVersion()}, Python ${version}, ${type()} ${release()}`,
    `${cpus().length} × ${model.trim()}${busy > 0.5 ? `; busy with other work (load ${busy.toFixed(1)}): look at ratios` : ''}`,
  ].join('\n');
}
