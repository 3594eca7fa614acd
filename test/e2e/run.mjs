// `npm run test:e2e`: the editor in a real browser. All that it does is TypeScript, beside this; see main.ts.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
require('tsx/cjs');
const { main } = require('./main.ts');
await main(process.argv.slice(2));
