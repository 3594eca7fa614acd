/** `npm start`. All that it does is TypeScript, under start/. */
import { require } from 'tsx/cjs/api';

require('./start/main.ts', import.meta.url);
