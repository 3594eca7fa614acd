/** The nodes that run a function follow when its parameters change. */
import { type ArgumentRow, rowsFor } from './argument-rows';
import { storedValue } from './form';
import type { FunctionSignature } from './server';

type AnyNode = NodeRedEditor.AnyNode;

/**
 * Gives the users of a function rows for its parameters, each value kept by name. Undo takes it back by a step of its own,
 * because Node-RED takes no further steps from the dialog of a config node.
 *
 * @param users nodes of any type; only those that give arguments in rows are changed
 */
export function updateUsers(users: readonly AnyNode[], { parameters }: FunctionSignature): void {
  const dirty = RED.nodes.dirty();
  const events = users.flatMap((user) => {
    const before = storedValue(user, 'args');
    if (!Array.isArray(before) || !givesRows(user)) return [];
    const rows = rowsFor(parameters, before as ArgumentRow[]);
    if (JSON.stringify(rows) === JSON.stringify(before)) return [];
    // The declarations want a list; the editor reads old values by the names of properties.
    const changes = { args: before } as unknown as object[];
    const event = { t: 'edit' as const, node: user, changes, changed: user.changed, dirty };
    Object.assign(user, { args: rows, changed: true, dirty: true });
    RED.editor.validateNode(user);
    RED.events.emit('nodes:change', user);
    return [event];
  });
  if (events.length === 0) return;
  RED.history.push({ t: 'multi', events, dirty });
  RED.nodes.dirty(true);
  RED.view.redraw();
}

function givesRows(user: AnyNode): boolean {
  return storedValue(user, 'functionFrom') === 'node' && storedValue(user, 'argsMode') === 'rows';
}
