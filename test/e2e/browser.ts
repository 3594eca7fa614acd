/** Chromium, as the system has it: nothing is downloaded. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join, sep } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** Names that distributions give it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

const HOW_TO_INSTALL = `No Chromium was found. Install it:
  Debian, Raspberry Pi OS: apt install chromium
  Fedora: dnf install chromium
  macOS: brew install --cask chromium
Or name one: CHROMIUM=/path/to/chromium npm run test:e2e`;

/** Nothing is asked of the network but what a page asks. */
const ARGS = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-sync',
  '--metrics-recording-only',
  '--no-pings',
];

/** @throws Error saying how to install it */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), headless: true, args: ARGS });
}

function chromiumPath(): string {
  const named = process.env.CHROMIUM ?? '';
  if (named.includes(sep)) {
    if (isExecutable(named)) return named;
    throw new Error(`CHROMIUM is ${named}, which cannot be run.\n${HOW_TO_INSTALL}`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = (named === '' ? NAMES : [named]).flatMap((name) => folders.map((folder) => join(folder, name)));
  const path = candidates.find(isExecutable);
  if (path === undefined) throw new Error(HOW_TO_INSTALL);
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
