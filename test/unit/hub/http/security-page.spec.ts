/** `docs/security.md` promises nothing that no test shows. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(__dirname, '../../../..');

/** Titles of the tests in a folder; a title that is put together from parts may have anything for a part. */
function titlesIn(folder: string): RegExp[] {
  const titles: RegExp[] = [];
  for (const file of readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith('.spec.ts'))) {
    const text = readFileSync(path.join(ROOT, folder, file), 'utf8');
    for (const [, , title = ''] of text.matchAll(/\bit\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gs)) {
      const parts = title.replaceAll("\\'", "'").split(/\$\{[^}]*\}/);
      titles.push(new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`));
    }
  }
  return titles;
}

describe('the page about security', () => {
  const page = readFileSync(path.join(ROOT, 'docs/security.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
  const headers: readonly string[] = page.match(/^\|.*\| test +\|$/gm) ?? [];

  it('names for each of its lines a test that there is', () => {
    const titles = ['test/unit/hub/http', 'test/interop/broker'].flatMap(titlesIn);
    const named = rows.filter((row) => !headers.includes(row)).map((row) => row.split('|').at(-2)?.trim() ?? '');
    assert.ok(named.length > 40, String(named.length));
    assert.deepEqual(
      named.filter((name) => !titles.some((title) => title.test(name))),
      [],
    );
  });
});
