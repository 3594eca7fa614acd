/** The table for people, and the same as JSON. */
import type { Measured } from './measure';
import type { Goal, Row } from './row';
import { median, spread } from './statistics';

/** A row as `--json` writes it. `ours` and `beside` are medians. */
export interface ReportRow {
  readonly id: string;
  readonly work: string;
  readonly ours: number;
  readonly beside: number;
  readonly unit: string;
  /** ours / beside. */
  readonly ratio: number;
  /** Of the ratio; null where there is none. */
  readonly goal: number | null;
  /** The goal in words. */
  readonly goalText: string;
  /** Null where there is no goal. */
  readonly met: boolean | null;
  readonly better: 'more' | 'less';
  readonly rounds: number;
  /** Least and most of the rounds. */
  readonly oursSpread: readonly [number, number];
  readonly besideSpread: readonly [number, number];
}

export function reportRow({ row, ours, beside }: Measured): ReportRow {
  const our = median(ours);
  const other = median(beside);
  const ratio = our / other;
  return {
    id: row.id,
    work: row.work,
    ours: our,
    beside: other,
    unit: row.unit,
    ratio,
    goal: row.goal?.ratio ?? null,
    goalText: goalText(row),
    met: row.goal === undefined ? null : isMet(row, row.goal, our, ratio),
    better: row.better,
    rounds: ours.length,
    oursSpread: spread(ours),
    besideSpread: spread(beside),
  };
}

/** Lines of the table; a failed row has the reason instead of numbers. */
export function table(rows: readonly (ReportRow | { readonly id: string; readonly failure: string })[]): string {
  const lines = rows.map((row) =>
    'failure' in row
      ? [row.id, '', '', '', '', '', '', '', 'FAILED', row.failure.split('\n', 1)[0] ?? '']
      : [
          row.id,
          number(row.ours),
          range(row.oursSpread),
          number(row.beside),
          range(row.besideSpread),
          row.unit,
          number(row.ratio),
          row.goalText,
          row.met === null ? '' : row.met ? 'met' : 'MISSED',
          row.work,
        ],
  );
  const head = ['row', 'ours', 'min–max', 'beside', 'min–max', 'unit', 'ratio', 'goal', '', 'work'];
  const widths = head.map((text, column) => Math.max(text.length, ...lines.map((line) => (line[column] ?? '').length)));
  const written = [head, widths.map((width) => '-'.repeat(width)), ...lines].map((line) =>
    line.map((text, column) => pad(text, widths[column] ?? 0, RIGHT.has(column))).join('  '),
  );
  return written.map((line) => line.trimEnd()).join('\n');
}

const RIGHT: ReadonlySet<number> = new Set([1, 3, 6]);

function pad(text: string, width: number, right: boolean): string {
  return right ? text.padStart(width) : text.padEnd(width);
}

function isMet({ better }: Row, goal: Goal, ours: number, ratio: number): boolean {
  const reaches = (value: number, wanted: number) => (better === 'more' ? value >= wanted : value <= wanted);
  return reaches(ratio, goal.ratio) && (goal.ours === undefined || reaches(ours, goal.ours));
}

function goalText({ better, goal, unit }: Row): string {
  if (goal === undefined) return '';
  const sign = better === 'more' ? '≥' : '≤';
  const ratio = goal.ratio < 0.5 ? `1/${number(1 / goal.ratio)}` : number(goal.ratio);
  return `${sign} ${ratio}${goal.ours === undefined ? '' : `, ${sign} ${number(goal.ours)} ${unit}`}`;
}

function range([least, most]: readonly [number, number]): string {
  return `${number(least)}–${number(most)}`;
}

/** Three digits that mean something, or all of a larger number. */
function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return rounded.toLocaleString('en-US', { maximumFractionDigits: 6 }).replaceAll(',', ' ');
}
