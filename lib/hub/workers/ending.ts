/** How a task ended, in the service's words. */
import { MAX_RESULT_CHARS } from '../../compute/limits.js';
import type { OutOfBand, TaskDetails } from '../../compute/service.js';
import { RecordKind, type WorkerRecord } from './frames.js';

export interface TaskEnding {
  readonly status: 'success' | 'failed';
  readonly result?: string | undefined;
  readonly resultBytes?: OutOfBand | undefined;
  readonly exception?: string | undefined;
  readonly errorCode?: string | undefined;
  readonly output: string;
  /** Unix seconds; 0 when it never began. */
  readonly start: number;
  /** Unix seconds. */
  readonly end: number;
  readonly worker: TaskDetails;
  /** Where it ran by another clock than this machine's. @default from `start` to `end` */
  readonly transitions?: TaskDetails['task_transitions'];
}

const FAILURE_CODES: Readonly<Record<number, string>> = {
  [RecordKind.unserializable]: 'RESULT_NOT_SERIALIZABLE',
  [RecordKind.unloadable]: 'FUNCTION_NOT_LOADABLE',
  [RecordKind.tooLarge]: 'MAX_RESULT_SIZE_EXCEEDED',
};

/** From what a worker recorded. */
export function endingOf(record: WorkerRecord, worker: TaskDetails): TaskEnding {
  const { start, end, output, body } = record;
  if (record.kind === RecordKind.result) {
    return { status: 'success', result: body, resultBytes: record.bytes, output, start, end, worker };
  }
  const code = FAILURE_CODES[record.kind];
  const exception =
    code === 'MAX_RESULT_SIZE_EXCEEDED'
      ? `The serialized result has ${body} characters; the service's limit is ${MAX_RESULT_CHARS}. Return less, or write it to a file and return its path.`
      : body;
  return { status: 'failed', exception, errorCode: code, output, start, end, worker };
}

/** A failure that no worker reported. `start` is in Unix seconds, 0 when it never began. */
export function failure(errorCode: string, exception: string, start = 0): TaskEnding {
  return { status: 'failed', errorCode, exception, output: '', start, end: Date.now() / 1000, worker: {} };
}
