import { type AnyNode, type CallExpression, type Expression, parse } from 'acorn';

/** What the Flow Library and the scorecard can read of a node without running its script. */
export interface NodeDefinition {
  readonly type: string;
  readonly category: string;
  readonly icon?: string;
  readonly color?: string;
  readonly inputs?: number;
  readonly outputs?: number;
  readonly defaults: readonly string[];
  /** Those of {@link defaults} that begin as a number. */
  readonly numbers: readonly string[];
  readonly credentials: readonly string[];
}

const literalFields = ['category', 'color', 'icon', 'inputs', 'outputs'];
const inlineFields = ['defaults', 'credentials'];

/**
 * Finds the `registerType('literal', {…})` calls of an editor script by its syntax alone, as the Flow Library does.
 *
 * @throws Error when a call is there but cannot be read this way; it names the type and the field.
 */
export function readNodeDefinitions(script: string): NodeDefinition[] {
  return [...descendants(parse(script, { ecmaVersion: 'latest' }))].filter(isRegisterType).map(definitionOf);
}

/** The scripts of a node's HTML file that the Flow Library looks at. */
export function editorScripts(html: string): string[] {
  return [...html.matchAll(/<script.+?type=['"]text\/javascript['"].*?>([\S\s]*?)<\/script>/gi)].map(
    (match) => match[1] ?? '',
  );
}

function definitionOf(call: CallExpression): NodeDefinition {
  const [typeArgument, definition] = call.arguments;
  if (typeArgument?.type !== 'Literal' || typeof typeArgument.value !== 'string') {
    throw new Error('registerType is called with a type that is not a literal');
  }
  const type = typeArgument.value;
  if (definition?.type !== 'ObjectExpression') {
    throw new Error(`registerType('${type}') is called with a definition that is not an object in place`);
  }
  const fields: Record<string, unknown> = {};
  for (const property of definition.properties) {
    if (property.type !== 'Property' || property.computed || property.key.type !== 'Identifier') {
      throw new Error(`registerType('${type}') has a property that cannot be read without running it`);
    }
    const name = property.key.name;
    if (literalFields.includes(name)) fields[name] = literal(type, name, property.value);
    if (inlineFields.includes(name)) fields[name] = keys(type, name, property.value);
    if (name === 'defaults') fields.numbers = numbersIn(property.value);
  }
  if (typeof fields.category !== 'string') throw new Error(`registerType('${type}') has no category`);
  return { defaults: [], numbers: [], credentials: [], ...fields, type, category: fields.category };
}

function literal(type: string, name: string, value: Expression): unknown {
  if (value.type !== 'Literal') throw new Error(`registerType('${type}'): ${name} is not a literal`);
  return value.value;
}

function keys(type: string, name: string, value: Expression): string[] {
  if (value.type !== 'ObjectExpression') throw new Error(`registerType('${type}'): ${name} is not an object in place`);
  return value.properties.map((property) => {
    if (property.type === 'Property' && property.key.type === 'Identifier') return property.key.name;
    throw new Error(`registerType('${type}'): a key of ${name} cannot be read without running it`);
  });
}

/** Names of the properties whose definition is in place, with a number as `value`. */
function numbersIn(defaults: Expression): string[] {
  return propertiesOf(defaults)
    .filter(([, definition]) =>
      propertiesOf(definition).some(
        ([name, value]) => name === 'value' && value.type === 'Literal' && typeof value.value === 'number',
      ),
    )
    .map(([name]) => name);
}

function propertiesOf(node: AnyNode): [name: string, value: AnyNode][] {
  if (node.type !== 'ObjectExpression') return [];
  return node.properties.flatMap((property) =>
    property.type === 'Property' && property.key.type === 'Identifier' ? [[property.key.name, property.value]] : [],
  );
}

function isRegisterType(node: AnyNode): node is CallExpression {
  return (
    node.type === 'CallExpression' &&
    node.callee.type === 'MemberExpression' &&
    node.callee.property.type === 'Identifier' &&
    node.callee.property.name === 'registerType'
  );
}

function* descendants(node: AnyNode): Generator<AnyNode> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* descendants(child);
    }
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
