import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Evaluates one Python expression a line, with `value` as its input. Both ways JSON, in ASCII. */
const SERVER = `
import base64, collections, copyreg, dataclasses, datetime, decimal, enum, fractions, json, math, pathlib, pickle, sys, uuid, zoneinfo

def same(a, b):
    """Equality that tells 1 from 1.0 and 0.0 from -0.0, and takes NaN for itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return repr(a) == repr(b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b

for line in sys.stdin:
    request = json.loads(line)
    try:
        scope = dict(globals(), value=request["value"])
        reply = {"value": eval(request["expression"], scope)}
    except Exception as error:
        reply = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(reply), flush=True)
`;

/** A Python interpreter that lives as long as a suite. */
export class Python {
  readonly #process: ChildProcess;
  readonly #replies: AsyncIterator<string>;

  constructor() {
    this.#process = spawn('python3', ['-c', SERVER], { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = this.#process;
    assert(stdout);
    this.#replies = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** What the expression gives for the value, both as far as standard JSON can carry them. */
  async evaluate(expression: string, value: unknown = null): Promise<unknown> {
    this.#process.stdin?.write(`${JSON.stringify({ expression, value })}\n`);
    const { value: line } = await this.#replies.next();
    const reply: { value?: unknown; error?: string } = JSON.parse(line);
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply.value;
  }

  /** The pickle of an expression. */
  async pickle(expression: string, protocol = 4): Promise<Buffer> {
    const text = await this.evaluate(`base64.b64encode(pickle.dumps(${expression}, ${protocol})).decode()`);
    return Buffer.from(String(text), 'base64');
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#process.once('close', resolve));
    this.#process.stdin?.end();
    await closed;
  }
}

/** The interpreter of one suite. */
export function usePython(): Python {
  let python: Python | undefined;
  before(() => {
    python = new Python();
  });
  after(() => python?.close());
  return new Proxy({} as Python, {
    get: (_, name: keyof Python) => python?.[name].bind(python),
  });
}
