import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import manifest from '../../package.json';
import { modules } from '../../tools/build/layout';
import { npm, pack } from './shipped';

interface NodeSet {
  readonly module: string;
  readonly name: string;
  readonly types: readonly string[];
  readonly enabled: boolean;
  readonly err?: unknown;
}

const runtime = process.env.NR_PKG ?? 'node-red';

/** A Node-RED of its own, started from the command line as users do. */
class Runtime {
  readonly #process: ChildProcess;
  readonly #url: string;
  #log = '';

  private constructor(userDir: string, port: number) {
    const red = join(dirname(require.resolve(`${runtime}/package.json`)), 'red.js');
    this.#url = `http://127.0.0.1:${port}`;
    this.#process = spawn(process.execPath, [red, '--userDir', userDir, '--settings', join(userDir, 'settings.js')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer) => {
      this.#log += chunk;
    };
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
  }

  static async start(userDir: string): Promise<Runtime> {
    const port = await freePort();
    const settings = {
      uiHost: '127.0.0.1',
      uiPort: port,
      telemetry: { enabled: false, updateNotification: false },
      editorTheme: { tours: false },
    };
    writeFileSync(join(userDir, 'settings.js'), `module.exports = ${JSON.stringify(settings)};`);
    const started = new Runtime(userDir, port);
    while (!started.#log.includes('Started flows')) {
      if (started.#process.exitCode !== null) throw new Error(`Node-RED ended:\n${started.#log}`);
      await sleep(50);
    }
    return started;
  }

  get log(): string {
    return this.#log;
  }

  async get(path: string, accept = 'application/json'): Promise<string> {
    const response = await fetch(`${this.#url}/${path}`, { headers: { accept } });
    assert.equal(response.status, 200, path);
    return response.text();
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.kill();
    await once(this.#process, 'exit');
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

describe(`the package, installed as a user installs it, in ${runtime}`, function () {
  this.timeout(120_000);
  const userDir = mkdtempSync(join(tmpdir(), 'node-red-'));
  const types = Object.keys(manifest['node-red'].nodes);
  let red: Runtime | undefined;

  function running(): Runtime {
    if (red === undefined) throw new Error('Node-RED did not start');
    return red;
  }

  before(async () => {
    const { filename } = pack('--pack-destination', userDir);
    writeFileSync(join(userDir, 'package.json'), JSON.stringify({ name: 'node-red-project', version: '0.0.1' }));
    npm(['install', '--prefer-offline', '--ignore-scripts', join(userDir, filename)], userDir);
    red = await Runtime.start(userDir);
  });

  after(async () => {
    await red?.stop();
    rmSync(userDir, { recursive: true, force: true });
  });

  it('offers every node type, none with an error', async () => {
    const sets = (JSON.parse(await running().get('nodes')) as NodeSet[]).filter((set) => set.module === manifest.name);
    assert.deepEqual(
      sets.filter((set) => !set.enabled || set.err !== undefined),
      [],
    );
    assert.deepEqual(sets.flatMap((set) => set.types).sort(), types.sort());
    assert.doesNotMatch(running().log, /\[error\]|DeprecationWarning/);
  });

  it('gives the editor a dialog and a help text for each', async () => {
    const html = await running().get('nodes', 'text/html');
    for (const type of types) {
      assert.ok(html.includes(`data-template-name="${type}"`), `template of ${type}`);
      assert.ok(html.includes(`data-help-name="${type}"`), `help of ${type}`);
    }
  });

  it('gives the editor its icons and its texts', async () => {
    const icons = JSON.parse(await running().get('icons')) as Record<string, string[]>;
    assert.ok((icons[manifest.name] ?? []).length > 0);
    for (const type of types) {
      const texts = JSON.parse(await running().get(`locales/${manifest.name}/${type}?lng=en-US`)) as object;
      assert.notDeepEqual(texts, {}, `texts of ${type}`);
    }
  });

  it('puts its examples into the Import menu', async () => {
    assert.ok((await running().get('library/examples/flows/')).includes(manifest.name));
  });

  it('is a library too', () => {
    const script = `console.log(typeof require('${manifest.name}').FuncXClient)`;
    const printed = execFileSync(process.execPath, ['--eval', script], { cwd: userDir, encoding: 'utf8' });
    assert.equal(printed.trim(), 'function');
  });

  it('has types that are whole without its development packages', () => {
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      module: 'node20',
      types: ['node'],
      typeRoots: [join(modules, '@types')],
    };
    writeFileSync(join(userDir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
    writeFileSync(
      join(userDir, 'use.ts'),
      `import { FuncXClient } from '${manifest.name}';\nexport const client: FuncXClient | undefined = undefined;\n`,
    );
    try {
      execFileSync(process.execPath, [join(modules, 'typescript/bin/tsc'), '-p', userDir], { encoding: 'utf8' });
    } catch (error) {
      assert.fail((error as { stdout: string }).stdout);
    }
  });
});
