import { SerializationError } from '../../compute/errors.js';
import type { OutOfBand } from '../../compute/service.js';
import type { BigIntegers } from '../big-integers.js';
import type { BufferCollector } from '../out-of-band.js';

/**
 * Two characters that begin a serialized text and name the strategy that wrote it.
 * Source: globus_compute_sdk 4.15, `serialize/concretes.py`; `02` is of funcX 0.0.x.
 */
export type Identifier = '00' | '01' | '02' | '03' | '04' | '10' | '11' | '12' | '13' | 'st' | 'sd';

/** What a `code` strategy writes and reads: Python source, and the name that it defines. */
export interface SourceCode {
  readonly name: string;
  readonly source: string;
}

export interface WriteOptions {
  /** Takes bytes to go beside the text. Without it JSON refuses them. */
  readonly buffers?: BufferCollector | undefined;
  /** What errors call the value. @default 'payload' */
  readonly root?: string | undefined;
}

export interface ReadOptions {
  /** Bytes that came beside the text. */
  readonly buffers?: OutOfBand | undefined;
  /** What becomes of integers beyond 2^53 - 1. @default 'bigint' */
  readonly integers?: BigIntegers | undefined;
}

/** One way of turning a value into text and back, in step with the SDK's strategy of the same identifier. */
export interface Strategy {
  readonly identifier: Identifier;
  /** The SDK's class, as `result_serializers` of a submission names it. */
  readonly importPath: string;
  /** `code`: of a function, a {@link SourceCode} here. `data`: of arguments and results. */
  readonly kind: 'data' | 'code';
  /** @throws SerializationError `NOT_SERIALIZABLE`, always where a strategy can only be read */
  write(value: unknown, options: WriteOptions): string;
  /** @throws SerializationError `NOT_DESERIALIZABLE`, always where a strategy needs Python itself */
  read(body: string, options: ReadOptions): unknown;
}

export function importPathOf(className: string): string {
  return `globus_compute_sdk.serialize.${className}`;
}

/** A strategy that the SDK writes and that there is no reason to write from JavaScript. */
export function notWritten(identifier: Identifier, instead: Identifier): never {
  throw new SerializationError(
    'NOT_SERIALIZABLE',
    `Strategy ${identifier} can only be read here. Write with strategy ${instead}, which every endpoint since 3.3 reads.`,
  );
}
