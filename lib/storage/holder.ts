/** Who holds a lock file, and whether that process still runs. */
import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';

/** What a lock file says of its holder. */
export interface Holder {
  pid: number;
  /** Names one store of one process. */
  token: string;
  host: string;
  /** When the lock was taken, ISO 8601. */
  since: string;
  /** Where Linux tells: what makes the pid unmistakable. */
  linux?: LinuxIdentity;
}

interface LinuxIdentity {
  /** Changes with every start of the machine. */
  boot: string;
  /** Differs between containers; a pid means nothing in another one. */
  pidNamespace: string;
  /** When the process started, in clock ticks after the machine did. */
  startTicks: string;
}

/** `elsewhere`: in another container on this machine, where its pid cannot be looked up. */
export type Standing = 'running' | 'gone' | 'elsewhere';

/** The pid namespace of processes outside of any container. Source: include/linux/proc_ns.h, PROC_PID_INIT_INO. */
const OUTSIDE_CONTAINERS = 'pid:[4026531836]';

/** Two readings of the clock for the start of one process may differ by this, in ms. */
const CLOCK_SLACK_MS = 2_000;

export function thisProcess(token: string): Holder {
  const linux = linuxIdentity();
  const since = new Date().toISOString();
  return { pid: process.pid, token, host: os.hostname(), since, ...(linux && { linux }) };
}

/** Whether others cannot see by its pid that this process runs. */
export function isContained(holder: Holder): boolean {
  return holder.linux !== undefined && holder.linux.pidNamespace !== OUTSIDE_CONTAINERS;
}

/** Whether the holder is a store of this very process. */
export function isThisProcess(holder: Holder): boolean {
  const here = linuxIdentity();
  if (holder.pid !== process.pid) return false;
  if (!holder.linux || !here) return Date.parse(holder.since) >= Date.now() - process.uptime() * 1000 - CLOCK_SLACK_MS;
  return (
    holder.linux.boot === here.boot &&
    holder.linux.pidNamespace === here.pidNamespace &&
    holder.linux.startTicks === here.startTicks
  );
}

export function standingOf(holder: Holder): Standing {
  if (isThisProcess(holder)) return 'running';
  const here = linuxIdentity();
  if (!holder.linux || !here) {
    // An earlier process had the pid of this one.
    if (holder.pid === process.pid) return 'gone';
    // A pid given before the machine started names nobody now. Without a start time, one given after that is believed.
    const booted = Date.now() - os.uptime() * 1000;
    return Date.parse(holder.since) < booted - CLOCK_SLACK_MS || !exists(holder.pid) ? 'gone' : 'running';
  }
  if (holder.linux.boot !== here.boot) return 'gone';
  if (holder.linux.pidNamespace !== here.pidNamespace) return 'elsewhere';
  const startTicks = startTicksOf(holder.pid);
  // /proc may hide processes of other users (mount option hidepid).
  if (startTicks === undefined) return exists(holder.pid) ? 'running' : 'gone';
  return startTicks === holder.linux.startTicks ? 'running' : 'gone';
}

/** Reads what {@link thisProcess} wrote as JSON, or gives undefined for anything else. */
export function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, token, host, since, linux } = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    if (typeof token !== 'string' || typeof host !== 'string' || typeof since !== 'string') return undefined;
    return { pid, token, host, since, ...(isLinuxIdentity(linux) && { linux }) };
  } catch {
    return undefined;
  }
}

function isLinuxIdentity(value: unknown): value is LinuxIdentity {
  const { boot, pidNamespace, startTicks } = (value ?? {}) as Partial<Record<keyof LinuxIdentity, unknown>>;
  return typeof boot === 'string' && typeof pidNamespace === 'string' && typeof startTicks === 'string';
}

function linuxIdentity(): LinuxIdentity | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const pidNamespace = readlinkSync('/proc/self/ns/pid');
    const startTicks = startTicksOf(process.pid);
    return startTicks === undefined ? undefined : { boot, pidNamespace, startTicks };
  } catch {
    return undefined;
  }
}

/** Field 22 of /proc/<pid>/stat; undefined where there is no such process, or only its zombie. Source: proc(5). */
function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold blanks and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : fields[19];
  } catch {
    return undefined;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
