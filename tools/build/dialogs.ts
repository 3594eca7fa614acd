import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import * as esbuild from 'esbuild';
import { filesUnder, root, staging } from './layout';
import { type NodeDefinition, readNodeDefinitions } from './node-definition';

const required = ['editor.ts', 'template.html', 'help.md'];
const include = /^[ \t]*<!-- include: (\S+) -->[ \t]*\n?/gm;

/**
 * Builds what the editor loads of one node type: its HTML (script, template, help), its icon, its catalogues and its
 * help in other languages. Returns what is wrong with the sources.
 */
export async function buildDialog(type: string): Promise<string[]> {
  const source = join(root, 'nodes', type);
  const missing = [`${type}.ts`, `locales/en-US/${type}.json`, ...required].filter(
    (file) => !existsSync(join(source, file)),
  );
  if (missing.length > 0) return missing.map((file) => `nodes/${type} has no ${file}`);
  try {
    const script = await bundleEditor(join(source, 'editor.ts'));
    const icon = iconOf(onlyDefinition(type, script));
    write(
      type,
      `${type}.html`,
      [
        tag('type="text/javascript"', script),
        tag(`type="text/html" data-template-name="${type}"`, readTemplate(join(source, 'template.html'))),
        helpTag(type, join(source, 'help.md')),
      ].join('\n'),
    );
    if (icon !== undefined) write(type, `icons/${icon}`, readFileSync(join(root, 'icons', icon)));
    for (const file of filesUnder(join(source, 'locales'))) {
      const path = relative(source, file);
      if (basename(path) === 'help.md') write(type, join(dirname(path), `${type}.html`), helpTag(type, file));
      else write(type, path, readFileSync(file));
    }
    return [];
  } catch (error) {
    return [`nodes/${type}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function write(type: string, path: string, content: string | Uint8Array): void {
  const file = join(staging, 'nodes', type, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

async function bundleEditor(entry: string): Promise<string> {
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'browser',
    target: 'es2020',
    format: 'iife',
    charset: 'utf8',
    tsconfig: join(root, 'tsconfig.editor.json'),
    logLevel: 'silent',
  });
  return result.outputFiles.map((file) => file.text).join('\n');
}

function onlyDefinition(type: string, script: string): NodeDefinition {
  const definitions = readNodeDefinitions(script);
  const [definition] = definitions;
  if (definitions.length !== 1 || definition?.type !== type) {
    throw new Error(
      `editor.ts has to register the one type ${type}, not: ${definitions.map((d) => d.type).join(', ')}`,
    );
  }
  return definition;
}

/** Our own icon that a node shows; undefined for one of Node-RED's or of Font Awesome. */
function iconOf({ icon }: NodeDefinition): string | undefined {
  if (icon === undefined || icon.startsWith('font-awesome/')) return undefined;
  if (!existsSync(join(root, 'icons', icon))) throw new Error(`icons has no ${icon}`);
  return icon;
}

/** Reads a fragment of HTML; `<!-- include: shared/editor/x.html -->`, a path under `nodes`, stands for another one. */
function readTemplate(file: string): string {
  return readFileSync(file, 'utf8').replace(include, (_, path: string) => readTemplate(join(root, 'nodes', path)));
}

function helpTag(type: string, file: string): string {
  return tag(`type="text/markdown" data-help-name="${type}"`, readFileSync(file, 'utf8'));
}

function tag(attributes: string, content: string): string {
  if (/<\/script/i.test(content)) throw new Error(`the content of <script ${attributes}> closes the script`);
  return `<script ${attributes}>\n${content.trim()}\n</script>\n`;
}
