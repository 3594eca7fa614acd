/**
 * The recorder files of one hub. They have names in a folder in memory, so that they outlive a process that is killed: the
 * next one reads there which tasks had been sent to workers, and which of those had begun. With the machine they are gone,
 * as they must be: what a disk has of a mapped file after a power cut says nothing of what had begun.
 */
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TaskId } from '../../compute/ids.js';
import { parseHolder, type Standing, type Store, standingOf, thisProcess } from '../../storage/index.js';
import { Recording } from './recording.js';

/** Files of a hub that does not open again are removed by any other after this long. Unit: milliseconds. */
const FORGOTTEN_MS = 7 * 24 * 3600 * 1000;

const NAME = /^funcx-[0-9a-f]{32}-[0-9a-f]{16}$/;

/** What the workers of an earlier process had been sent, as far as it is known. */
export interface LeftOver {
  /** Tasks that had begun. */
  readonly begun: ReadonlySet<TaskId>;
  /** Tasks that had not begun, and will not where they had been sent. */
  readonly notBegun: ReadonlySet<TaskId>;
  /** Where that was read. */
  readonly files: readonly string[];
}

export const NOTHING_LEFT: LeftOver = { begun: new Set(), notBegun: new Set(), files: [] };

export class Recordings {
  readonly #store: Pick<Store, 'committed'>;
  readonly #folder: string;
  readonly #prefix: string;
  readonly #owner: string;

  /**
   * @param hubId what the hub's file says of itself: in another container the same path is another file
   * @param store where the hub keeps its tasks; at another path it is a copy, of another hub
   * @param folder empty: no file outlives the process. @default one in memory, where the system has it
   */
  constructor(hubId: string, store: Pick<Store, 'file' | 'committed'>, folder = memoryFolder()) {
    this.#store = store;
    const key = createHash('sha256').update(`${hubId}\n${store.file}`).digest('hex').slice(0, 32);
    this.#folder = folder;
    this.#prefix = `funcx-${key}-`;
    this.#owner = JSON.stringify({ ...thisProcess(hubId), host: '' });
  }

  /** Makes one for a worker. Once nobody needs it any more it is to be forgotten, by the function given with it. */
  create(): { recording: Recording; forget: () => void } {
    const file =
      this.#folder === '' ? undefined : path.join(this.#folder, this.#prefix + randomBytes(8).toString('hex'));
    const fd = file === undefined ? anonymousFile('w+') : fs.openSync(file, 'wx+', 0o600);
    const forget = () => {
      if (file !== undefined) tryRemove(file);
      fs.closeSync(fd);
    };
    try {
      return { recording: Recording.fill(fd, this.#owner), forget };
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Resolves when the hub has on disk what it knows now; rejects when it cannot have that. */
  durable(): Promise<void> {
    return this.#store.committed();
  }

  /** Paths of this hub's files, those of earlier processes included. */
  files(): string[] {
    return this.#all().filter((file) => path.basename(file).startsWith(this.#prefix));
  }

  /**
   * Reads what a process of this hub that was killed has left, and keeps workers that have survived it from beginning
   * anything more. To be called by who has the hub's lock. Removes what other hubs have left long ago.
   */
  leftOver(): LeftOver {
    this.#removeForgotten();
    const begun = new Set<TaskId>();
    const notBegun = new Set<TaskId>();
    const files = this.files().filter((file) =>
      lookInto(file, (recording) => {
        if (standingOfOwner(recording) !== 'gone') return false;
        const next = recording.stop(0);
        for (const { id, seq, takenBack } of recording.sent.read()) {
          (takenBack || seq >= next ? notBegun : begun).add(id);
        }
        return true;
      }),
    );
    // One was to be sent what was taken back from another, and has begun it already.
    for (const id of begun) notBegun.delete(id);
    return { begun, notBegun, files };
  }

  /** Removes what was read, once the hub has on disk what follows from it. */
  remove({ files }: LeftOver): void {
    for (const file of files) tryRemove(file);
  }

  #all(): string[] {
    if (this.#folder === '') return [];
    return fs
      .readdirSync(this.#folder)
      .filter((name) => NAME.test(name))
      .map((name) => path.join(this.#folder, name));
  }

  /** One of another version, or that was left half written, cannot be read. */
  #removeForgotten(): void {
    for (const file of this.#all()) {
      const touched = fs.lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
      if (Date.now() - touched < FORGOTTEN_MS) continue;
      if (!lookInto(file, (recording) => standingOfOwner(recording) === 'running')) tryRemove(file);
    }
  }
}

/** An open file without a name: it is gone with its last user, however that ends. */
export function anonymousFile(flags: string): number {
  const file = path.join(memoryFolder() || os.tmpdir(), `funcx-${process.pid}-${randomBytes(8).toString('hex')}`);
  const fd = fs.openSync(file, flags, 0o600);
  fs.unlinkSync(file);
  return fd;
}

/** Nothing of a worker's life is worth the wear of an SD card. Empty where the system has none. */
function memoryFolder(): string {
  try {
    fs.accessSync('/dev/shm', fs.constants.W_OK | fs.constants.X_OK);
    return '/dev/shm';
  } catch {
    return '';
  }
}

/** False also where the file is gone, of another user, of another version, or half written. */
function lookInto(file: string, look: (recording: Recording) => boolean): boolean {
  let fd: number;
  try {
    fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW);
  } catch {
    return false;
  }
  try {
    const recording = Recording.of(fd);
    return recording !== undefined && look(recording);
  } catch {
    return false;
  } finally {
    fs.closeSync(fd);
  }
}

/** Undefined where it does not say whose it is. */
function standingOfOwner({ owner }: Recording): Standing | undefined {
  const holder = parseHolder(owner);
  return holder && standingOf(holder);
}

function tryRemove(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    // Of another user, or held by the system: it is tried again by the next hub.
  }
}
