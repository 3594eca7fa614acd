/** On which terms tasks were submitted: what counts for all tasks of a submission beside function, endpoint and arguments. */
import type { Submission } from '../compute/service.js';
import { RESULT_SERIALIZERS, STRATEGIES } from '../serialization/index.js';
import type { Identity } from './identity.js';

/** What the contract has where nothing is asked for. Source: globus-compute-endpoint 4.15, `engines/helper.py`. */
const CONTRACT_SERIALIZERS: readonly string[] = [STRATEGIES['00'].importPath, STRATEGIES['01'].importPath];

export interface TaskTerms
  extends Pick<Submission, 'user_endpoint_config' | 'resource_specification' | 'result_serializers' | 'user_runtime'> {
  /** Who submitted; undefined for this process itself. Others get results as text alone, without bytes beside it. */
  readonly submitter?: Identity | undefined;
}

/** Undefined where nothing differs from what this project's own client asks for. */
export function termsOf(body: Submission, submitter: Identity | undefined): TaskTerms | undefined {
  const { user_endpoint_config, resource_specification, result_serializers, user_runtime } = body;
  const terms: TaskTerms = {
    ...(submitter !== undefined && { submitter: { id: submitter.id, username: submitter.username } }),
    ...(isGiven(user_endpoint_config) && { user_endpoint_config }),
    ...(isGiven(resource_specification) && { resource_specification }),
    ...(isGiven(user_runtime) && { user_runtime }),
    ...(result_serializers !== undefined &&
      (submitter !== undefined || !isUsual(result_serializers)) && { result_serializers }),
  };
  return Object.keys(terms).length === 0 ? undefined : terms;
}

/** What `funcx_worker/strategies.py` can write. */
const KNOWN = new Set([...CONTRACT_SERIALIZERS, STRATEGIES['11'].importPath, STRATEGIES['13'].importPath]);

/**
 * How workers of this machine write results for somebody else than this process; undefined for itself. What they do not
 * know is left out, so that there are few different lists; where nothing is left, the empty name stands for it.
 */
export function serializersOf(terms: TaskTerms | undefined): readonly string[] | undefined {
  if (terms?.submitter === undefined) return undefined;
  const asked = terms.result_serializers ?? [];
  if (asked.length === 0) return CONTRACT_SERIALIZERS;
  const known = [...new Set(asked.map(publicPath))].filter((path) => KNOWN.has(path));
  return known.length === 0 ? [''] : known;
}

/** The SDK names its classes by the module that defines them, which is not the one that people import them from. */
function publicPath(path: string): string {
  return path.replace('.serialize.concretes.', '.serialize.');
}

function isGiven(value: object | undefined): boolean {
  return value !== undefined && Object.keys(value).length > 0;
}

function isUsual(serializers: readonly string[]): boolean {
  return (
    serializers === RESULT_SERIALIZERS ||
    (serializers.length === RESULT_SERIALIZERS.length && serializers.every((path, i) => path === RESULT_SERIALIZERS[i]))
  );
}
