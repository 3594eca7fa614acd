/** `npm run demo:agents`. All that it does is TypeScript, under demo/. */
import { require } from 'tsx/cjs/api';

require('./demo/main.ts', import.meta.url);
