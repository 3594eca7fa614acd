import { writeFileSync } from 'node:fs';
import { type Options, readOptions, USAGE } from './options';
import { play } from './play';
import type { Row } from './scenario';
import { setPictures } from './scenarios/pictures';
import { playSideBySide } from './side-by-side';

/** Exit code 1: a scenario failed or could not be played, or the command line is wrong. */
export async function main(args: readonly string[]): Promise<void> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exitCode = 1;
    return;
  }
  if (options.help) {
    console.log(USAGE);
    return;
  }
  // Whoever ends this wants what it started to end, too.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  const { rows, isWell } =
    options.versions.length > 1 ? await playSideBySide(options.versions, args) : await playHere(options);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, undefined, 2)}\n`);
  if (!isWell) process.exitCode = 1;
}

async function playHere(options: Options): Promise<{ rows: Row[]; isWell: boolean }> {
  setPictures(options.pictures ? 'all' : 'missing');
  const rows: Row[] = [];
  const failures = await play(options, (row) => {
    rows.push(row);
    if (options.list) console.log(lineOf(row));
  });
  return { rows, isWell: failures === 0 };
}

function lineOf({ ok, seconds, nodeRed, theme, id }: Row): string {
  return `${ok ? 'ok    ' : 'FAILED'} ${seconds.toFixed(1).padStart(5)} s  ${nodeRed} ${theme.padEnd(5)} ${id}`;
}
