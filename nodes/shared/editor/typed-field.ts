/** Typed inputs of the dialogs. */

type Types = NodeRedEditor.TypedInputOptions['types'];

/** Where a value can come from when it is not written out. */
export const ELSEWHERE: Types = ['msg', 'flow', 'global', 'jsonata', 'env'];

/** Makes `#node-input-<property>` a typed input, its type in `#node-input-<property>Type`. */
export function typedField(property: string, types: Types): JQuery {
  const field = $(`#node-input-${property}`);
  const [first] = types;
  field.typedInput({
    types,
    default: typeof first === 'object' ? first.value : (first ?? 'msg'),
    typeField: `#node-input-${property}Type`,
  });
  nameByLabel(field);
  return field;
}

/** Lets a typed input be known by its label: the widget hides the field that the label is for. */
function nameByLabel(field: JQuery): void {
  const id = field.attr('id') ?? '';
  const label = $(`label[for="${id}"]`).attr({ id: `${id}-label`, for: `${id}-text` });
  if (label.length > 0) nameTypedInput(field, { 'aria-labelledby': `${id}-label` });
  field.next('.red-ui-typedInput-container').find('.red-ui-typedInput-input').attr('id', `${id}-text`);
}

/** Says to assistive technology what a typed input is for. */
export function nameTypedInput(
  field: JQuery,
  name: { readonly 'aria-label': string } | { readonly 'aria-labelledby': string },
): void {
  const container = field.next('.red-ui-typedInput-container');
  container.attr({ role: 'group', ...name });
  container.find('.red-ui-typedInput-input').attr({ ...name });
}
