/** Runs every scenario, prints a table and the sum, and writes the rows where `--json FILE` says. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Row, run } from './scenario';
import { SCENARIOS } from './scenarios';

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: 'string' }, only: { type: 'string' } } });
  const only = values.only?.split(',');
  const rows: Row[] = [];
  console.log(line(['fault', 'deploy', 'sent', 'received', 'errors', 'repeated', 'unmarked', 'lost']));
  for (const scenario of SCENARIOS) {
    if (only !== undefined && !only.includes(scenario.fault)) continue;
    const row = await run(scenario);
    rows.push(row);
    const { fault, deploy, sent, received, errors, repeated, unmarked, lost } = row;
    console.log(line([fault, deploy, sent, received, errors, repeated, unmarked, row.problem ?? lost]));
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
  const failed = rows.filter((row) => row.problem !== undefined || row.lost > 0 || row.unmarked > 0);
  console.log(`${rows.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

function line(cells: readonly (string | number)[]): string {
  const widths = [30, 8, 7, 9, 7, 9, 9, 5];
  return cells
    .map((cell, i) => (i < 2 ? String(cell).padEnd(widths[i] ?? 0) : String(cell).padStart(widths[i] ?? 0)))
    .join(' ');
}
