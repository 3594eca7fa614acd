import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMainJob } from './main-job';
import { type Message, type RunningNodeRed, startNodeRed } from './node-red';
import { readOptions, USAGE } from './options';
import { checkPython } from './python';
import { Report } from './report';
import { FLOW_FILE, prepareUserFolder } from './user-folder';

/** `--once` gives up after this time without the first anomalies. Unit: milliseconds. */
const ONCE_LIMIT_MS = 120_000;

/** Node-RED has so long to end. Unit: milliseconds. */
const STOP_LIMIT_MS = 700;

async function main(): Promise<void> {
  const { help, port, once, userDir } = readOptions(process.argv.slice(2));
  if (help) {
    console.log(USAGE);
    return;
  }
  const job = readMainJob();
  const isMainJob = prepareUserFolder(userDir, job.text);
  await checkPython(readFileSync(join(userDir, FLOW_FILE), 'utf8'));

  let starting: Promise<RunningNodeRed> | undefined;
  const end = ending(() => starting);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(0));
  // Whoever read what is printed has gone.
  process.stdout.on('error', () => end(0));

  const report = new Report(job, console.log, () => {
    if (once) end(0);
  });
  starting = startNodeRed(
    { userDir, port },
    {
      log: (entry) => report.log(entry),
      sent: (from, _to, msg) => {
        if (from === job.runId) report.result(msg.payload, runMsOf(msg));
      },
    },
  );
  report.introduce((await starting).url, isMainJob, userDir);
  if (once) setTimeout(giveUp, ONCE_LIMIT_MS, end);
}

/** How long the function took, which the run node writes on the message. */
function runMsOf(msg: Message): number | undefined {
  return (msg.funcx as { readonly timings?: { readonly runMs?: number } } | undefined)?.timings?.runMs;
}

function giveUp(end: (code: number) => void): void {
  console.error(`There were no three anomalies within ${ONCE_LIMIT_MS / 1000} s.`);
  end(1);
}

/** Ends Node-RED and then this process; asked a second time, this process at once. */
function ending(starting: () => Promise<RunningNodeRed> | undefined): (code: number) => void {
  let isEnding = false;
  return (code) => {
    if (isEnding) process.exit(code);
    isEnding = true;
    setTimeout(() => process.exit(code), STOP_LIMIT_MS);
    Promise.resolve(starting())
      .then((red) => red?.stop())
      .catch((error: unknown) => console.error(error))
      .finally(() => process.exit(code));
  };
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
