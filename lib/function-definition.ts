/** A Python function as a user writes it, and as it is registered. */
import { InputError } from './compute/errors.js';
import type { FunctionRegistration } from './compute/service.js';
import { packFunction } from './serialization/index.js';

export interface FunctionDefinition {
  /** Python source that defines the function at its top level; imports and helpers beside it are welcome. */
  readonly source: string;
  /** Name of the function in the source. @default the last one defined at its top level */
  readonly entryPoint?: string;
  /** What it is registered as. @default the entry point */
  readonly name?: string;
  readonly description?: string;
  /** Everybody may run it. */
  readonly public?: boolean;
  /** UUID of the Globus group whose members may run it. */
  readonly group?: string;
}

/** What the registration says of the Python that made the code; source text was made by none. */
const SOURCE_PYTHON_VERSION = '3.8.0';
/** The first SDK that writes source text (`st`). Source: Globus Compute changelog, 3.3.0. */
const SOURCE_SDK_VERSION = '3.3.0';

const TOP_LEVEL_FUNCTION = /^(?:async[ \t]+)?def[ \t]+([\p{L}_][\p{L}\p{N}_]*)[ \t]*[([]/gmu;
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_]*$/u;

/** Names of the functions defined at the top level of a source, in its order. An estimate: Python itself knows better. */
export function topLevelFunctions(source: string): string[] {
  return [...source.matchAll(TOP_LEVEL_FUNCTION)].map((found) => found[1] as string);
}

/** The body of a registration. Throws InputError for a definition without source or without a function. */
export function registrationOf(definition: FunctionDefinition): FunctionRegistration {
  const { source, description, group } = definition;
  if (typeof source !== 'string' || source.trim() === '') {
    throw new InputError(
      'The function has no source. Write a Python function, for example: def hello(name): return f"Hello {name}"',
    );
  }
  const entryPoint = definition.entryPoint || topLevelFunctions(source).at(-1);
  if (entryPoint === undefined) {
    throw new InputError('The source defines no function at its top level. Put the code into one: def run(x): ...');
  }
  if (!IDENTIFIER.test(entryPoint))
    throw new InputError(`The entry point ${JSON.stringify(entryPoint)} is not a Python name.`);
  return {
    function_name: definition.name || entryPoint,
    function_code: packFunction(entryPoint, source),
    ...(description && { description }),
    ...(group && { group }),
    ...(definition.public && { public: true }),
    meta: { python_version: SOURCE_PYTHON_VERSION, sdk_version: SOURCE_SDK_VERSION, serde_identifier: 'st' },
  };
}
