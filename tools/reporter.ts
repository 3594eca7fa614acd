import { type MochaOptions, type Runner, reporters } from 'mocha';

/** Tells what failed and, alone on the last line, how many passed and failed. `mocha -R spec` tells each test. */
export = class Summary extends reporters.Base {
  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options);
    runner.once('end', () => {
      if (this.failures.length > 0) reporters.Base.list(this.failures);
      const { passes, failures, pending } = this.stats;
      const skipped = pending > 0 ? `, ${pending} skipped` : '';
      console.log(`${passes} passed, ${failures} failed${skipped}`);
    });
  }
};
