/** What is left in memory of the workers of a process that was killed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { newIds } from '../../../dist/lib/compute/ids.js';
import { Recorder } from '../../../dist/lib/hub/workers/recorder.js';
import { type LeftOver, Recordings } from '../../../dist/lib/hub/workers/recordings.js';
import type { TaskId } from '../../../dist/lib/index.js';
import type { RecordingOrders } from './recording-child.js';

const HUB = '7c1b6c4c-7d1b-4e0f-8f5e-2d6f0e4f9a11';
const FILE = '/somewhere/hub.db';
const EIGHT_DAYS_S = 8 * 24 * 3600;

/** Where the range that must not begin lies, and how the last ends. Source: `recorder.py`. */
const STOP_AT = 24;

describe('the recordings of a hub', () => {
  let folder: string;
  /** Of the hub's store. */
  let committed: () => Promise<void>;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'funcx-recordings-'));
    committed = async () => {};
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (id = HUB, file = FILE) => new Recordings(id, { file, committed }, folder);

  /** Another process records this and is killed. */
  function leave(orders: Omit<RecordingOrders, 'folder' | 'hub' | 'file'> & Partial<RecordingOrders>): void {
    const whole: RecordingOrders = { folder, hub: HUB, file: FILE, ...orders };
    const program = ['--require', 'tsx/cjs', path.join(__dirname, 'recording-child.ts')];
    const { signal, stderr } = spawnSync(process.execPath, program, { encoding: 'utf8', input: JSON.stringify(whole) });
    assert.equal(signal, 'SIGKILL', stderr);
  }

  const said = ({ begun, notBegun }: LeftOver) => [[...begun].sort(), [...notBegun].sort()];
  const sorted = (ids: readonly TaskId[]) => [...ids].sort();

  it('tell which tasks had begun and which had not, for all workers together', () => {
    const [one, other] = [newIds<TaskId>(5), newIds<TaskId>(4)];
    leave({
      workers: [
        { sent: [one.slice(0, 2), one.slice(2)], begun: 3 },
        { sent: [other], begun: 0 },
      ],
    });
    const left = open().leftOver();
    assert.deepEqual(said(left), [sorted(one.slice(0, 3)), sorted([...one.slice(3), ...other])]);
    assert.equal(left.files.length, 2);
  });

  it('say of what was taken back that it has not begun, until the next worker has it', () => {
    const ids = newIds<TaskId>(6);
    // The worker has gone past them, without beginning them.
    leave({ workers: [{ sent: [ids], takenBack: [2, 3, 4, 5], begun: 6 }] });
    assert.deepEqual(said(open().leftOver()), [sorted(ids.slice(0, 2)), sorted(ids.slice(2))]);
    leave({ workers: [{ sent: [ids.slice(3, 4)], begun: 1 }] });
    assert.deepEqual(said(open().leftOver()), [
      sorted([...ids.slice(0, 2), ...ids.slice(3, 4)]),
      sorted([...ids.slice(2, 3), ...ids.slice(4)]),
    ]);
  });

  it('say nothing of what has moved on to another worker', () => {
    const ids = newIds<TaskId>(3);
    leave({ workers: [{ sent: [ids], takenBack: [1, 2], movedOn: [2], begun: 3 }] });
    assert.deepEqual(said(open().leftOver()), [[ids[0]], [ids[1]]]);
  });

  it('do not take a later task for an earlier one that was at its place', () => {
    const ids = newIds<TaskId>(9000);
    leave({ workers: [{ sent: [ids], begun: 8990, takenBack: [5], movedOn: [6] }] });
    assert.deepEqual(sorted([...open().leftOver().notBegun]), sorted(ids.slice(8990)));
  });

  it('know all tasks that were sent since the hub had that on disk, and take no more than they can know', async () => {
    let commit: () => void = () => {};
    committed = () =>
      new Promise((resolve) => {
        commit = resolve;
      });
    const recorder = new Recorder(open());
    const { room } = recorder;
    let sent = 0;
    const send = (count: number) => {
      recorder.sends(sent, newIds<TaskId>(count));
      sent += count;
    };
    for (let left = room; left > 0; left = recorder.room) send(Math.min(512, left));
    assert.equal(sent, room);
    commit();
    await new Promise(setImmediate);
    // A call of it speaks for what was sent before.
    assert.ok(recorder.room > 0 && recorder.room < room, `${recorder.room}`);
    recorder.close();
    commit();
  });

  it('do not hold back tasks while the disk fails', async () => {
    committed = () => Promise.reject(new Error('full'));
    const recorder = new Recorder(open());
    for (let sent = 0; sent < 100_000; sent += 500) {
      assert.ok(recorder.room >= 500);
      recorder.sends(sent, newIds<TaskId>(500));
      await new Promise(setImmediate);
    }
    recorder.close();
  });

  it('know the last of many tasks', () => {
    const parts = Array.from({ length: 60 }, () => newIds<TaskId>(500));
    const ids = parts.flat();
    leave({ workers: [{ sent: parts, begun: 29_600 }] });
    const { begun, notBegun } = open().leftOver();
    assert.deepEqual(sorted([...notBegun]), sorted(ids.slice(29_600)));
    assert.ok(begun.size >= 4096, `${begun.size}`);
    assert.deepEqual(sorted([...begun]), sorted(ids.slice(29_600 - begun.size, 29_600)));
  });

  it('say the same until they are removed, and keep a worker that has survived from beginning any', () => {
    const ids = newIds<TaskId>(3);
    leave({ workers: [{ sent: [ids], begun: 1 }] });
    const [file = ''] = open().files();
    assert.equal(readFileSync(file).readUInt32LE(STOP_AT + 8), 0);
    const first = open().leftOver();
    const content = readFileSync(file);
    assert.deepEqual([content.readUInt32LE(STOP_AT), content.readUInt32LE(STOP_AT + 8)], [0, 2 ** 32 - 1]);
    const again = open().leftOver();
    assert.deepEqual(again, first);
    open().remove(again);
    assert.deepEqual(readdirSync(folder), []);
    assert.deepEqual(said(open().leftOver()), [[], []]);
  });

  it('are those of this hub: another one, and a copy at another place, have their own', () => {
    leave({ workers: [{ sent: [newIds<TaskId>(1)], begun: 0 }] });
    for (const other of [open(newIds<TaskId>(1)[0]), open(HUB, '/elsewhere/hub.db')]) {
      assert.deepEqual(other.leftOver().files, []);
    }
    assert.equal(open().leftOver().files.length, 1);
  });

  it('are left alone while their process runs, and gone when it has closed them', async () => {
    const recordings = open();
    const recorder = new Recorder(recordings);
    recorder.sends(0, newIds<TaskId>(2));
    const [file = ''] = recordings.files();
    utimesSync(file, 0, 0);
    assert.deepEqual(open().leftOver().files, []);
    open(newIds<TaskId>(1)[0]).leftOver();
    assert.ok(existsSync(file));
    recorder.close();
    await new Promise(setImmediate);
    assert.ok(!existsSync(file));
  });

  it('stay until the hub has on disk what the end of a worker has led to', async () => {
    let commit: () => void = () => {};
    committed = () =>
      new Promise((resolve) => {
        commit = resolve;
      });
    const recordings = open();
    const recorder = new Recorder(recordings);
    recorder.sends(0, newIds<TaskId>(2));
    recorder.close();
    await new Promise(setImmediate);
    assert.equal(recordings.files().length, 1);
    recorder.movedOn(0);
    commit();
    await new Promise(setImmediate);
    assert.deepEqual(recordings.files(), []);
    recorder.movedOn(1);
  });

  it('are removed after a week by any hub, whole or not, if theirs does not open again', () => {
    const stranger = open(newIds<TaskId>(1)[0]);
    leave({
      workers: [
        { sent: [newIds<TaskId>(1)], begun: 0 },
        { sent: [], begun: 0 },
      ],
    });
    const files = open().files();
    truncateSync(files[1] as string, 100);
    stranger.leftOver();
    assert.deepEqual(open().files(), files);
    const longAgo = Date.now() / 1000 - EIGHT_DAYS_S;
    for (const file of files) utimesSync(file, longAgo, longAgo);
    stranger.leftOver();
    assert.deepEqual(open().files(), []);
  });

  it('leave nothing behind where no folder is in memory', () => {
    const recordings = new Recordings(HUB, { file: FILE, committed }, '');
    const recorder = new Recorder(recordings);
    recorder.sends(0, newIds<TaskId>(2));
    assert.equal(recorder.next(), 0);
    assert.deepEqual(recordings.files(), []);
    assert.deepEqual(said(recordings.leftOver()), [[], []]);
    recorder.close();
  });
});
