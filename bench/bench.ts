/** What a row may use while it is measured. All that was opened is closed when the row is done. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildSync } from 'esbuild';
import { PythonScript } from './beside/python-script';
import { type FlowNode, NodeRed } from './node-red/node-red';
import { cache, root } from './places';

export interface BenchOptions {
  /** The build that is measured: a folder with `lib` and `nodes`. */
  readonly dist: string;
  /** Absolute path of the interpreter, used for the workers and beside them. */
  readonly python: string;
  /** Folder for a CPU profile of each side, taken in a round of its own. */
  readonly profile?: string | undefined;
}

export interface PythonScriptOptions {
  /** Interpreter. */
  readonly python?: string;
  /** More environment. */
  readonly env?: NodeJS.ProcessEnv;
}

export class Bench {
  readonly python: string;
  /** The build that is measured. */
  readonly dist: string;
  readonly #profiled: boolean;
  readonly #closers: (() => Promise<void> | void)[] = [];

  constructor(options: BenchOptions) {
    this.dist = options.dist;
    this.#profiled = options.profile !== undefined;
    this.python = options.python;
  }

  /** The Node-RED processes that were opened, the first first. */
  readonly nodeReds: NodeRed[] = [];

  /** Starts a Node-RED in a process of its own, and deploys a flow. @param userDir on disk; a new one if not given */
  async nodeRed(flow: readonly FlowNode[], userDir = this.folder('node-red-')): Promise<NodeRed> {
    if (!existsSync(join(this.dist, 'nodes'))) throw new Error(`There is no ${this.dist}/nodes: run npm run build.`);
    const nodeRed = await NodeRed.start({
      dist: this.dist,
      userDir,
      profiled: this.#profiled,
    });
    this.nodeReds.push(nodeRed);
    this.atEnd(() => nodeRed.close());
    await nodeRed.call('deploy', flow);
    return nodeRed;
  }

  /** Starts a Python script of `beside/`, if nothing else is said in the same interpreter as the workers. */
  pythonScript(name: string, { python = this.python, env = {} }: PythonScriptOptions = {}): PythonScript {
    const script = new PythonScript(python, name, env);
    this.atEnd(() => script.close());
    return script;
  }

  /** A script of the bench as JavaScript, for a process of its own: a loader in it would be measured too. */
  script(name: string): string {
    const file = join(this.folder('script-'), `${basename(name, '.ts')}.cjs`);
    buildSync({
      entryPoints: [join(__dirname, name)],
      outfile: file,
      absWorkingDir: root,
      bundle: true,
      packages: 'external',
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      logLevel: 'silent',
    });
    return file;
  }

  /** A folder on disk that is removed at the end. */
  folder(prefix: string): string {
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, prefix));
    this.atEnd(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  /** Has something done when the row is measured, the last first. */
  atEnd(close: () => Promise<void> | void): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) await close();
  }
}
