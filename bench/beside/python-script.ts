/** A Python script that stands beside ours: started once, asked for one round at a time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

/** What one round may take. Unit: milliseconds. */
const TIME_LIMIT_MS = 300_000;

export class PythonScript {
  readonly #process: ChildProcess;
  readonly #stream: Duplex;
  #chunks: Buffer[] = [];
  #size = 0;
  #waiting: { resolve(frame: Buffer): void; reject(error: Error): void } | undefined;

  constructor(python: string, name: string, env: NodeJS.ProcessEnv = {}) {
    // Descriptor 3 is what the workers of the hub use too: a socket pair on systems that have it, or else a pipe.
    this.#process = spawn(python, [join(__dirname, name)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    this.#stream = this.#process.stdio[3] as Duplex;
    this.#stream.on('data', (chunk: Buffer) => this.#received(chunk));
    this.#stream.on('error', () => {});
    const failed = (how: unknown) => this.#waiting?.reject(new Error(`${name} ended (${how}).`));
    this.#process.on('error', failed);
    this.#process.on('exit', failed);
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Sends a frame (`u32 length | bytes`, little endian) and gives the one that comes back. */
  ask(frame: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`Python gave no answer within ${TIME_LIMIT_MS / 1000} s.`));
      const timer = setTimeout(late, TIME_LIMIT_MS);
      this.#waiting = {
        resolve: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32LE(frame.length);
      this.#stream.cork();
      this.#stream.write(length);
      this.#stream.write(frame);
      this.#stream.uncork();
    });
  }

  /** It ends with its input. */
  async close(): Promise<void> {
    this.#stream.destroy();
    if (this.#process.exitCode !== null || this.#process.pid === undefined) return;
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5000);
    await once(this.#process, 'exit');
    clearTimeout(timer);
  }

  #received(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const [first] = this.#chunks;
    if (this.#size < 4 || first === undefined) return;
    const length = (first.length >= 4 ? first : Buffer.concat(this.#chunks)).readUInt32LE(0);
    if (this.#size < 4 + length) return;
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#size = 0;
    this.#waiting?.resolve(whole.subarray(4, 4 + length));
    this.#waiting = undefined;
  }
}
