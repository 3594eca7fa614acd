// `npm run test:interop`: the hub with the Python SDK, endpoint agents and a RabbitMQ. See main.ts.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
require('tsx/cjs');
const { main } = require('./main.ts');
await main(process.argv.slice(2));
