/** What a submission must be before it is accepted. */
import { MAX_SUBMISSION_BYTES } from '../compute/limits.js';
import type { PackedArguments, Submission } from '../compute/service.js';
import { malformed, payloadTooLarge } from './refusals.js';

/** Longest list of result_serializers, and what an import path looks like. */
const MAX_SERIALIZERS = 16;
const IMPORT_PATH = /^[\w.]{1,200}$/;

/** Throws REQUEST_MALFORMED, TASK_PAYLOAD_TOO_LARGE or BATCH_RUN_TOO_LARGE. */
export function checkSubmission({ tasks, result_serializers, user_endpoint_config }: Submission): void {
  if (typeof tasks !== 'object' || tasks === null) throw malformed('tasks is missing.');
  const paths: unknown = result_serializers ?? [];
  const isPath = (path: unknown) => typeof path === 'string' && IMPORT_PATH.test(path);
  if (!Array.isArray(paths) || paths.length > MAX_SERIALIZERS || !paths.every(isPath)) {
    throw malformed(`result_serializers is no list of at most ${MAX_SERIALIZERS} import paths.`);
  }
  if (user_endpoint_config !== undefined && !isObject(user_endpoint_config)) {
    throw malformed('user_endpoint_config is not an object.');
  }
  let count = 0;
  let units = 0;
  for (const [id, args] of Object.entries(tasks)) {
    if (!Array.isArray(args)) throw malformed(`tasks[${JSON.stringify(id)}] is not a list of packed arguments.`);
    count += args.length;
    for (const packed of args as readonly PackedArguments[]) {
      if (typeof packed === 'string') units += packed.length;
      else if (typeof packed?.text !== 'string') throw malformed(`Arguments of function ${id} are not packed.`);
      else units += packed.text.length + packed.buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    }
  }
  if (count === 0) throw malformed('The submission has no task.');
  // A UTF-16 unit is at most three bytes of UTF-8: most submissions need not be measured.
  if (units * 3 <= MAX_SUBMISSION_BYTES) return;
  let bytes = 0;
  for (const packed of Object.values(tasks).flat()) {
    if (typeof packed === 'string') bytes += Buffer.byteLength(packed);
    else bytes += Buffer.byteLength(packed.text) + packed.buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
  }
  if (bytes > MAX_SUBMISSION_BYTES) throw payloadTooLarge(count, bytes);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
