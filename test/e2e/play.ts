import { join } from 'node:path';
import Mocha, { type Test } from 'mocha';
import { played, type Row } from './scenario';
import { type Choice, declareSuite } from './suite';

/** A scenario takes at most this time, also on a machine that is busy with other work. Unit: milliseconds. */
const LIMIT_MS = 120_000;

/**
 * Plays scenarios one after the other.
 *
 * @param tell told of each when it is done
 * @returns how many failed, of them and of what they need
 */
export function play(choice: Choice, tell: (row: Row) => void): Promise<number> {
  const mocha = new Mocha({ timeout: LIMIT_MS, reporter: join(__dirname, '../../tools/reporter.ts'), diff: false });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  declareSuite(choice);
  return new Promise((resolve) => {
    const runner = mocha.run(resolve);
    const end = (test: Test, error?: Error) => {
      const what = played.get(test);
      if (what === undefined) return;
      const row = { ...what, ok: error === undefined, seconds: (test.duration ?? 0) / 1000 };
      tell(error === undefined ? row : { ...row, error: error.message });
    };
    runner.on('pass', (test) => end(test));
    runner.on('fail', (test, error: Error) => end(test as Test, error));
  });
}
