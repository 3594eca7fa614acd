/** The command line of the suite. */
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import Mocha, { type Runner, type Test } from 'mocha';
import { filesUnder } from '../../tools/build/layout';
import { broker } from './support/broker';
import { peers } from './support/peers';

const GROUPS = filesUnder(__dirname).filter((file) => file.endsWith('.spec.ts'));

const USAGE = `npm run test:interop -- [options]
  --only GROUP,GROUP   some of the groups: ${GROUPS.map(nameOf).join(', ')}
  --json FILE          writes a row for each test: {group, name, ok, seconds, error?}
  --list               names each test when it is done
FUNCX_INTEROP_CACHE=…  folder of the virtual environment with the SDK and the agent, which every user has to be able to read`;

/** A test takes at most this time, also on a machine that is busy with other work. Unit: milliseconds. */
const LIMIT_MS = 120_000;

interface Row {
  readonly group: string;
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly error?: string;
}

interface Options {
  readonly files: readonly string[];
  readonly json: string | undefined;
  readonly list: boolean;
}

/** Exit code 1: a test failed, or something that the tests need is missing. */
export async function main(args: readonly string[]): Promise<void> {
  let options: Options | undefined;
  try {
    options = optionsOf(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exitCode = 1;
    return;
  }
  if (options === undefined) return;
  // Whoever ends this wants what it has started to end, too.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  try {
    peers();
    await broker.start();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
    return;
  }
  // For tests that know RabbitMQ alone.
  process.env.AMQP_URL = broker.url;
  process.env.AMQP_MANAGEMENT_URL = broker.managementUrl;
  const rows: Row[] = [];
  const failures = await play(options, rows).finally(() => broker.dispose());
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, undefined, 2)}\n`);
  process.exit(failures > 0 ? 1 : 0);
}

function play({ files, list }: Options, rows: Row[]): Promise<number> {
  const mocha = new Mocha({ timeout: LIMIT_MS, reporter: join(__dirname, '../../tools/reporter.ts'), diff: false });
  for (const file of files) mocha.addFile(file);
  return new Promise((resolve) => {
    const runner = mocha.run(resolve);
    listen(runner, (row) => {
      rows.push(row);
      if (list) {
        console.log(
          `${row.ok ? 'ok    ' : 'FAILED'} ${row.seconds.toFixed(1).padStart(5)} s  ${row.group}: ${row.name}`,
        );
      }
    });
  });
}

function listen(runner: Runner, tell: (row: Row) => void): void {
  const end = (test: Test, error?: Error) => {
    const row = {
      group: test.file === undefined ? '' : nameOf(test.file),
      name: test.fullTitle(),
      ok: error === undefined,
      seconds: (test.duration ?? 0) / 1000,
    };
    tell(error === undefined ? row : { ...row, error: error.message });
  };
  runner.on('pass', (test) => end(test));
  runner.on('fail', (test, error: Error) => end(test as Test, error));
}

function nameOf(file: string): string {
  return basename(file, '.spec.ts');
}

/** @throws Error when an option is unknown or has no usable value */
function optionsOf(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return undefined;
  }
  const only = values.only?.split(',').map((name) => name.trim());
  const unknown = only?.find((name) => !GROUPS.some((file) => nameOf(file) === name));
  if (unknown !== undefined) throw new Error(`--only: there is no ${unknown}`);
  return {
    files: GROUPS.filter((file) => only === undefined || only.includes(nameOf(file))),
    json: values.json,
    list: values.list,
  };
}
