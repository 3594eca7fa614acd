import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { serveChild } from '../../stand-in/over-ipc.js';
import { Random } from '../../stand-in/random.js';
import { StandIn } from '../../stand-in/service.js';
import { Scratch } from '../storage/scratch.js';

/** Set FUNCX_TEST_SEED and FUNCX_TEST_ROUNDS for other runs, and longer ones. */
const SEED = Number(process.env.FUNCX_TEST_SEED ?? 1);
const ROUNDS = Number(process.env.FUNCX_TEST_ROUNDS ?? 12);
const MESSAGES_A_ROUND = 60;

describe('the ledger of a process that is killed again and again', () => {
  let scratch: Scratch;
  let standIn: StandIn;
  let random: Random;
  let journal: string;

  before(async function () {
    this.timeout(ROUNDS * 10_000);
    scratch = new Scratch();
    random = new Random(SEED);
    standIn = new StandIn({
      seed: SEED,
      faults: {
        slow: 0.3,
        shuffled: true,
        hasty: 0.2,
        repeats: 0.2,
        losesReplies: 0.03,
        statusUnreachable: 0.1,
        forgetsAcknowledged: true,
        silentOnUnknown: true,
      },
    });
    journal = path.join(scratch.directory, 'journal');
    for (let round = 0; round < ROUNDS; round++) await killedInTheMidst();
    const last = start(1, 0);
    const [code] = await once(last, 'exit');
    assert.equal(code, 0);
  });
  after(() => scratch.clean());

  function start(first: number, last: number): ChildProcess {
    const program = path.join(__dirname, 'working-child.ts');
    const args = [scratch.file, journal, first, last, random.below(2 ** 31)].map(String);
    const child = spawn(process.execPath, ['--require', 'tsx/cjs', program, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    serveChild(standIn, child);
    return child;
  }

  /** Counts what the process says to the service, and kills it after so much of that. */
  async function killedInTheMidst(): Promise<void> {
    const first = Math.max(0, ...lines('hand-in').map(([message]) => Number(message))) + 1;
    const child = start(first, first + MESSAGES_A_ROUND - 1);
    let left = 1 + random.below(120);
    child.on('message', () => {
      left -= 1;
      if (left === 0) child.kill('SIGKILL');
    });
    const [, signal] = await once(child, 'exit');
    assert.ok(signal === 'SIGKILL' || signal === null);
  }

  function lines(kind: string): string[][] {
    if (!existsSync(journal)) return [];
    return readFileSync(journal, 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([first]) => first === kind)
      .map(([, ...rest]) => rest);
  }

  /** How each call was sent on, in order. */
  function sent(): Map<string, string[]> {
    const all = new Map<string, string[]>();
    for (const [message, index, how = ''] of lines('sent')) {
      const call = `${message} ${index}`;
      all.set(call, [...(all.get(call) ?? []), how]);
    }
    return all;
  }

  it('loses nothing that was accepted', () => {
    const calls = new Map(lines('hand-in').map(([message, count]) => [message, Number(count)]));
    const accepted = lines('accepted');
    assert.ok(accepted.length > ROUNDS, `only ${accepted.length} messages were accepted: nothing was tried`);
    const all = sent();
    const lost: string[] = [];
    for (const [message] of accepted) {
      for (let index = 0; index < (calls.get(message) ?? 0); index++) {
        if (!all.has(`${message} ${index}`)) lost.push(`${message} ${index}`);
      }
    }
    assert.deepEqual(lost, []);
  });

  it('marks everything that is sent on again', () => {
    const unmarked = [...sent()].filter(([, how]) => how.slice(1).includes('once'));
    assert.deepEqual(unmarked, []);
  });

  it('marks little of what is sent on for the first time', () => {
    const all = [...sent().values()];
    const unmarked = all.filter(([first]) => first === 'once');
    assert.ok(unmarked.length > all.length / 2, `${unmarked.length} of ${all.length}`);
  });

  it('is empty at the end', async () => {
    const store = await scratch.open({ migrations: [] });
    assert.deepEqual(await store.all('SELECT * FROM ledger'), []);
    assert.deepEqual(await store.all('SELECT closed FROM ledger_clients'), [{ closed: 1 }]);
  });
});
