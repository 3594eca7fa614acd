/** Rules for properties. Each reads the open dialog first, lets `${ENV}` pass, and says which field is wrong. */
import { currentText, type SomeNode } from './form';

type Options = NodeRedEditor.ValidateOptions | undefined;
type Rule = (this: SomeNode, value: unknown, options?: NodeRedEditor.ValidateOptions) => boolean | string;

const ENVIRONMENT_VARIABLE = /^\$\{[^}]+\}$/;
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

export interface Blank {
  /** The field may be left empty. @default false */
  readonly blank?: boolean;
}

/** Whether a text stands for the value of an environment variable. */
export function isEnvironment(value: unknown): boolean {
  return typeof value === 'string' && ENVIRONMENT_VARIABLE.test(value);
}

/** Asks a rule only while another property has a certain value; what a dialog hides cannot be wrong. */
export function onlyIf(property: string, expected: string, rule: Rule): Rule {
  return function (value, options) {
    return currentText(this, property) === expected ? rule.call(this, value, options) : true;
  };
}

/** A typed input whose type is in another property. */
export function typed(typeProperty: string, { blank = false }: Blank = {}): Rule {
  return function (value, options) {
    return wrongTyped(value, currentText(this, typeProperty), blank, options);
  };
}

/** A typed input for the id of a function, task or endpoint: written out, it is a UUID. */
export function typedId(typeProperty: string, { blank = false }: Blank = {}): Rule {
  return function (value, options) {
    const type = currentText(this, typeProperty);
    if (type === 'str' && value !== '') return uuid().call(this, value, options);
    return wrongTyped(value, type, blank, options);
  };
}

/** A number, written out or from elsewhere. */
export function typedCount(typeProperty: string, least: number): Rule {
  return function (value, options) {
    const type = currentText(this, typeProperty);
    return type === 'num' ? count(least).call(this, value, options) : wrongTyped(value, type, false, options);
  };
}

/** The id of something registered: a UUID. */
export function uuid({ blank = false }: Blank = {}): Rule {
  return (value, options) => {
    if (value === '' && blank) return true;
    if (typeof value === 'string' && (UUID.test(value.trim()) || isEnvironment(value))) return true;
    return wrong(options, RED._('@funcx/node-red-funcx/funcx-client:shared.invalid.uuid'));
  };
}

/** A whole number, `least` or more. */
export function count(least: number, { blank = false }: Blank = {}): Rule {
  return (value, options) => {
    if (isBlank(value))
      return blank || wrong(options, RED._('@funcx/node-red-funcx/funcx-client:shared.invalid.missing'));
    const number = Number(value);
    if (isEnvironment(value) || (Number.isInteger(number) && number >= least)) return true;
    return wrong(options, RED._('@funcx/node-red-funcx/funcx-client:shared.invalid.count', { least }));
  };
}

/** A number above 0, or from 0 where 0 has a meaning. An empty field is the default. */
export function amount({ zero = false } = {}): Rule {
  return (value, options) => {
    if (isBlank(value) || isEnvironment(value)) return true;
    const number = Number(value);
    if (Number.isFinite(number) && (number > 0 || (zero && number === 0))) return true;
    return wrong(
      options,
      zero
        ? RED._('@funcx/node-red-funcx/funcx-client:shared.invalid.amount-or-zero')
        : RED._('@funcx/node-red-funcx/funcx-client:shared.invalid.amount'),
    );
  };
}

/** A number above 0, written out or from elsewhere. An empty field is the default, and so is a property not stored yet. */
export function typedAmount(typeProperty: string): Rule {
  return function (value, options) {
    const type = currentText(this, typeProperty) || 'num';
    return type === 'num' ? amount().call(this, value, options) : wrongTyped(value, type, false, options);
  };
}

/** Names with commas between them, or nothing. @param problem what is said of anything else */
export function names(problem: string): Rule {
  return (value, options) =>
    isBlank(value) || /^\s*[^\s=,]+\s*(,\s*[^\s=,]+\s*)*$/.test(String(value)) || wrong(options, problem);
}

/** The name of a property of the message. */
export function messageProperty(): Rule {
  return (value, options) => {
    if (isBlank(value)) return wrong(options, RED._('@funcx/node-red-funcx/funcx-client:shared.invalid.missing'));
    return wrongTyped(value, 'msg', false, options);
  };
}

/** A config node that is there and valid. Node-RED checks this itself only where a property has no rule of its own. */
export function configNode(): Rule {
  return (value, options) => {
    if (isBlank(value) || value === '_ADD_') {
      return wrong(options, RED._('@funcx/node-red-funcx/funcx-client:shared.invalid.not-chosen'));
    }
    if (isEnvironment(value)) return true;
    const node = RED.nodes.node(String(value));
    if (node === null || node === undefined) {
      return wrong(options, RED._('@funcx/node-red-funcx/funcx-client:shared.invalid.gone'));
    }
    return node.valid === false
      ? wrong(options, RED._('@funcx/node-red-funcx/funcx-client:shared.invalid.invalid-node'))
      : true;
  };
}

/** A value of a typed input: `true`, or what is wrong with it. */
export function wrongTyped(value: unknown, type: string, blank: boolean, options: Options): boolean | string {
  return RED.validators.typedInput({ type, allowBlank: blank })(value, options);
}

/** What a rule answers: the text, with the field's name in front, to whoever can show it. */
export function wrong(options: Options, problem: string): boolean | string {
  if (options === undefined) return false;
  return options.label === undefined ? problem : `${options.label}: ${problem}`;
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || String(value).trim() === '';
}
