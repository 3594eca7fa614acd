/** The folded section "Options" of a dialog. Folded, it says what in it is not as by default. */

type Defaults = Readonly<Record<string, string | boolean>>;

/**
 * Prepares the `details.funcx-options` of the open dialog.
 *
 * @param prefix of the ids of its fields
 * @param defaults by property: what is not worth a word
 */
export function prepareOptions(prefix: 'node-input' | 'node-config-input', defaults: Defaults): void {
  const section = $(`#${prefix}-name`).closest('form').find('details.funcx-options');
  for (const [property, standard] of Object.entries(defaults)) choose(prefix, property, standard);
  const summarise = () => {
    const changed = Object.keys(defaults).flatMap((property) => changeOf(prefix, property, defaults[property]));
    section.find('.funcx-options-changed').text(changed.join(', '));
  };
  section.on('change keyup', summarise);
  section.on('toggle', () => RED.tray.resize());
  // The texts of labels and selects are put in after the dialog was prepared.
  window.setTimeout(() => {
    summarise();
    if (section.find('.input-error').length > 0) section.prop('open', true);
  });
}

/** A select shows its default where the node was stored before there was the property. */
function choose(prefix: string, property: string, standard: string | boolean): void {
  const field = $(`select#${prefix}-${property}`);
  if (field.length > 0 && field.val() === null) field.val(String(standard));
}

function changeOf(prefix: string, property: string, standard: string | boolean | undefined): string[] {
  const field = $(`#${prefix}-${property}`);
  if (field.length === 0 || field.closest('.form-row').css('display') === 'none') return [];
  const label = $(`label[for="${field.attr('id')}"], label[for="${field.attr('id')}-text"]`)
    .text()
    .trim();
  if (field.attr('type') === 'checkbox') return field.prop('checked') === standard ? [] : [label];
  const value = String(field.val() ?? '');
  if (value === standard) return [];
  const shown = field.is('select') ? field.find(':selected').text() : value;
  return [`${label}: ${shown}`];
}
