/** Results kept for a time, by what was called with which arguments; equal calls at the same time share one task. */
import { createHash } from 'node:crypto';
import type { TaskStatus } from '../compute/service.js';
import type { EntryCall } from './entry.js';

/** Most results kept, and the characters of all of them; the oldest go first. */
const MAX_RESULTS = 10_000;
const MAX_CHARS = 64 * 1024 * 1024;

/** Calls longer than this are kept by their hash. Unit: characters. */
const PLAIN_KEY_CHARS = 200;

/** Equal calls of which one is under way. */
interface Shared {
  readonly key: string;
  readonly leader: EntryCall;
  readonly followers: Set<EntryCall>;
}

interface Kept {
  readonly status: TaskStatus;
  /** Unix milliseconds. */
  readonly at: number;
}

export class Memo {
  readonly #kept = new Map<string, Kept>();
  readonly #underWay = new Map<string, Shared>();
  /** What each leader and follower is part of. */
  readonly #sharing = new Map<EntryCall, Shared>();
  #chars = 0;

  /** A result that is young enough for the call. */
  find(call: EntryCall): TaskStatus | undefined {
    const key = keyOf(call);
    const kept = key === undefined ? undefined : this.#kept.get(key);
    if (kept === undefined || Date.now() - kept.at > (call.entry.options.memoMs ?? 0)) return undefined;
    return kept.status;
  }

  /** Joins a call to an equal one that is under way. False: there is none, and this one is now. */
  join(call: EntryCall): boolean {
    const key = keyOf(call);
    if (key === undefined) return false;
    const shared = this.#underWay.get(key) ?? { key, leader: call, followers: new Set() };
    this.#underWay.set(key, shared);
    this.#sharing.set(call, shared);
    if (shared.leader === call) return false;
    shared.followers.add(call);
    return true;
  }

  /** A call has ended, or is given up (no status). Gives those that wait for its result. */
  ended(call: EntryCall, status: TaskStatus | undefined): Iterable<EntryCall> {
    const shared = this.#sharing.get(call);
    if (shared === undefined) return [];
    const { key, leader, followers } = shared;
    this.#sharing.delete(call);
    followers.delete(call);
    if (leader !== call) return [];
    this.#underWay.delete(key);
    for (const follower of followers) this.#sharing.delete(follower);
    if (status?.result !== undefined && status.result_buffers === undefined) this.#keep(key, status);
    return followers;
  }

  #keep(key: string, status: TaskStatus): void {
    const old = this.#kept.get(key);
    if (old !== undefined) this.#drop(key, old);
    this.#kept.set(key, { status, at: Date.now() });
    this.#chars += charsOf(status);
    for (const [oldest, kept] of this.#kept) {
      if (this.#kept.size <= MAX_RESULTS && this.#chars <= MAX_CHARS) break;
      this.#drop(oldest, kept);
    }
  }

  #drop(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#chars -= charsOf(kept.status);
  }
}

function charsOf(status: TaskStatus): number {
  return (status.result?.length ?? 0) + 200;
}

/** Undefined for calls with bytes beside the text, which are not kept. */
function keyOf({ functionId, endpointId, packed }: EntryCall): string | undefined {
  if (typeof packed !== 'string') return undefined;
  const args = packed.length <= PLAIN_KEY_CHARS ? packed : createHash('sha256').update(packed).digest('base64');
  return `${functionId} ${endpointId} ${args}`;
}
