import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../build/layout';

export interface Options {
  readonly help: boolean;
  /** Undefined: 1880, or the next that is free. */
  readonly port: number | undefined;
  /** End after the first results. */
  readonly once: boolean;
  /** Absolute path of Node-RED's user directory. */
  readonly userDir: string;
}

export const USAGE = `npm start [-- OPTIONS]

Starts a Node-RED with these nodes and their main example, for this machine only.

  --port N        listens on this port; without it, on 1880 or the next that is free
  --once          ends after the first results and anomalies, for tests
  --user-dir DIR  keeps flows and settings there; without it, in .node-red of this project
  --help          says this`;

/** @throws Error when an option is unknown or has no usable value */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      once: { type: 'boolean', default: false },
      'user-dir': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    help: values.help,
    port: values.port === undefined ? undefined : portOf(values.port),
    once: values.once,
    userDir: values['user-dir'] === undefined ? join(root, '.node-red') : resolve(values['user-dir']),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Error(`--port ${text}: expected a number from 1 to 65535`);
}
