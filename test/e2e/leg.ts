/** One way in which the editor is tested: a version of Node-RED, and a theme. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { type FlowNode, NodeRed, type NodeRedOptions } from './node-red';
import { Editor } from './pages/editor';
import type { Program, Version } from './versions';

export type Theme = 'light' | 'dark';

/** Pictures of the pages on which a scenario failed. */
const FAILURES = join(__dirname, '.failures');

/** Not to be seen in the editor: what credentials are encrypted with, and the value of an environment variable. */
export const SECRET = 'e2e-secret-4e1f0c';

const VIEWPORT = { width: 1500, height: 950 };

/** A theme of Node-RED 5 follows the system's. Node-RED 4 has only a light one. */
const FOLLOW_THE_SYSTEM = "localStorage.setItem('view-dark-theme', 'auto')";

/** What is run inside a page was compiled with calls of this, which keeps the names of functions. */
const NAME_IN_PAGE = 'globalThis.__name = (named) => named';

export class Leg {
  #browser: Browser | undefined;
  #server: NodeRed | undefined;
  #context: BrowserContext | undefined;
  readonly #editors: Editor[] = [];
  /** What a scenario started for itself. */
  readonly #others: { close(): Promise<void> }[] = [];

  constructor(
    readonly version: Version,
    readonly theme: Theme,
  ) {}

  /** Starts a Node-RED for it. */
  async start(browser: Browser, program: Program): Promise<void> {
    this.#browser = browser;
    this.#server = new NodeRed(program, {
      settings: { credentialSecret: SECRET },
      env: { ...process.env, E2E_SECRET: SECRET },
    });
    await this.#server.start();
    this.#context = await this.#newContext();
  }

  async stop(): Promise<void> {
    await this.#context?.close();
    await this.#server?.stop();
  }

  get server(): NodeRed {
    if (this.#server === undefined) throw new Error('Node-RED is not started.');
    return this.#server;
  }

  /** Opens the editor, with nothing but this flow in it. */
  async open(flow: readonly FlowNode[] = []): Promise<Editor> {
    await this.server.deploy(flow);
    if (this.#context === undefined) throw new Error('There is no browser.');
    const editor = this.#add(await Editor.visit(this.#context, this.server.url));
    await editor.isReady();
    return editor;
  }

  /** Starts another Node-RED, for one scenario. */
  async another(options: NodeRedOptions): Promise<NodeRed> {
    const server = new NodeRed(this.server.program, options);
    this.#others.push({ close: () => server.stop() });
    await server.start();
    return server;
  }

  /** Opens a page for an editor in a browser that knows nothing yet. It need not be an editor at once. */
  async visit(url: string, options: BrowserContextOptions = {}): Promise<Editor> {
    const context = await this.#newContext(options);
    this.#others.push(context);
    return this.#add(await Editor.visit(context, url));
  }

  /** The page that was opened last. */
  get page(): Page {
    const editor = this.#editors.at(-1);
    if (editor === undefined) throw new Error('No editor is open.');
    return editor.page;
  }

  /** Closes what a scenario opened, and returns what went wrong in its pages. */
  async close(): Promise<string[]> {
    const editors = this.#editors.splice(0);
    for (const editor of editors) await editor.close();
    for (const other of this.#others.splice(0).reverse()) await other.close();
    return editors.flatMap(({ complaints }) => complaints);
  }

  /** Keeps what the editors show, for whoever has to find out why a scenario failed. */
  async keep(scenario: string): Promise<void> {
    mkdirSync(FAILURES, { recursive: true });
    const name = join(FAILURES, `${scenario} ${this.version} ${this.theme}`);
    for (const [index, { page }] of this.#editors.entries()) {
      await page.screenshot({ path: `${name}${index === 0 ? '' : ` ${index + 1}`}.png` }).catch(() => {});
    }
    writeFileSync(`${name}.log`, this.#server?.log ?? '');
  }

  #add(editor: Editor): Editor {
    this.#editors.push(editor);
    return editor;
  }

  async #newContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    if (this.#browser === undefined) throw new Error('There is no browser.');
    const context = await this.#browser.newContext({ viewport: VIEWPORT, colorScheme: this.theme, ...options });
    await context.addInitScript(FOLLOW_THE_SYSTEM);
    await context.addInitScript(NAME_IN_PAGE);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    return context;
  }
}
