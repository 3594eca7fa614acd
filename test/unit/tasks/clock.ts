/** Time that passes when a test says so. Immediates run as ever. */
import { mock } from 'node:test';
import { turns } from './fixture.js';

export function useClock(): { pass(ms: number): Promise<void> } {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() }));
  afterEach(() => mock.timers.reset());
  return {
    /** Lets time pass, and what is due then happen. */
    async pass(ms: number) {
      await turns(5);
      mock.timers.tick(ms);
      await turns(5);
    },
  };
}
