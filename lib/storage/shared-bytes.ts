/** Bytes that both threads see, so that large ones are copied once on their way to the disk. */

/** Below this, what it takes to share them costs more than to copy them once more. Unit: bytes. */
const SHARED_MIN = 64 * 1024;

/**
 * Puts parts together. The store takes the result as it is, without a copy of its own: it must not be changed.
 */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
  if (size < SHARED_MIN) return Buffer.concat(parts, size);
  const whole = new Uint8Array(new SharedArrayBuffer(size));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

export function isShared(bytes: Uint8Array): boolean {
  return bytes.buffer instanceof SharedArrayBuffer;
}
