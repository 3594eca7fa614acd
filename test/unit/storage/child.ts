/** Starting one of the programs of this folder as a process of its own, and talking with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

export interface ChildOptions {
  /** A command to run it with, such as `unshare`. */
  wrapper?: readonly string[];
  stderr?: 'inherit' | 'pipe';
}

/** Runs `<name>.ts` under tsx. */
export function startChild(
  name: string,
  args: readonly string[],
  { wrapper = [], stderr = 'inherit' }: ChildOptions = {},
): ChildProcess {
  const [command, ...rest] = [
    ...wrapper,
    process.execPath,
    '--require',
    'tsx/cjs',
    path.join(__dirname, `${name}.ts`),
    ...args,
  ];
  return spawn(command ?? '', rest, { stdio: ['ignore', 'inherit', stderr, 'ipc'] });
}

/** The next message of the child; rejects when it ends without one. */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const stop = new AbortController();
  const ended = once(child, 'exit', { signal: stop.signal }).then(([code, signal]) => {
    throw new Error(`the child ended (${code ?? signal}) without a message`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal: stop.signal }), ended]);
    return message;
  } finally {
    ended.catch(() => undefined);
    stop.abort();
  }
}

/** Kills it as a power cut would, and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
