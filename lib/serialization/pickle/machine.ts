import type { BigIntegers } from '../big-integers.js';
import { ByteSource } from './byte-source.js';
import { Memo } from './memo.js';
import { Stack } from './stack.js';

/** Bounds of one pickle. What is beyond is refused before memory or time runs out. */
export interface PickleLimits {
  /** Length of the pickle, in bytes. @default 268435456 (256 MiB) */
  readonly bytes: number;
  /** Containers that are being filled at one time. @default 10000 */
  readonly depth: number;
  /** Objects that the pickle may refer back to. @default 10000000 */
  readonly memo: number;
  /** Opcodes. @default 10000000 */
  readonly operations: number;
}

/**
 * A pickle is a program for a machine with a stack and a memo. This is the state of that machine; the opcodes are in
 * `operations/`.
 */
export class PickleMachine {
  readonly source: ByteSource;
  readonly stack: Stack;
  readonly memo: Memo;
  readonly integers: BigIntegers;

  constructor(bytes: Buffer, integers: BigIntegers, limits: PickleLimits) {
    this.source = new ByteSource(bytes);
    this.stack = new Stack(this.source, limits.depth);
    this.memo = new Memo(this.source, limits.memo);
    this.integers = integers;
  }
}

/** What one opcode does to the machine. */
export type Operation = (machine: PickleMachine) => void;

/** Operations by opcode. */
export type OperationTable = Readonly<Record<number, Operation>>;
