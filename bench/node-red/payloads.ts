/** What messages carry: made before the clock starts, and looked at after it has stopped. */
import { randomBytes } from 'node:crypto';

export type PayloadKind =
  /** A number, another one in each message. */
  | { readonly kind: 'number' }
  /** An array of numbers, others in each message. */
  | { readonly kind: 'numbers'; readonly length: number }
  | { readonly kind: 'bytes'; readonly size: number };

export interface Payload {
  readonly value: unknown;
  /** Whether it came back as it was. */
  isSame(other: unknown): boolean;
}

export function payload(of: PayloadKind, n: number): Payload {
  switch (of.kind) {
    case 'number':
      return { value: n, isSame: (other) => other === n };
    case 'numbers': {
      const first = n * of.length;
      return {
        value: Array.from({ length: of.length }, (_, index) => first + index),
        isSame: (other) =>
          Array.isArray(other) && other.length === of.length && other.every((item, index) => item === first + index),
      };
    }
    case 'bytes': {
      const bytes = randomBytes(of.size);
      return { value: bytes, isSame: (other) => Buffer.isBuffer(other) && other.equals(bytes) };
    }
  }
}
