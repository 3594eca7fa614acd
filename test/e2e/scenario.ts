/** What a person does in the editor, and sees; on each version and in each theme that it is meant for. */
import assert from 'node:assert/strict';
import type { Test } from 'mocha';
import type { Leg, Theme } from './leg';
import type { Version } from './versions';

export interface Scenario {
  readonly id: string;
  /** What is promised. */
  readonly promise: string;
  readonly on: { readonly versions: readonly Version[]; readonly themes: readonly Theme[] };
  readonly play: (leg: Leg) => Promise<void>;
}

export interface Played {
  readonly id: string;
  readonly nodeRed: Version;
  readonly theme: Theme;
}

/** How it went. */
export interface Row extends Played {
  readonly ok: boolean;
  readonly seconds: number;
  readonly error?: string;
}

/** What a test of mocha's plays. */
export const played = new WeakMap<Test, Played>();

const EVERYWHERE: Scenario['on'] = { versions: ['4.1', '5.0'], themes: ['light', 'dark'] };

/** For what a theme has no part in. */
export const IN_LIGHT: Scenario['on'] = { ...EVERYWHERE, themes: ['light'] };

/** For what is the same in both versions. */
export const ONCE: Scenario['on'] = { versions: ['5.0'], themes: ['light'] };

export function scenario(id: string, promise: string, play: Scenario['play'], on = EVERYWHERE): Scenario {
  return { id, promise, play, on };
}

/** Makes a test of it. */
export function declare({ id, promise, play }: Scenario, leg: Leg): void {
  const test = it(`${id}: ${promise}`, async () => {
    let complaints: string[] = [];
    try {
      await play(leg);
    } catch (error) {
      await leg.keep(id);
      throw error;
    } finally {
      complaints = await leg.close();
    }
    assert.deepEqual(complaints, [], 'something went wrong in the page');
  });
  played.set(test, { id, nodeRed: leg.version, theme: leg.theme });
}
