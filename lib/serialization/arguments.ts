import type { PackedArguments } from '../compute/service.js';
import { stringifyForPython } from './json/writer.js';
import { BufferCollector } from './out-of-band.js';
import { codePointLength } from './pack.js';

/** Code points of the header `11\n`. */
const HEADER_LENGTH = 3;
const NO_KEYWORDS = '5\n11\n{}';

/**
 * The two buffers of a call, as a worker unpacks them: `function(*args, **kwargs)`.
 *
 * @param rawBytes whether the service carries bytes beside the text (`ServiceCapabilities.rawBytes`)
 * @returns the packed text alone where there are no bytes in the arguments
 * @throws SerializationError `NOT_SERIALIZABLE`, with the path of what cannot be sent, as `args[0].image`
 */
export function packArguments(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  { rawBytes }: { readonly rawBytes: boolean },
): PackedArguments {
  const collector = rawBytes ? new BufferCollector() : undefined;
  const text = packedJson(args, collector, 'args') + packedKeywords(kwargs, collector);
  if (collector === undefined || collector.buffers.length === 0) return text;
  return { text, tag: collector.tag, buffers: collector.buffers };
}

function packedKeywords(kwargs: Readonly<Record<string, unknown>>, collector: BufferCollector | undefined): string {
  for (const _ in kwargs) return packedJson(kwargs, collector, 'kwargs');
  return NO_KEYWORDS;
}

/** `packBuffers([serialize(value)])` without the detour. */
function packedJson(value: unknown, collector: BufferCollector | undefined, root: string): string {
  const json = stringifyForPython(value, collector, root);
  return `${codePointLength(json) + HEADER_LENGTH}\n11\n${json}`;
}
