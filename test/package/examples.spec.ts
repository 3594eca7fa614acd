import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesUnder, nodeTypes } from '../../tools/build/layout';
import { exampleFlows } from './examples';

/** What the editor knows without a node set. */
const structure = ['tab', 'group', 'subflow'];

function coreTypes(): string[] {
  const core = join(dirname(require.resolve('@node-red/nodes/package.json')), 'core');
  const registered = /registerType\(\s*['"]([^'"]+)['"]/g;
  return filesUnder(core)
    .filter((file) => file.endsWith('.html'))
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(registered)].map((match) => match[1] ?? ''));
}

describe('the examples', () => {
  const known = new Set([...structure, ...coreTypes(), ...nodeTypes()]);

  it('are there', () => {
    assert.notEqual(exampleFlows().length, 0);
  });

  for (const { file, flow } of exampleFlows()) {
    describe(file, () => {
      it('says what it shows, in a comment', () => {
        const comments = flow.filter((node) => node.type === 'comment');
        assert.ok(comments.some((node) => (node.info ?? '').length > 0));
      });

      it('uses our nodes and those of Node-RED alone', () => {
        const foreign = flow.filter(({ type }) => !known.has(type) && !type.startsWith('subflow:'));
        assert.deepEqual(
          foreign.map(({ type }) => type),
          [],
        );
      });

      it('has unique ids, and no wire that ends nowhere', () => {
        const ids = flow.map((node) => node.id);
        assert.equal(new Set(ids).size, ids.length);
        const ends = flow.flatMap((node) => (node.wires ?? []).flat());
        assert.deepEqual(
          ends.filter((id) => !ids.includes(id)),
          [],
        );
      });

      it('holds no secret', () => {
        assert.ok(flow.every((node) => !('credentials' in node)));
      });
    });
  }
});
