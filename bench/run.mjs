// `npm run bench`: see README.md.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
require('tsx/cjs');
const { main } = require('./main.ts');
await main(process.argv.slice(2));
