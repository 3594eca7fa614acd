/** The command line of the suite. */
import { parseArgs } from 'node:util';
import type { Theme } from './leg';
import { scenarios } from './scenarios';
import type { Choice } from './suite';
import { VERSIONS } from './versions';

export const USAGE = `npm run test:e2e -- [options]
  --only ID,ID         some of the scenarios: ${scenarios.map(({ id }) => id).join(', ')}
  --node-red VERSION   4.1 or 5.0; both, side by side, if not given
  --theme THEME        light or dark; both if not given
  --json FILE          writes a row for each: {id, nodeRed, theme, ok, seconds, error?}
  --pictures           writes the pictures in docs/images anew; without it, only those that are not there
  --list               names each scenario when it is done
CHROMIUM=…             the browser; chromium on the path if not given`;

export interface Options extends Choice {
  /** Absent: nothing is written. */
  readonly json: string | undefined;
  readonly list: boolean;
  readonly pictures: boolean;
  readonly help: boolean;
}

const THEMES: readonly Theme[] = ['light', 'dark'];

/** @throws Error when an option is unknown or has no usable value */
export function readOptions(args: readonly string[]): Options {
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
  const ids = scenarios.map(({ id }) => id);
  const only = chosen('--only', values.only, ids);
  return {
    scenarios: scenarios.filter(({ id }) => only.includes(id)),
    versions: chosen('--node-red', values['node-red'], VERSIONS),
    themes: chosen('--theme', values.theme, THEMES),
    json: values.json,
    pictures: values.pictures,
    list: values.list,
    help: values.help,
  };
}

/** All that there is to choose from, or what is named with commas between. */
function chosen<T extends string>(option: string, text: string | undefined, known: readonly T[]): readonly T[] {
  if (text === undefined) return known;
  return text.split(',').map((word) => {
    const found = known.find((each) => each === word.trim());
    if (found === undefined) throw new Error(`${option}: there is no ${word}`);
    return found;
  });
}
