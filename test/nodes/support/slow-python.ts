/** An interpreter that does not answer while it is held, and so keeps a client opening. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, rmSync, watch, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PYTHON } from './flow';

export class SlowPython {
  /** For the field Python of a client. */
  readonly path: string;
  /** Who is asked waits until somebody writes into it. */
  readonly #pipe: string;
  readonly #asked: string;

  constructor(readonly folder: string) {
    this.path = join(folder, 'slow-python');
    this.#pipe = join(folder, 'slow-python-waits');
    this.#asked = join(folder, 'slow-python-asked');
  }

  /** From now on it does not answer. */
  hold(): void {
    const wait = `if [ -p '${this.#pipe}' ]; then : > '${this.#asked}'; read -r _ < '${this.#pipe}'; fi`;
    writeFileSync(this.path, `#!/bin/sh\n${wait}\nexec '${PYTHON}' "$@"\n`, { mode: 0o755 });
    execFileSync('mkfifo', [this.#pipe]);
  }

  /** Resolves when it was asked, and keeps the client waiting. */
  async asked(): Promise<void> {
    const watcher = watch(this.folder);
    try {
      while (!existsSync(this.#asked)) await once(watcher, 'change');
    } finally {
      watcher.close();
    }
  }

  /** Answers from now on, also whoever waits. */
  release(): void {
    if (!existsSync(this.#pipe)) return;
    // Opened to read too, it does not wait for a reader.
    const pipe = openSync(this.#pipe, constants.O_RDWR | constants.O_NONBLOCK);
    writeSync(pipe, '\n');
    closeSync(pipe);
    for (const file of [this.#pipe, this.#asked]) rmSync(file, { force: true });
  }
}
