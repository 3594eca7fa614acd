/** The rule for the arguments of a node. */
import type { ArgumentRow } from './argument-rows';
import { currentText, type SomeNode } from './form';
import { wrong, wrongTyped } from './validators';

/** Every argument that is given can be read. Rows have no field of their own in the form: they are checked as stored. */
export function argumentRows(
  this: SomeNode,
  rows: readonly ArgumentRow[],
  options?: NodeRedEditor.ValidateOptions,
): boolean | string {
  if (currentText(this, 'argsMode') !== 'rows' || !Array.isArray(rows)) return true;
  for (const [index, { name, value, type }] of rows.entries()) {
    if (type === '') continue;
    const answer = wrongTyped(value, type, false, {});
    if (answer !== true) return wrong(options, `${name || index + 1}: ${answer}`);
  }
  return true;
}
