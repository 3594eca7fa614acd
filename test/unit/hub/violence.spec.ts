/** Whatever happens to the workers, each task ends exactly once, and none begins twice. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { FunctionId, TaskId, TaskOutcome } from '../../../dist/lib/index.js';
import { endOf, Lab, MARK } from './fixture.js';

type Kind = 'fast' | 'slow' | 'print' | 'raise' | 'exit' | 'sysexit' | 'big' | 'bytes' | 'unserializable';

const SOURCE = `${MARK}
def work(begun, ended, i, kind):
    import os, sys, time
    mark(begun, "%d %d" % (i, os.getpid()))
    if kind == "exit":
        os._exit(1)
    if kind == "raise":
        raise ValueError(i)
    if kind == "sysexit":
        sys.exit(i)
    if kind == "slow":
        time.sleep(0.03)
    if kind == "print":
        print("x" * 3000, file=sys.stderr)
    result = {"big": "x" * 60_000, "bytes": [b"y" * 5000], "unserializable": lambda: i}.get(kind, i)
    mark(ended, i)
    return result
`;

/** How a task of a kind may end beside being lost or cancelled. */
const ENDS: Readonly<Record<Kind, string>> = {
  fast: 'success',
  slow: 'success',
  print: 'success',
  big: 'success',
  bytes: 'success',
  raise: 'REMOTE_EXCEPTION',
  sysexit: 'REMOTE_EXCEPTION',
  unserializable: 'RESULT_NOT_SERIALIZABLE',
  exit: 'WORKER_LOST',
};

const kind = fc.oneof(
  { weight: 20, arbitrary: fc.constant<Kind>('fast') },
  {
    weight: 10,
    arbitrary: fc.constantFrom<Kind>('slow', 'print', 'raise', 'sysexit', 'big', 'bytes', 'unserializable'),
  },
  { weight: 1, arbitrary: fc.constant<Kind>('exit') },
);

const plan = fc.record({
  kinds: fc.array(kind, { minLength: 20, maxLength: 120 }),
  workers: fc.integer({ min: 1, max: 3 }),
  restartAfter: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  /** After how many tasks that ended something is killed, or a task cancelled. */
  blows: fc.array(fc.tuple(fc.nat(100), fc.constantFrom('kill', 'cancel', 'options'), fc.nat(1000)), { maxLength: 8 }),
});

describe('tasks whose workers are killed at random', () => {
  let lab: Lab;
  let work: FunctionId;
  let run = 0;

  before(async () => {
    lab = await Lab.open();
    work = await lab.function(SOURCE, 'work');
  });
  after(() => lab.clean());

  it('end each exactly once, and begin at most once', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ kinds, workers, restartAfter, blows }) => {
        run++;
        const [begun, ended] = [`begun${run}`, `ended${run}`];
        await lab.openEndpoint({ workers, ...(restartAfter !== undefined && { restartAfter }) });
        const due = blows.map(([after]) => after);
        const { taskIds } = await lab.client.batchRun({
          functionId: work,
          calls: kinds.map((kind, i) => ({ args: [lab.path(begun), lab.path(ended), i, kind] })),
        });
        const told = new Map<TaskId, TaskOutcome>();
        const cancelled = new Set<TaskId>();
        let kills = 0;
        let changes = 0;

        const strike = async (place: number): Promise<void> => {
          const [, what, choice] = blows[place] ?? [];
          if (what === 'cancel') {
            const id = taskIds[(choice ?? 0) % taskIds.length] as TaskId;
            if (await lab.hub.cancel(id)) cancelled.add(id);
          } else if (what === 'options') {
            changes++;
            await lab.openEndpoint({ workers: 1 + ((choice ?? 0) % 3), idleShutdown: 100 + changes });
          } else {
            const pids = lab.tryMarks(begun).map((line) => Number(line.split(' ')[1]));
            const pid = pids.at(-1 - ((choice ?? 0) % 3));
            if (pid !== undefined && killIfThere(pid)) kills++;
          }
        };
        const strikes: Promise<void>[] = [];
        await Promise.all(
          taskIds.map(async (id) => {
            const outcome = await endOf(lab.client, id);
            assert.ok(!told.has(id), 'ended twice');
            told.set(id, outcome);
            for (const [place, after] of due.entries()) {
              if (told.size === after + 1) strikes.push(strike(place));
            }
          }),
        );
        await Promise.all(strikes);

        const beginnings = lab.tryMarks(begun).map((line) => Number(line.split(' ')[0]));
        assert.equal(new Set(beginnings).size, beginnings.length, 'a task began twice');
        const finished = new Set(lab.tryMarks(ended).map(Number));
        let lost = 0;
        for (const [i, id] of taskIds.entries()) {
          const outcome = told.get(id);
          const end = outcome?.status === 'success' ? 'success' : outcome?.error.code;
          const kind = kinds[i] as Kind;
          if (end === 'success') assert.ok(finished.has(i), `${i} has a result and never came to its end`);
          if (end === ENDS[kind]) {
            if (kind !== 'exit') assert.ok(beginnings.includes(i));
          } else if (end === 'TASK_CANCELLED') assert.ok(cancelled.has(id), `${i} was not cancelled`);
          else if (end === 'TASK_INTERRUPTED') assert.ok(changes > 0, `${i} was interrupted by nothing`);
          else if (end === 'WORKER_LOST') lost++;
          else assert.fail(`${i}, ${kind}, ended with ${end}`);
        }
        assert.ok(lost <= kills, `${lost} lost by ${kills} kills`);
      }),
      { numRuns: 15, endOnFailure: true },
    );
  }).timeout(60_000);
});

function killIfThere(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
