/** The command line of the suite. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Mocha, { type Runner, type Test } from 'mocha';
import type { Theme } from './leg';
import { played } from './scenario';
import { scenarios } from './scenarios';
import { setPictures } from './scenarios/pictures';
import { type Choice, declareSuite } from './suite';
import type { Version } from './versions';

const USAGE = `npm run test:e2e -- [options]
  --only ID,ID         some of the scenarios: ${scenarios.map(({ id }) => id).join(', ')}
  --node-red VERSION   4.1 or 5.0; both if not given
  --theme THEME        light or dark; both if not given
  --json FILE          writes a row for each: {id, nodeRed, theme, ok, seconds, error?}
  --pictures           writes the pictures in docs/images anew; without it, only those that are not there
  --list               names each scenario when it is done
CHROMIUM=…             the browser; chromium on the path if not given`;

/** A scenario takes at most this time, also on a machine that is busy with other work. Unit: milliseconds. */
const LIMIT_MS = 120_000;

interface Row {
  readonly id: string;
  readonly nodeRed: Version;
  readonly theme: Theme;
  readonly ok: boolean;
  readonly seconds: number;
  readonly error?: string;
}

interface Options extends Choice {
  readonly json: string | undefined;
  readonly list: boolean;
  readonly pictures: boolean;
}

/** Exit code 1: a scenario failed, or none could be played. */
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
  const { json, list } = options;
  // Whoever ends this wants its servers to end, too.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  setPictures(options.pictures ? 'all' : 'missing');
  const rows: Row[] = [];
  const failures = await play(options, (row) => {
    rows.push(row);
    if (list)
      console.log(
        `${row.ok ? 'ok    ' : 'FAILED'} ${row.seconds.toFixed(1).padStart(5)} s  ${row.nodeRed} ${row.theme.padEnd(5)} ${row.id}`,
      );
  });
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, undefined, 2)}\n`);
  process.exitCode = failures > 0 ? 1 : 0;
}

function play(choice: Choice, tell: (row: Row) => void): Promise<number> {
  const mocha = new Mocha({ timeout: LIMIT_MS, reporter: join(__dirname, '../../tools/reporter.ts'), diff: false });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  declareSuite(choice);
  return new Promise((resolve) => {
    const runner = mocha.run(resolve);
    listen(runner, tell);
  });
}

function listen(runner: Runner, tell: (row: Row) => void): void {
  const end = (test: Test, error?: Error) => {
    const what = played.get(test);
    if (what === undefined) return;
    const row = { ...what, ok: error === undefined, seconds: (test.duration ?? 0) / 1000 };
    tell(error === undefined ? row : { ...row, error: error.message });
  };
  runner.on('pass', (test) => end(test));
  runner.on('fail', (test, error: Error) => end(test as Test, error));
}

/** @throws Error when an option is unknown or has no usable value */
function optionsOf(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      'node-red': { type: 'string' },
      theme: { type: 'string' },
      json: { type: 'string' },
      pictures: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return undefined;
  }
  const known = scenarios.map(({ id }) => id);
  const only = oneOrMore('--only', values.only, known);
  return {
    scenarios: scenarios.filter(({ id }) => only.includes(id)),
    versions: oneOrMore('--node-red', values['node-red'], ['4.1', '5.0'] as const),
    themes: oneOrMore('--theme', values.theme, ['light', 'dark'] as const),
    json: values.json,
    list: values.list,
    pictures: values.pictures,
  };
}

function oneOrMore<T extends string>(option: string, text: string | undefined, known: readonly T[]): readonly T[] {
  if (text === undefined) return known;
  return text.split(',').map((word) => {
    const found = known.find((each) => each === word.trim());
    if (found === undefined) throw new Error(`${option}: there is no ${word}`);
    return found;
  });
}
