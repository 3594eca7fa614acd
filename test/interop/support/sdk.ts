/** A Python process with the SDK, as a user runs one: it does the scenarios of a script in `sdk/`, one after the other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peers } from './peers';
import { Program } from './program';

export type Script = 'client' | 'executor';

/** What the SDK is told by its environment; the hub's command line prints it. */
export type SdkEnvironment = Readonly<Record<string, string>>;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  /** Traceback of what went wrong. */
  readonly error?: string;
}

export class Sdk {
  readonly #home = mkdtempSync(join(tmpdir(), 'funcx-sdk-'));
  readonly #program: Program;
  #asked = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(script: Script, environment: SdkEnvironment) {
    const file = join(__dirname, `../sdk/${script}_scenarios.py`);
    this.#program = new Program(`the SDK (${script})`, [peers().python, '-u', file], {
      cwd: this.#home,
      env: { ...environment, HOME: this.#home, PYTHONDONTWRITEBYTECODE: '1', PYTHONWARNINGS: 'ignore' },
    });
  }

  /** Has a scenario done, after those that were asked for before. @throws Error with Python's traceback */
  do(scenario: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const done = this.#last.then(() => this.#do(scenario, args));
    this.#last = done.catch(() => {});
    return done;
  }

  /** Ends it at once, as a script that is killed. */
  async kill(): Promise<void> {
    await this.#program.killAll();
    rmSync(this.#home, { recursive: true, force: true });
  }

  async #do(scenario: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = ++this.#asked;
    this.#program.input?.write(`${JSON.stringify({ id, scenario, arguments: args })}\n`);
    const [line] = await this.#program.said(new RegExp(`^\\{"id": ${id}, .*\\}$`, 'm'));
    const answer = JSON.parse(line) as Answer;
    if (answer.error !== undefined) throw new Error(`${scenario}: ${answer.error}`);
    return answer.value;
  }
}
