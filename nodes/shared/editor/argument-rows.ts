/** The arguments of a call as a node stores them, and how they follow a function whose parameters change. */
import type { Parameter, ParameterKind } from './server';

export interface ArgumentRow {
  /** Of the parameter; empty for an argument that is only known by its position. */
  readonly name: string;
  readonly kind: ParameterKind;
  readonly value: string;
  /** Of the typed input; empty: left to the default of the function. */
  readonly type: string;
}

/**
 * One row a parameter, in their order. A row that was there keeps its value; a required parameter that was not there is
 * taken from the message: the first from `msg.payload`, others from the property of their name.
 */
export function rowsFor(parameters: readonly Parameter[], before: readonly ArgumentRow[]): ArgumentRow[] {
  const byName = new Map(before.filter((row) => row.name !== '').map((row) => [row.name, row]));
  const kept = parameters.map((parameter) => keptRow(parameter, byName.get(parameter.name)));
  let payloadIsFree = !kept.some((row) => row?.type === 'msg' && row.value === 'payload');
  return parameters.map((parameter, index) => {
    const { name, kind } = parameter;
    const row = kept[index];
    if (row !== undefined) return row;
    if (!isRequired(parameter)) return { name, kind, value: '', type: '' };
    const value = payloadIsFree ? 'payload' : propertyNamed(name);
    payloadIsFree = false;
    return { name, kind, value, type: 'msg' };
  });
}

/** The same values for a function whose parameters are not known: by name where there is one, otherwise by position. */
export function freeRows(before: readonly ArgumentRow[]): ArgumentRow[] {
  return before
    .filter(({ type, kind }) => type !== '' && kind !== 'var-positional' && kind !== 'var-keyword')
    .map(({ name, kind, value, type }) => freeRow(kind === 'positional-only' ? '' : name, value, type));
}

/** A row that someone wrote: a name makes it a keyword argument. */
export function freeRow(name: string, value: string, type: string): ArgumentRow {
  return { name, kind: name === '' ? 'positional-only' : 'keyword', value, type };
}

/** Whether a call has to give this parameter a value. */
export function isRequired({ kind, default: value }: Parameter): boolean {
  return value === undefined && !isVariadic(kind);
}

/** `*args` or `**kwargs`. */
export function isVariadic(kind: ParameterKind): boolean {
  return kind === 'var-positional' || kind === 'var-keyword';
}

/** A row's value goes on only to a parameter that takes the same kind of thing, and that may do without one. */
function keptRow(parameter: Parameter, row: ArgumentRow | undefined): ArgumentRow | undefined {
  if (row === undefined || (row.type === '' && isRequired(parameter))) return undefined;
  const sameKind = isVariadic(parameter.kind) || isVariadic(row.kind) ? parameter.kind === row.kind : true;
  return sameKind ? { ...row, kind: parameter.kind } : undefined;
}

function propertyNamed(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `["${name}"]`;
}
