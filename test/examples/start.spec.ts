import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { name } from '../../package.json';
import { root } from '../../tools/build/layout';

/** `npm start`, after its build, in a process of its own. */
class Start {
  printed = '';
  readonly #process: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(userDir: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    this.#process = spawn(process.execPath, [join(root, 'tools/start.mjs'), '--user-dir', userDir, ...args], {
      // Neither the project's folder nor a home that can be written to is needed.
      cwd: tmpdir(),
      env: { ...process.env, HOME: join(userDir, 'no-home'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.printed += chunk;
        this.#process.emit('printed');
      });
    }
    this.ended = once(this.#process, 'close').then(([code]) => code as number | null);
  }

  /** Waits until something was printed. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.printed)) {
      const code = await Promise.race([once(this.#process, 'printed').then(() => undefined), this.ended]);
      assert.equal(code, undefined, `it ended:\n${this.printed}`);
    }
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended;
  }

  /** Ctrl-C. Gives the exit code and how long it took, in milliseconds. */
  async interrupt(): Promise<[number | null, number]> {
    const asked = performance.now();
    this.#process.kill('SIGINT');
    return [await this.ended, performance.now() - asked];
  }
}

describe('npm start', function () {
  this.timeout(60_000);
  let userDir = '';
  let start: Start;
  const flowFile = () => join(userDir, 'flows.json');

  beforeEach(() => {
    userDir = mkdtempSync(join(tmpdir(), 'funcx-start-'));
  });
  afterEach(async () => {
    await start.kill();
    rmSync(userDir, { recursive: true, force: true });
  });

  it('shows where to look and the first results, and that Hurricane Sandy is among the anomalies', async () => {
    start = new Start(userDir, ['--once']);
    assert.equal(await start.ended, 0, start.printed);
    assert.match(start.printed, /http:\/\/127\.0\.0\.1:\d+\n/);
    assert.match(start.printed, /^(New York|Seattle) +2012-08-\d\d +learning +\d+ of 30 days +\d+\.\d ms$/m);
    assert.match(start.printed, /^(New York|Seattle) +2012-08-31 +normal +as expected +\d+\.\d ms$/m);
    assert.match(start.printed, /^ {2}New York 2012-10-29: wind 16\.2 m\/s, expected 4\.3 \(z \+3\.9\)$/m);
    assert.doesNotMatch(start.printed, /warning|error/i);
  });

  it('is for this machine only, offers our examples, and ends within a second', async () => {
    start = new Start(userDir);
    await start.until(/127\.0\.0\.1:\d+\n/);
    const url = /http:\S+/.exec(start.printed)?.[0];
    const menu = await (await fetch(`${url}/library/examples/flows/${name}`)).text();
    assert.match(menu, /sensor anomalies/);
    const [code, took] = await start.interrupt();
    assert.equal(code, 0, start.printed);
    assert.ok(took < 1000, `${took} ms`);
  });

  it('keeps a flow that the user has made', async () => {
    const own = JSON.stringify([{ id: '7d5ee1a2c9c04ab1', type: 'tab', label: 'my own' }]);
    writeFileSync(flowFile(), own);
    start = new Start(userDir);
    await start.until(/your own flows/);
    assert.equal((await start.interrupt())[0], 0);
    assert.equal(readFileSync(flowFile(), 'utf8'), own);
  });

  it('brings an example up to date that the user has not changed', async () => {
    for (const file of ['flows.json', '.placed-flows.json']) writeFileSync(join(userDir, file), '[]');
    start = new Start(userDir);
    await start.until(/The main job/);
    await start.interrupt();
    assert.equal(readFileSync(flowFile(), 'utf8'), readFileSync(join(root, 'examples/sensor anomalies.json'), 'utf8'));
  });

  it('says what to install where there is no Python', async () => {
    start = new Start(userDir, [], { PATH: userDir });
    assert.equal(await start.ended, 1);
    assert.match(start.printed, /^No Python 3\.8 or later was found \(.+\)\. Install it /);
  });

  it('takes the port that it is given, and says when it is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    start = new Start(userDir, ['--port', String(port)]);
    assert.equal(await start.ended, 1);
    assert.match(start.printed, new RegExp(`^Port ${port} is taken\\.`));
    server.close();
  });

  it('refuses an option that it does not know', async () => {
    start = new Start(userDir, ['--verbose']);
    assert.equal(await start.ended, 1);
    assert.match(start.printed, /Unknown option '--verbose'/);
    assert.ok(!existsSync(flowFile()));
  });
});
