/** What a submission must be before it is accepted. */
import { MAX_SUBMISSION_BYTES } from '../compute/limits.js';
import type { PackedArguments, Submission } from '../compute/service.js';
import { malformed, payloadTooLarge } from './refusals.js';

/** Throws REQUEST_MALFORMED, TASK_PAYLOAD_TOO_LARGE or BATCH_RUN_TOO_LARGE. */
export function checkSubmission({ tasks }: Submission): void {
  if (typeof tasks !== 'object' || tasks === null) throw malformed('tasks is missing.');
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
