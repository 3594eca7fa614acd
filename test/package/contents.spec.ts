import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, sep } from 'node:path';
import manifest from '../../package.json';
import { nodeTypes, root } from '../../tools/build/layout';
import { pack } from './shipped';

const allowed = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^dist\/THIRD-PARTY-LICENSES\.txt$/,
  /^dist\/lib\/.+\.(js|d\.ts|py)$/,
  /^dist\/nodes\/.+\.js$/,
  /^dist\/nodes\/[^/]+\/([^/]+\.html|icons\/[^/]+\.svg|locales\/[^/]+\/[^/]+\.(json|html))$/,
  /^examples\/[^/]+\.json$/,
  /^resources\//,
];

describe('the published package', () => {
  const { files, unpackedSize } = pack('--dry-run');
  const paths = files.map((file) => file.path);

  it('holds what is needed to install, use and read about it', () => {
    const needed = [
      'package.json',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'dist/lib/index.js',
      'dist/lib/index.d.ts',
      'dist/lib/hub/workers/worker.py',
      ...nodeTypes().flatMap((type) => [
        `dist/nodes/${type}/${type}.js`,
        `dist/nodes/${type}/${type}.html`,
        `dist/nodes/${type}/locales/en-US/${type}.json`,
      ]),
    ];
    assert.deepEqual(
      needed.filter((path) => !paths.includes(path)),
      [],
    );
    assert.ok(
      paths.some((path) => path.startsWith('examples/')),
      'there is no example',
    );
  });

  it('holds nothing else: no tests, sources or source maps', () => {
    assert.deepEqual(
      paths.filter((path) => !allowed.some((pattern) => pattern.test(path))),
      [],
    );
  });

  it('stays small enough for a Raspberry Pi on a slow line', () => {
    assert.ok(unpackedSize < 4_000_000, `${unpackedSize} bytes`);
  });

  it('names no folder of the machine it was built on', () => {
    const folders = [root, homedir()].map((folder) => folder + sep);
    const someonesHome =
      /(?:\/home|\/Users|\b[A-Z]:\\Users)[/\\](?!pi\b|you\b|user\b|nodered\b|node-red\b|\.\.\.)\w+[/\\]/;
    const found = paths.filter((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return folders.some((folder) => text.includes(folder)) || someonesHome.test(text);
    });
    assert.deepEqual(found, []);
  });

  it('leads importers to files that are in it', () => {
    const entries = [
      manifest.main,
      manifest.types,
      ...Object.values(manifest.exports['.']),
      manifest.exports['./package.json'],
    ];
    assert.deepEqual(
      entries.filter((entry) => !paths.includes(entry.replace(/^\.\//, ''))),
      [],
    );
  });
});
