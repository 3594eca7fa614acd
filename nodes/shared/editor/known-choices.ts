/** Choices that a field offers while one types: what the service knows, found by name or id. */

export interface KnownChoice {
  /** What is put into the field. */
  readonly id: string;
  readonly name: string;
  readonly detail?: string;
}

/** Entries of the list below a field. Those whose name, detail or id has the typed text in it come, in their order. */
export function completions(choices: readonly KnownChoice[], typed: string): NodeRedEditor.Completion[] {
  const wanted = typed.trim().toLowerCase();
  return choices
    .filter(({ id, name, detail = '' }) => [id, name, detail].some((text) => text.toLowerCase().includes(wanted)))
    .map((choice) => ({ value: choice.id, label: entry(choice) }));
}

function entry({ id, name, detail = '' }: KnownChoice): JQuery {
  return $('<div class="funcx-choice">').append(
    $('<div class="funcx-choice-name">').text(name),
    $('<div class="funcx-choice-detail">').text(detail === '' ? id : `${detail} · ${id}`),
  );
}

/** Opens the list of all choices below a typed input; what is typed does not narrow it. */
export function openList(field: JQuery): void {
  field.next('.red-ui-typedInput-container').find('.red-ui-typedInput-input').trigger('focus').trigger('keyup');
}
