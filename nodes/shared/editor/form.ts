/** The fields of the open dialog. */

declare global {
  namespace NodeRedEditor {
    interface Editor {
      /** The nodes whose dialogs are open, the topmost last. */
      getEditStack(): readonly { readonly id: string }[];
    }
  }
}

/** A node as validators and dialogs see it. */
export interface SomeNode {
  readonly id: string;
  readonly type: string;
}

/** The stored value of a property of any node. */
export function storedValue(node: SomeNode, property: string): unknown {
  return (node as SomeNode & Readonly<Record<string, unknown>>)[property];
}

/**
 * The value of a property: what the open dialog of this node shows, otherwise what the node has. A config select without
 * a choice gives an empty text.
 */
export function currentValue(node: SomeNode, property: string): unknown {
  const field = isBeingEdited(node) ? fieldOf(node, property) : $();
  if (field.length === 0) return storedValue(node, property);
  if (field.attr('type') === 'checkbox') return field.prop('checked') === true;
  const value = field.val();
  return value === '_ADD_' ? '' : value;
}

/** {@link currentValue} as text; empty when it is anything else. */
export function currentText(node: SomeNode, property: string): string {
  const value = currentValue(node, property);
  return typeof value === 'string' ? value : '';
}

function fieldOf(node: SomeNode, property: string): JQuery {
  const prefix = RED.nodes.getType(node.type)?.category === 'config' ? 'node-config-input' : 'node-input';
  return $(`#${prefix}-${property}`);
}

/** Whether the dialog of this node is open. */
export function isBeingEdited(node: SomeNode): boolean {
  return RED.editor.getEditStack().some((edited) => edited.id === node.id);
}

/** Shows those of the elements that a choice in the dialog needs, and hides the others. */
export function showOnly(elements: Readonly<Record<string, string>>, chosen: string): void {
  for (const [choice, selector] of Object.entries(elements)) $(selector).toggle(choice === chosen);
}

/** The value of a select or text field of the open dialog, by its id. */
export function textIn(id: string): string {
  const value = $(`#${id}`).val();
  return typeof value === 'string' && value !== '_ADD_' ? value : '';
}
