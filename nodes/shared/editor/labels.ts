/** How nodes speak of themselves and of each other in the workspace. */
import { storedValue } from './form';

/** A typed input in a word or two: `payload`, `flow.limit`, `"text"`. */
export function typedLabel(type: string, value: string): string {
  switch (type) {
    case 'msg':
      return value;
    case 'flow':
    case 'global':
      return `${type}.${value.replace(/^#:\([^)]*\)::/, '')}`;
    case 'env':
      return `\${${value}}`;
    case 'str':
      return `"${shortened(value)}"`;
    default:
      return shortened(value);
  }
}

/** The function that a node runs. */
export function functionLabel(node: {
  readonly functionFrom: string;
  readonly function: string;
  readonly functionId: string;
  readonly functionIdType: string;
}): string {
  if (node.functionFrom === 'node') return functionNodeLabel(node.function);
  return node.functionIdType === 'str' ? shortId(node.functionId) : typedLabel(node.functionIdType, node.functionId);
}

/** What a funcx-function node is called; empty when there is none. */
export function functionNodeLabel(id: string): string {
  return firstText(id, ['name', 'entryPoint']) || shortId(firstText(id, ['functionId'])) || (id === '' ? '' : '?');
}

/** What a funcx-client node is called; empty when there is none. */
export function clientLabel(id: string): string {
  if (id === '') return '';
  return firstText(id, ['name']) || RED._('@funcx/node-red-funcx/funcx-client:shared.this-machine');
}

/** Enough of a UUID to know it by. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** Core's style for a label that a person gave. */
export function labelStyle(this: { readonly name?: string | undefined }): string {
  return this.name ? 'node_label_italic' : '';
}

function firstText(id: string, properties: readonly string[]): string {
  const node = id === '' ? null : RED.nodes.node(id);
  if (node === null || node === undefined) return '';
  const texts = properties.map((property) => storedValue(node, property));
  return texts.find((text): text is string => typeof text === 'string' && text !== '') ?? '';
}

function shortened(text: string): string {
  return text.length <= 24 ? text : `${text.slice(0, 23)}…`;
}
