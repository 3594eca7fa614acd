import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import manifest from '../../package.json';
import { dist, filesUnder, nodeTypes, root } from '../../tools/build/layout';
import { installedPackages } from './shipped';

const specifiers = /(?:\bfrom\s+|\bimport\s*\(?\s*|\brequire\(\s*)['"]([^'"]+)['"]/g;

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(specifiers)].map((match) => match[1] ?? '');
}

function sourcesUnder(folder: string): string[] {
  return filesUnder(join(root, folder)).filter((file) => file.endsWith('.ts'));
}

/** `@scope/name/file` is of `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

describe('the layout', () => {
  it('has each node type in a folder of its own, complete', () => {
    const missing = nodeTypes().flatMap((type) =>
      [`${type}.ts`, 'editor.ts', 'template.html', 'help.md', `locales/en-US/${type}.json`]
        .map((file) => join('nodes', type, file))
        .filter((file) => !existsSync(join(root, file))),
    );
    assert.deepEqual(missing, []);
  });

  it('names every node type in package.json, at the file that the build writes', () => {
    const listed: Record<string, string> = manifest['node-red'].nodes;
    assert.deepEqual(Object.keys(listed).sort(), nodeTypes().sort());
    for (const [type, file] of Object.entries(listed)) assert.equal(file, `dist/nodes/${type}/${type}.js`);
  });

  it('lists config nodes first, so that they are there when a node looks for one', () => {
    const isConfig = Object.values(manifest['node-red'].nodes).map((file) =>
      /\bcategory: "config"/.test(readFileSync(join(root, file.replace(/\.js$/, '.html')), 'utf8')),
    );
    assert.deepEqual(
      isConfig,
      [...isConfig].sort((a, b) => Number(b) - Number(a)),
    );
  });

  it('keeps the library free of Node-RED and of the nodes', () => {
    const wrong = sourcesUnder('lib').flatMap((file) =>
      importsOf(file)
        .filter(
          (name) =>
            /^(@node-red\/|node-red)/.test(name) ||
            (name.startsWith('.') && !resolve(dirname(file), name).startsWith(join(root, 'lib') + sep)),
        )
        .map((name) => `${relative(root, file)} imports ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('takes at run time only what is installed with the package', () => {
    const wrong = filesUnder(dist)
      .filter((file) => file.endsWith('.js'))
      .flatMap((file) => importsOf(file).map((name) => ({ file, name })))
      .filter(
        ({ name }) => !name.startsWith('.') && !name.startsWith('node:') && !(packageOf(name) in manifest.dependencies),
      );
    assert.deepEqual(
      wrong.map(({ file, name }) => `${relative(root, file)} requires ${name}`),
      [],
    );
  });

  it('compiles each file of dist from a source that is still there', () => {
    const orphans = filesUnder(dist)
      .filter((file) => file.endsWith('.js'))
      .map((file) => relative(dist, file).replace(/\.js$/, '.ts'))
      .filter((source) => !existsSync(join(root, source)));
    assert.deepEqual(orphans, []);
  });
});

describe('the dependencies', () => {
  it('run no script when installed: npm 12 does not run it unasked', () => {
    assert.deepEqual(
      installedPackages()
        .filter(([, entry]) => entry.hasInstallScript)
        .map(([path]) => path),
      [],
    );
  });

  it('are pinned in development', () => {
    const loose = Object.entries({ ...manifest.devDependencies, ...manifest.dependencies }).filter(
      ([, range]) => !/^(npm:[^@]+@)?\d+\.\d+\.\d+$/.test(range),
    );
    assert.deepEqual(loose, []);
  });
});
