/** Measures a row: rounds of ours and of what is beside it, in alternating order, after one of each that does not count. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Bench, type BenchOptions } from './bench';
import type { Row } from './row';

export interface Measured {
  readonly row: Row;
  /** One number a round. */
  readonly ours: readonly number[];
  readonly beside: readonly number[];
}

export interface MeasureOptions extends BenchOptions {
  readonly rounds: number;
}

export async function measure(row: Row, options: MeasureOptions): Promise<Measured> {
  const bench = new Bench(options);
  try {
    const state = await row.prepare(bench);
    const sides = {
      ours: () => row.ours(state),
      beside: () => row.beside(state),
    };
    const found = { ours: [] as number[], beside: [] as number[] };
    await sides.ours();
    await sides.beside();
    // Ours, beside, beside, ours, ours …: what drifts, a processor's clock for instance, meets both sides alike.
    for (let round = 0; round < options.rounds; round++) {
      const order = round % 2 === 0 ? (['ours', 'beside'] as const) : (['beside', 'ours'] as const);
      for (const side of order) {
        await settle(bench);
        found[side].push(await sides[side]());
      }
    }
    if (options.profile !== undefined) await profile(row.id, bench, sides, options.profile);
    return { row, ...found };
  } finally {
    await bench.close();
  }
}

/** What one round leaves behind must not slow the next. */
async function settle(bench: Bench): Promise<void> {
  for (const nodeRed of bench.nodeReds) if (nodeRed.isOpen) await nodeRed.call('settle');
}

async function profile(
  id: string,
  bench: Bench,
  sides: Readonly<Record<string, () => Promise<number>>>,
  folder: string,
): Promise<void> {
  const [nodeRed] = bench.nodeReds;
  if (nodeRed === undefined) return;
  mkdirSync(folder, { recursive: true });
  for (const [side, round] of Object.entries(sides)) {
    await settle(bench);
    await nodeRed.call('startProfile');
    await round();
    await nodeRed.call('stopProfile', join(folder, `${id}-${side}.cpuprofile`));
  }
}
