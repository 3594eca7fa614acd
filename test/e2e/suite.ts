/** All scenarios, on each version of Node-RED and in each theme. */
import type { Browser } from 'playwright-core';
import { launchChromium } from './browser';
import { Leg, type Theme } from './leg';
import { declare, type Scenario } from './scenario';
import { programFor, type Version } from './versions';

export interface Choice {
  readonly scenarios: readonly Scenario[];
  readonly versions: readonly Version[];
  readonly themes: readonly Theme[];
}

/** Node-RED 4 has only a light theme. */
const LEGS: readonly (readonly [Version, Theme])[] = [
  ['4.1', 'light'],
  ['5.0', 'light'],
  ['5.0', 'dark'],
];

/** Declares the suite to mocha. */
export function declareSuite({ scenarios, versions, themes }: Choice): void {
  let browser: Browser;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser?.close());

  for (const [version, theme] of LEGS) {
    const played = scenarios.filter(({ on }) => on.versions.includes(version) && on.themes.includes(theme));
    if (played.length === 0 || !versions.includes(version) || !themes.includes(theme)) continue;
    describe(`the editor of Node-RED ${version}, ${theme}`, () => {
      const leg = new Leg(version, theme);
      before(async function () {
        const program = programFor(version);
        if ('missing' in program) {
          console.log(`Skipped: ${program.missing}`);
          this.skip();
        }
        await leg.start(browser, program);
      });
      after(() => leg.stop());
      for (const each of played) declare(each, leg);
    });
  }
}
