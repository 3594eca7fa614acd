/**
 * The parent's side of a recorder's file: the part that the worker maps, whose layout is described in `recorder.py`, and
 * behind it what only the hub has to do with.
 */
import fs from 'node:fs';
import { RING_BYTES, SentRing } from './sent-ring.js';

const HEADER_BYTES = 64;
const GATHERED_BYTES = 48 * 1024;
const OFFSET = { begun: 0, since: 8, gathered: 16, stop: 24, ended: 40, writes: 48 } as const;

const RING_AT = HEADER_BYTES + GATHERED_BYTES;

/** Whose it is, as text that is filled up with zeros. */
const OWNER_AT = RING_AT + RING_BYTES;
const OWNER_BYTES = 1024;

const FILE_BYTES = OWNER_AT + OWNER_BYTES;

/** Higher than any sequence number. */
const ALL = 2 ** 32 - 1;

/** The first words of the file. */
export interface Header {
  /** Sequence number of the first task that has not begun. */
  readonly begun: number;
  /** When the one before it began. Unix seconds. */
  readonly since: number;
  /** Bytes of finished records. */
  readonly gathered: number;
  /** Sequence number after that of the task that ended last. */
  readonly ended: number;
  readonly writes: number;
}

export class Recording {
  readonly fd: number;
  /** The last tasks that the worker was sent. */
  readonly sent: SentRing;
  readonly #header = Buffer.alloc(HEADER_BYTES);

  private constructor(fd: number) {
    this.fd = fd;
    this.sent = new SentRing(fd, RING_AT);
  }

  /** Fills an empty file. It is written, not only sized: a hole in a mapped file on a full disk would kill the worker. */
  static fill(fd: number, owner: string): Recording {
    const content = Buffer.alloc(FILE_BYTES);
    content.write(owner, OWNER_AT, OWNER_BYTES, 'utf8');
    fs.writeSync(fd, content);
    return new Recording(fd);
  }

  /** One that another process has left; undefined where the file is no such thing, or of another version. */
  static of(fd: number): Recording | undefined {
    const stats = fs.fstatSync(fd);
    // Everybody may make files in a folder in memory.
    const isOwn = process.getuid === undefined || stats.uid === process.getuid();
    return isOwn && stats.isFile() && stats.size === FILE_BYTES ? new Recording(fd) : undefined;
  }

  get owner(): string {
    const text = Buffer.alloc(OWNER_BYTES);
    fs.readSync(this.fd, text, 0, OWNER_BYTES, OWNER_AT);
    const end = text.indexOf(0);
    return text.toString('utf8', 0, end === -1 ? OWNER_BYTES : end);
  }

  get header(): Header {
    const words = this.#header;
    fs.readSync(this.fd, words, 0, HEADER_BYTES, 0);
    return {
      begun: words.readUInt32LE(OFFSET.begun),
      since: words.readDoubleLE(OFFSET.since),
      gathered: words.readUInt32LE(OFFSET.gathered),
      ended: words.readUInt32LE(OFFSET.ended),
      writes: words.readUInt32LE(OFFSET.writes),
    };
  }

  gathered(bytes: number): Buffer {
    const data = Buffer.alloc(bytes);
    fs.readSync(this.fd, data, 0, bytes, HEADER_BYTES);
    return data;
  }

  /**
   * Tells the worker not to begin tasks from one sequence number up to another. Gives that of the first that has not
   * begun, which then neither has begun, nor will any after it up to `to`.
   */
  stop(from: number, to = ALL): number {
    const range = Buffer.alloc(16);
    range.writeUInt32LE(from, 0);
    range.writeUInt32LE(to, 8);
    fs.writeSync(this.fd, range, 0, 16, OFFSET.stop);
    return this.header.begun;
  }
}
