/** Keeps tasks pending: a flow whose function waits as long as a file is there. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench';
import { benchFlow } from './node-red/flow';
import type { FlowNode } from './node-red/protocol';

export class Gate {
  readonly flow: FlowNode[];
  readonly #file: string;

  constructor(bench: Bench) {
    this.#file = join(bench.folder('gate-'), 'closed');
    const code = `import os
import time

def f(x):
    while os.path.exists(${JSON.stringify(this.#file)}):
        time.sleep(0.01)
    return x
`;
    this.flow = benchFlow({ python: bench.python, code });
  }

  close(): void {
    writeFileSync(this.#file, '');
  }

  open(): void {
    rmSync(this.#file, { force: true });
  }
}
