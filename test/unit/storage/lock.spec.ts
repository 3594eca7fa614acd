import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type Holder, parseHolder, thisProcess } from '../../../dist/lib/storage/holder.js';
import { acquireLock, lockPath } from '../../../dist/lib/storage/lock.js';
import { kill, nextMessage, startChild } from './child.js';
import { drivers, Scratch } from './scratch.js';

describe('the lock of a store', () => {
  let scratch: Scratch;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map(kill));
    await scratch.clean();
  });

  function start(...args: Parameters<typeof startChild>): ChildProcess {
    const child = startChild(...args);
    children.push(child);
    return child;
  }

  /** A lock file as another holder would have left it. */
  function leaveLock(holder: Partial<Holder>): void {
    writeFileSync(lockPath(scratch.file), JSON.stringify({ ...thisProcess('left behind'), ...holder }));
  }

  async function deadPid(): Promise<number> {
    const child = start('racing-child', [scratch.file]);
    const { pid = 0 } = child;
    await kill(child);
    return pid;
  }

  it('keeps a second process out, naming the first and what to do', async () => {
    const child = start('holding-child', [scratch.file]);
    assert.match(JSON.stringify(await nextMessage(child)), /"opened":true/);
    await assert.rejects(scratch.open(), (error: { code: string; pid: number; message: string }) => {
      assert.equal(error.code, 'STORE_LOCKED');
      assert.equal(error.pid, child.pid);
      assert.match(error.message, new RegExp(`test\\.db is in use by process ${child.pid} .* Stop that process, or`));
      assert.match(error.message, /If it no longer runs, delete .*test\.db\.pid/);
      return true;
    });
  });

  it('is given back when the store closes', async () => {
    const child = start('holding-child', [scratch.file]);
    await nextMessage(child);
    const gone = once(child, 'exit');
    child.send('close');
    await gone;
    assert.deepEqual(readdirSync(scratch.directory), ['test.db']);
    await scratch.open();
  });

  it('is given back when the store cannot be opened', async () => {
    await assert.rejects(scratch.open({ migrations: ['CREATE NONSENSE'] }), { code: 'STORE_FAILED' });
    assert.ok(!existsSync(lockPath(scratch.file)));
    await scratch.open();
  });

  it('keeps a second store of the same process out, also by another path', async () => {
    const other = path.join(scratch.directory, 'other.db');
    await scratch.open();
    symlinkSync(scratch.file, other);
    for (const file of [scratch.file, other]) {
      await assert.rejects(scratch.open({ file }), { code: 'STORE_LOCKED', message: /already open in this process/ });
    }
  });

  for (const driver of drivers) {
    it(`is taken over from a killed process, with what ${driver} left behind`, async () => {
      const child = start('writing-child', [scratch.file, driver]);
      await nextMessage(child);
      await kill(child);
      assert.ok(existsSync(lockPath(scratch.file)));
      assert.equal(existsSync(`${scratch.file}.lock`), driver === 'wasm');
      await scratch.open({ migrations: ['', ''], driver });
      const holder = parseHolder(readFileSync(lockPath(scratch.file), 'utf8'));
      assert.equal(holder?.pid, process.pid);
    });
  }

  it('is taken over when its pid is another program now', async () => {
    const { linux } = thisProcess('');
    if (linux) leaveLock({ pid: process.ppid, linux: { ...linux, startTicks: '1' } });
    else leaveLock({ pid: process.ppid, since: new Date(0).toISOString() });
    await scratch.open();
  });

  it('is taken over from an earlier process that had the pid of this one, as in a container started again', async () => {
    const { linux } = thisProcess('');
    if (linux) leaveLock({ linux: { ...linux, startTicks: '1' } });
    else leaveLock({ since: new Date(0).toISOString() });
    await scratch.open();
  });

  it('is taken over from before the machine was started, whoever has the pid now', async () => {
    const { linux } = thisProcess('');
    if (linux) leaveLock({ linux: { ...linux, boot: 'an earlier one' } });
    else leaveLock({ pid: process.ppid, since: new Date(0).toISOString() });
    await scratch.open();
  });

  it('is judged by the pid alone where its holder had no start time to give', async () => {
    const { linux: _, ...holder } = thisProcess('left behind');
    writeFileSync(lockPath(scratch.file), JSON.stringify({ ...holder, pid: process.ppid }));
    await assert.rejects(scratch.open(), { code: 'STORE_LOCKED', pid: process.ppid });
    writeFileSync(lockPath(scratch.file), JSON.stringify({ ...holder, pid: await deadPid() }));
    await scratch.open();
  });

  it('waits for nobody when it is half written and old, and is respected while it may be being written', async () => {
    writeFileSync(lockPath(scratch.file), '{"pid":');
    await assert.rejects(scratch.open(), { code: 'STORE_LOCKED', message: /being opened by another process/ });
    utimesSync(lockPath(scratch.file), new Date(0), new Date(0));
    await scratch.open();
  });

  it('is taken over although an earlier taker died in the act', async () => {
    const pid = await deadPid();
    leaveLock({ pid });
    writeFileSync(`${lockPath(scratch.file)}.next`, JSON.stringify({ ...thisProcess('taker'), pid }));
    await scratch.open();
    assert.ok(!existsSync(`${lockPath(scratch.file)}.next`));
  });

  it('leaves a directory alone that is not the one node-sqlite3-wasm makes', async () => {
    mkdirSync(`${scratch.file}.lock/of-mine`, { recursive: true });
    await assert.rejects(scratch.open(), { code: 'STORE_FAILED', message: /ENOTEMPTY/ });
    assert.ok(existsSync(`${scratch.file}.lock/of-mine`));
    rmSync(`${scratch.file}.lock`, { recursive: true });
    await scratch.open();
  });

  it('has one taker, however many find it stale at the same moment', async () => {
    const pid = await deadPid();
    const racers = Array.from({ length: 4 }, () => start('racing-child', [scratch.file]));
    await Promise.all(racers.map(nextMessage));
    for (let round = 0; round < 50; round++) {
      leaveLock({ pid });
      const answers = racers.map(nextMessage);
      for (const racer of racers) racer.send('take');
      const taken = (await Promise.all(answers)).sort();
      assert.deepEqual(taken, ['STORE_LOCKED', 'STORE_LOCKED', 'STORE_LOCKED', 'taken'], `round ${round}`);
      const released = racers.map(nextMessage);
      for (const racer of racers) racer.send('release');
      await Promise.all(released);
      assert.deepEqual(readdirSync(scratch.directory), [], `round ${round}`);
    }
  }).timeout(20_000);

  describe('held in another container', () => {
    const container = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

    before(function () {
      try {
        execFileSync(container[0] ?? '', [...container.slice(1), 'true'], { stdio: 'ignore' });
      } catch {
        this.skip();
      }
    });

    it('is seen to be held by its heartbeat', async () => {
      const child = start('holding-child', [scratch.file], { wrapper: container });
      await nextMessage(child);
      const held = parseHolder(readFileSync(lockPath(scratch.file), 'utf8'));
      await assert.rejects(acquireLock(scratch.file, 'mine'), { code: 'STORE_LOCKED', pid: held?.pid });
    }).timeout(20_000);

    it('is taken over once it has been silent', async () => {
      const child = start('holding-child', [scratch.file], { wrapper: container });
      await nextMessage(child);
      await kill(child);
      utimesSync(lockPath(scratch.file), new Date(), new Date(Date.now() - 60_000));
      await scratch.open();
    }).timeout(20_000);
  });
});
