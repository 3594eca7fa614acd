// `npm run test:faults`: kills real processes under load, and counts what was lost. See faults.ts.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
require('tsx/cjs');
const { main } = require('./main.ts');
process.exitCode = await main(process.argv.slice(2));
