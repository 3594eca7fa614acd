import { SerializationError } from '../../compute/errors.js';
import { allCodeStrategies, allDataStrategies, combinedCode } from './combined.js';
import { jsonData } from './json-data.js';
import { dillCode, dillCodeSource, dillCodeTextInspect, dillDataBase64, pickleCode } from './pickled.js';
import { pureSourceDill, pureSourceTextInspect } from './source-code.js';
import type { Identifier, Strategy } from './strategy.js';

/** Every strategy that any version of funcX or Globus Compute wrote. */
export const STRATEGIES: Readonly<Record<Identifier, Strategy>> = {
  '00': dillDataBase64,
  '01': dillCode,
  '02': pickleCode,
  '03': dillCodeTextInspect,
  '04': dillCodeSource,
  '10': combinedCode,
  '11': jsonData,
  '12': allCodeStrategies,
  '13': allDataStrategies,
  sd: pureSourceDill,
  st: pureSourceTextInspect,
};

/**
 * How results should be written, best first, for `result_serializers` of a submission. Endpoints before 3.6 do not look
 * at it and write {@link dillDataBase64}.
 */
export const RESULT_SERIALIZERS: readonly string[] = [jsonData.importPath, dillDataBase64.importPath];

/** @throws SerializationError `NOT_DESERIALIZABLE` for an identifier that is in no version's table */
export function strategyFor(identifier: string): Strategy {
  if (Object.hasOwn(STRATEGIES, identifier)) return STRATEGIES[identifier as Identifier];
  throw new SerializationError(
    'NOT_DESERIALIZABLE',
    `Unknown strategy ${JSON.stringify(identifier)}. Known are ${Object.keys(STRATEGIES).sort().join(', ')}: ` +
      'the text was not written by funcX or Globus Compute, or by a version newer than this package.',
  );
}
