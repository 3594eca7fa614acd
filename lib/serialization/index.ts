/**
 * Values and functions as funcX and Globus Compute put them on the wire. A buffer is a strategy's identifier, a line feed
 * and a body; several buffers are packed into one text.
 *
 * Source: globus_compute_sdk 4.15, `serialize/`.
 */
export { packArguments } from './arguments.js';
export type { BigIntegers } from './big-integers.js';
export { packFunction, unpackFunction } from './function-code.js';
export { parsePythonJson } from './json/reader.js';
export { stringifyForPython } from './json/writer.js';
export { BufferCollector, restoreBuffers } from './out-of-band.js';
export { codePointLength, packBuffers, unpackBuffers } from './pack.js';
export { readPickle } from './pickle/reader.js';
export { writePickle } from './pickle/writer.js';
export { deserialize, deserializeResult, serialize } from './serialize.js';
export { RESULT_SERIALIZERS, STRATEGIES } from './strategies/registry.js';
export type { Identifier, ReadOptions, SourceCode, Strategy, WriteOptions } from './strategies/strategy.js';
