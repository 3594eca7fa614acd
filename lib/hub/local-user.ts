/** Who this process runs as. */
import os from 'node:os';

/** The user's name; his number where he has none, as in a container that is run as an arbitrary user. */
export function localUser(): string {
  try {
    return os.userInfo().username;
  } catch {
    return process.env.USER || `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
