/**
 * The checks of the Flow Library's scorecard that need no network, by the names it gives them.
 * Source: node-red-dev 0.1.6, `src/libs/check*.js`.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import oldestRuntime from 'node-red/package.json';
import newestRuntime from 'node-red-5/package.json';
import * as semver from 'semver';
import manifest from '../../package.json';
import { root } from '../../tools/build/layout';
import { editorScripts, type NodeDefinition, readNodeDefinitions } from '../../tools/build/node-definition';
import { exampleFlows } from './examples';
import { installedPackages } from './shipped';

function definitionsIn(file: string): NodeDefinition[] {
  return editorScripts(readFileSync(join(root, file.replace(/\.js$/, '.html')), 'utf8')).flatMap(readNodeDefinitions);
}

describe('the scorecard of the Flow Library', () => {
  const nodeFiles: [string, string][] = Object.entries(manifest['node-red'].nodes);
  const definitions = () => nodeFiles.flatMap(([, file]) => definitionsIn(file));

  it('P01: has a licence', () => {
    assert.equal(manifest.license, 'Apache-2.0');
    assert.match(readFileSync(join(root, 'LICENSE'), 'utf8'), /Apache License\s+Version 2\.0/);
  });

  it('P03: says where the sources are and where to report bugs', () => {
    assert.match(manifest.repository.url, /^git\+https:\/\//);
    assert.match(manifest.bugs.url, /^https:\/\//);
  });

  it('P04: has a scoped name', () => {
    assert.match(manifest.name, /^@[a-z\d][\w-.]+\/[a-z\d][\w-.]*$/);
  });

  it('P05: has the keyword by which the Flow Library finds it', () => {
    assert.ok(manifest.keywords.includes('node-red'));
  });

  it('P06: supports the Node-RED releases of both lines', () => {
    const range = manifest['node-red'].version;
    assert.ok(semver.satisfies(oldestRuntime.version, range), oldestRuntime.version);
    assert.ok(semver.satisfies(newestRuntime.version, range), newestRuntime.version);
  });

  it('P07: supports the oldest Node.js that the newest Node-RED supports', () => {
    const oldest = semver.minVersion(newestRuntime.engines.node);
    assert.ok(oldest !== null && semver.satisfies(oldest, manifest.engines.node));
  });

  it('N01: has unique type names, each readable in its built HTML without running it', () => {
    for (const [type, file] of nodeFiles) {
      assert.deepEqual(
        definitionsIn(file).map((definition) => definition.type),
        [type],
      );
    }
    for (const { type, category, color, icon, inputs, outputs } of definitions()) {
      if (category === 'config') continue;
      assert.match(color ?? '', /^#[0-9A-F]{6}$/i, `${type}: color`);
      assert.match(icon ?? '', /\.svg$/, `${type}: icon`);
      assert.ok(inputs === 0 || inputs === 1, `${type}: inputs`);
      assert.ok(outputs !== undefined && outputs >= 0, `${type}: outputs`);
    }
  });

  it('N02: has an example for every node', () => {
    const shown = new Set(exampleFlows().flatMap((example) => example.flow.map((node) => node.type)));
    const missing = definitions().filter(({ category, type }) => category !== 'config' && !shown.has(type));
    assert.deepEqual(
      missing.map(({ type }) => type),
      [],
    );
  });

  it('D01: has six dependencies at most', () => {
    assert.ok(Object.keys(manifest.dependencies).length <= 6);
  });

  it('D02: needs no agent-base before 6', () => {
    const old = installedPackages().filter(
      ([path, { version }]) => path.endsWith('node_modules/agent-base') && semver.lt(version ?? '0.0.0', '6.0.0'),
    );
    assert.deepEqual(old, []);
  });
});

describe('properties of the nodes', () => {
  const reserved = ['id', 'type', 'wires', 'inputs', 'outputs', 'x', 'y', 'z', 'd', 'g', 'l'];

  /** As numbers they are Node-RED's way to let a dialog change them: core's mqtt in has `inputs`, function `outputs`. */
  const ports = ['inputs', 'outputs'];

  it('have names that Node-RED does not use itself', () => {
    const wrong = Object.values(manifest['node-red'].nodes)
      .flatMap(definitionsIn)
      .flatMap(({ type, defaults, numbers, credentials }) =>
        [...defaults, ...credentials]
          .filter((name) => name.length === 1 || reserved.includes(name))
          .filter((name) => !(ports.includes(name) && numbers.includes(name)))
          .map((name) => `${type}.${name}`),
      );
    assert.deepEqual(wrong, []);
  });
});
