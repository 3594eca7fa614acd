#!/usr/bin/env node
import { runHub } from './hub-command.js';
/** The command `node-red-funcx`. */
import { version } from './package-version.js';

const USAGE = `Usage: npx @funcx/node-red-funcx COMMAND [OPTIONS]

Commands:
  hub    runs a hub: a funcX service of your own, for flows, for the Python SDK and for endpoint agents

  npx @funcx/node-red-funcx COMMAND --help   says more about a command
  npx @funcx/node-red-funcx --version        says the version`;

async function main([command, ...args]: readonly string[]): Promise<number> {
  switch (command) {
    case 'hub':
      return runHub(args);
    case '--version':
      console.log(version());
      return 0;
    case '--help':
    case 'help':
      console.log(USAGE);
      return 0;
    default:
      console.error(command === undefined ? USAGE : `There is no command ${command}.\n\n${USAGE}`);
      return 2;
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
