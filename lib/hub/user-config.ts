/** `user_endpoint_config`: what a user asks of an agent, checked by the schema that the agent's owner gave. */
import { Ajv, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { semanticallyInvalid } from './refusals.js';
import { withinTime } from './time-limit.js';

/** A configuration travels in the agent's start command, which has to fit a pipe. Source: Globus Compute, 64 KiB. */
const MAX_CONFIG_BYTES = 60_000;

/**
 * Longest that reading a schema, and checking a configuration by it, may take. Both are others' work, and a regular
 * expression may take for ever; schemas of real clusters take some milliseconds. Unit: milliseconds.
 */
const READING_MS = 1000;
const CHECKING_MS = 100;

const OPTIONS: Options = { strict: false, allErrors: true, validateFormats: false, logger: false };

export type UserConfig = Readonly<Record<string, unknown>>;

export class UserConfigSchema {
  /** Why the schema cannot be used; the agent then decides alone. */
  readonly problem: string | undefined;
  readonly #validate: ValidateFunction | undefined;
  /** JSON of the configuration that was found valid last: most submissions repeat it. */
  #valid: string | undefined;

  /** @param schema JSON Schema, draft 7 or 2020-12 */
  constructor(schema: object | undefined) {
    if (schema === undefined) return;
    try {
      this.#validate = withinTime(READING_MS, () => compilerFor(schema).compile(schema));
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  /** Throws SEMANTICALLY_INVALID, with every member that is wrong, or when that cannot be found out. */
  check(config: UserConfig): void {
    const text = JSON.stringify(config);
    if (text === this.#valid) return;
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_CONFIG_BYTES) {
      throw semanticallyInvalid(
        `user_endpoint_config has ${bytes} bytes; at most ${MAX_CONFIG_BYTES} reach the endpoint.`,
      );
    }
    const validate = this.#validate;
    if (validate === undefined || isValid(validate, config)) {
      this.#valid = text;
      return;
    }
    const faults = (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const where = `user_endpoint_config${instancePath.replaceAll('/', '.')}`;
      const extra = 'additionalProperty' in params ? ` (${JSON.stringify(params.additionalProperty)})` : '';
      const allowed = 'allowedValues' in params ? ` ${JSON.stringify(params.allowedValues)}` : '';
      return `${where} ${message ?? 'is not valid'}${extra}${allowed}`;
    });
    throw semanticallyInvalid(`${faults.join('; ')}.`);
  }
}

/** Throws SEMANTICALLY_INVALID when the schema gives no answer. */
function isValid(validate: ValidateFunction, config: UserConfig): boolean {
  try {
    return withinTime(CHECKING_MS, () => validate(config) === true);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw semanticallyInvalid(`user_endpoint_config cannot be checked by the endpoint's schema: ${reason}`);
  }
}

function compilerFor(schema: object): Ajv {
  const draft = '$schema' in schema ? String(schema.$schema) : '';
  return /draft-0[67]/.test(draft) ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS);
}
