/** The rows in which arguments are given: one a parameter, or free ones. */
import { type ArgumentRow, freeRow, isVariadic } from './argument-rows';
import type { Parameter } from './server';
import { starredName } from './signature';
import { nameTypedInput } from './typed-field';

type Types = NodeRedEditor.TypedInputOptions['types'];

const VALUES: Types = ['msg', 'flow', 'global', 'str', 'num', 'bool', 'json', 'bin', 'date', 'jsonata', 'env'];
const COLLECTIONS: Types = ['json', 'msg', 'flow', 'global', 'jsonata'];

/** The typed input's name for "left to Python", which a row stores as an empty type. */
const DEFAULT = 'default';

interface Item {
  readonly row: ArgumentRow;
  /** Absent in a free row. */
  readonly parameter?: Parameter;
}

export class ArgumentList {
  #list: JQuery | undefined;

  constructor(readonly box: JQuery) {}

  /** Shows no rows. */
  clear(): void {
    this.box.empty();
    this.#list = undefined;
  }

  /** One row a parameter. */
  showKnown(parameters: readonly Parameter[], rows: readonly ArgumentRow[]): void {
    this.#build({ addButton: false });
    for (const [index, parameter] of parameters.entries()) {
      const row = rows[index];
      if (row !== undefined) this.#list?.editableList('addItem', { row, parameter });
    }
  }

  /** Rows that can be added, removed and moved. */
  showFree(rows: readonly ArgumentRow[]): void {
    this.#build({
      addButton: RED._('@funcx/node-red-funcx/funcx-client:shared.add-argument'),
      removable: true,
      sortable: true,
    });
    for (const row of rows) this.#list?.editableList('addItem', { row });
  }

  /** The rows as they are shown. */
  rows(): ArgumentRow[] {
    const items = this.#list?.find('.funcx-argument').toArray() ?? [];
    return items.map((element) => readRow($(element)));
  }

  #build(options: { addButton: boolean | string; removable?: boolean; sortable?: boolean }): void {
    this.clear();
    this.#list = $('<ol>').appendTo(this.box);
    this.#list.editableList<Item>({
      ...options,
      height: 'auto',
      scrollOnAdd: false,
      addItem: (container, _index, item) => {
        const row = item.row ?? freeRow('', '', 'msg');
        const shown = item.parameter === undefined ? freeItem(row) : knownItem(row, item.parameter);
        container.append(shown);
        fill(shown, row, item.parameter);
      },
    });
  }
}

function knownItem(row: ArgumentRow, parameter: Parameter): JQuery {
  const name = $('<div class="funcx-argument-name">').append(
    $('<span class="funcx-argument-parameter">').text(starredName(parameter)),
  );
  if (parameter.annotation !== undefined) {
    name.append($('<span class="funcx-argument-annotation">').text(`: ${parameter.annotation}`));
  }
  name.attr('title', name.text());
  return item(name, row);
}

function freeItem(row: ArgumentRow): JQuery {
  const name = $('<input type="text" class="funcx-argument-name-input">')
    .val(row.name)
    .attr({
      placeholder: RED._('@funcx/node-red-funcx/funcx-client:shared.by-position'),
      'aria-label': RED._('@funcx/node-red-funcx/funcx-client:shared.argument-name'),
    });
  return item($('<div class="funcx-argument-name">').append(name), row);
}

function item(name: JQuery, { name: parameter, kind }: ArgumentRow): JQuery {
  const field = $('<div class="funcx-argument-field">').append(
    '<input type="text" class="funcx-argument-value" style="width: 100%">',
  );
  return $('<div class="funcx-argument">').attr({ 'data-name': parameter, 'data-kind': kind }).append(name, field);
}

/** Makes the typed input of an item that is in the page, and gives it the row's value. */
function fill(shown: JQuery, row: ArgumentRow, parameter: Parameter | undefined): void {
  const field = shown.find('.funcx-argument-value');
  const type = row.type === '' ? DEFAULT : row.type;
  field.typedInput({ types: typesFor(parameter), default: type });
  field.typedInput('type', type);
  if (type !== DEFAULT) field.typedInput('value', row.value);
  const label = parameter?.name ?? RED._('@funcx/node-red-funcx/funcx-client:shared.argument');
  nameTypedInput(field, { 'aria-label': label });
  field.on('typedinputtypechange', (_event, chosen: unknown) => {
    const empty = row.kind === 'var-positional' ? '[]' : row.kind === 'var-keyword' ? '{}' : '';
    if (chosen === 'json' && field.typedInput('value') === '') field.typedInput('value', empty);
  });
  const mark = () => shown.toggleClass('funcx-default', field.typedInput('type') === DEFAULT);
  field.on('change', mark);
  mark();
}

function typesFor(parameter: Parameter | undefined): Types {
  if (parameter === undefined) return VALUES;
  if (isVariadic(parameter.kind)) {
    return [without(RED._('@funcx/node-red-funcx/funcx-client:shared.no-more')), ...COLLECTIONS];
  }
  if (parameter.default === undefined) return VALUES;
  const label = RED._('@funcx/node-red-funcx/funcx-client:shared.default', { value: parameter.default });
  return [without(label), ...VALUES];
}

function without(label: string): NodeRedEditor.TypedInputType {
  return { value: DEFAULT, label, hasValue: false };
}

function readRow(shown: JQuery): ArgumentRow {
  const field = shown.find('.funcx-argument-value');
  const chosen = String(field.typedInput('type'));
  const type = chosen === DEFAULT ? '' : chosen;
  const value = type === '' ? '' : String(field.typedInput('value'));
  const free = shown.find('.funcx-argument-name-input');
  if (free.length > 0) return freeRow(String(free.val() ?? '').trim(), value, type);
  return {
    name: shown.attr('data-name') ?? '',
    kind: (shown.attr('data-kind') ?? 'positional') as ArgumentRow['kind'],
    value,
    type,
  };
}
