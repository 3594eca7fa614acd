import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import manifest from '../../package.json';
import { dist, filesUnder, nodeTypes, root } from '../../tools/build/layout';

const ownPrefix = `${manifest.name}/`;
const pluralForm = /_(zero|one|two|few|many|other)$/;

/** The texts of a catalogue by their dotted keys, plural forms under the key that is asked for. */
function readCatalogue(file: string): Map<string, string[]> {
  const texts = new Map<string, string[]>();
  const collect = (value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [name, child] of Object.entries(value)) collect(child, path === '' ? name : `${path}.${name}`);
    } else {
      const key = path.replace(pluralForm, '');
      texts.set(key, [...(texts.get(key) ?? []), String(value)]);
    }
  };
  collect(JSON.parse(readFileSync(file, 'utf8')), '');
  return texts;
}

function localesOf(type: string): string {
  return join(root, 'nodes', type, 'locales');
}

function english(type: string): Map<string, string[]> {
  const file = join(localesOf(type), 'en-US', `${type}.json`);
  return existsSync(file) ? readCatalogue(file) : new Map();
}

function builtHtml(type: string): string {
  const file = join(dist, 'nodes', type, `${type}.html`);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Keys of the `data-i18n` attributes: `key`, `[attribute]key`, several with `;` between. */
function templateKeys(html: string): string[] {
  return [...html.matchAll(/data-i18n=["']([^"']+)["']/g)]
    .flatMap((match) => (match[1] ?? '').split(';'))
    .map((key) => key.replace(/^\[[^\]]*\]/, '').trim());
}

/** Keys that a script asks for by a literal: `this._('key')`, `RED._('key')`. */
function scriptKeys(script: string): string[] {
  return [...script.matchAll(/\._\(\s*["'`]([\w:@/.-]+)["'`]\s*[,)]/g)].map((match) => match[1] ?? '');
}

function sharedScripts(): string {
  const folder = join(dist, 'nodes/shared');
  if (!existsSync(folder)) return '';
  return filesUnder(folder)
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}

function catalogueOf(namespace: string | undefined, type: string): Map<string, string[]> {
  if (namespace === undefined) return english(type);
  if (namespace.startsWith(ownPrefix)) return english(namespace.slice(ownPrefix.length));
  const core: Record<string, string> = {
    'node-red': '@node-red/nodes/locales/en-US/messages.json',
    editor: '@node-red/editor-client/locales/en-US/editor.json',
  };
  const file = core[namespace];
  return file === undefined ? new Map() : readCatalogue(require.resolve(file));
}

function unknownKeys(type: string, keys: readonly string[]): string[] {
  return keys.filter((key) => {
    const [name = '', namespace] = key.split(':').reverse();
    return !catalogueOf(namespace, type).has(name);
  });
}

describe('the texts', () => {
  const runtimeOf = (type: string) => {
    const file = join(dist, 'nodes', type, `${type}.js`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };

  for (const type of nodeTypes()) {
    describe(type, () => {
      it('has every text that its dialog and its script ask for', () => {
        const html = builtHtml(type);
        const asked = [...templateKeys(html), ...scriptKeys(html), ...scriptKeys(runtimeOf(type))];
        assert.deepEqual(unknownKeys(type, asked), []);
      });

      it('has no text that nothing asks for', () => {
        const everyHtml = nodeTypes().map(builtHtml).join('\n');
        const code = [everyHtml, runtimeOf(type), sharedScripts()].join('\n');
        const composed = [...code.matchAll(/["'`:]([\w-]+(?:\.[\w-]+)*\.)(?:\$\{|["'`] ?\+)/g)].map(
          (match) => match[1] ?? '',
        );
        const unused = [...english(type).keys()].filter(
          (key) =>
            !new RegExp(`["'\`\\];:]${key.replaceAll('.', '\\.')}["'\`;]`).test(code) &&
            !composed.some((prefix) => key.startsWith(prefix)),
        );
        assert.deepEqual(unused, []);
      });

      it('says the same in every language, with the same values in it', () => {
        if (!existsSync(localesOf(type))) return;
        const values = (texts: readonly string[]) => [
          ...new Set(texts.flatMap((text) => text.match(/\{\{[^}]+\}\}|__\w+?__/g) ?? [])),
        ];
        for (const language of readdirSync(localesOf(type)).filter((name) => name !== 'en-US')) {
          const file = join(localesOf(type), language, `${type}.json`);
          const translated = readCatalogue(file);
          assert.deepEqual([...translated.keys()].sort(), [...english(type).keys()].sort(), relative(root, file));
          for (const [key, texts] of english(type)) {
            assert.deepEqual(values(translated.get(key) ?? []).sort(), values(texts).sort(), `${language}: ${key}`);
          }
        }
      });
    });
  }

  it('are in the same languages for every node', () => {
    const languages = nodeTypes()
      .filter((type) => existsSync(localesOf(type)))
      .map((type) => readdirSync(localesOf(type)).sort().join(', '));
    assert.ok(new Set(languages).size <= 1, languages.join(' | '));
  });
});
