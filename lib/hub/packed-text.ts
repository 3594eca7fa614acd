/** Packed arguments as text alone, for whoever cannot be given bytes beside it. */
import type { PackedArguments } from '../compute/service.js';
import { deserialize, packBuffers, serialize, unpackBuffers } from '../serialization/index.js';

/** Bytes beside the text are written into a pickle, which every worker reads. Throws NOT_SERIALIZABLE. */
export function packedText(packed: PackedArguments): string {
  if (typeof packed === 'string') return packed;
  const { text, ...buffers } = packed;
  return packBuffers(
    unpackBuffers(text).map((buffer) => serialize(deserialize(buffer, { buffers, integers: 'bigint' }), '00')),
  );
}
