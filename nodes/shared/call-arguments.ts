/** The arguments of a call, from the rows of the dialog or from one value of the message. */
import type { Node, NodeAPI } from 'node-red';
import { InputError } from '../../lib/compute/errors.js';
import { chain, type Eventually, readAll } from './eventually.js';
import { expectKeywords, expectList, expectPresent, type Keywords } from './expectations.js';
import { compiled, compileValue, type MessageValue } from './message-values.js';
import type { ArgumentRow, Message, RunConfig, ValueAs } from './types.js';

export interface CallArguments {
  readonly args: readonly unknown[];
  readonly kwargs: Keywords;
}

const NONE: Keywords = Object.freeze({});

/** Compiles the arguments of a run node into a function from the message. */
export function compileArguments(
  RED: NodeAPI,
  node: Node,
  config: RunConfig,
): (msg: Message) => Eventually<CallArguments> {
  if (config.argsMode === 'rows') return compiled(() => compileRows(RED, node, config.args));
  const whole = compileValue(RED, node, 'Arguments', config.message, config.messageType);
  return (msg) => chain(whole.read(msg), (value) => argumentsOf(expectPresent(value, whole), config.messageAs, whole));
}

/**
 * One value as the arguments of a call.
 *
 * @param as the value is the only argument, a list of positional ones, or an object of keyword ones
 */
export function argumentsOf(value: unknown, as: ValueAs, of: Pick<MessageValue, 'field' | 'origin'>): CallArguments {
  switch (as) {
    case 'single':
      return { args: [value], kwargs: NONE };
    case 'list':
      return { args: expectList(value, of, 'arguments'), kwargs: NONE };
    case 'keywords':
      return { args: [], kwargs: expectKeywords(value, of) };
  }
}

/** The rows that have a value, sorted by how it is passed. */
interface Plan {
  readonly positional: MessageValue[];
  readonly keywords: MessageValue[];
  /** Names of {@link keywords}. */
  readonly names: string[];
  /** The list that goes on after the positional arguments. */
  rest?: MessageValue;
  /** The object that adds to the keywords. */
  more?: MessageValue;
}

function compileRows(
  RED: NodeAPI,
  node: Node,
  rows: readonly ArgumentRow[],
): (msg: Message) => Eventually<CallArguments> {
  const plan = planOf(RED, node, rows);
  const { positional, keywords, rest, more } = plan;
  const values = [...positional, ...keywords];
  if (rest !== undefined) values.push(rest);
  if (more !== undefined) values.push(more);
  const onlyPositional = values.length === positional.length;
  return (msg) =>
    chain(
      readAll(values, (value) => value.read(msg)),
      (found) => {
        for (const [index, value] of values.entries()) expectPresent(found[index], value);
        return onlyPositional ? { args: found, kwargs: NONE } : assembled(plan, found);
      },
    );
}

function assembled({ positional, names, rest, more }: Plan, found: readonly unknown[]): CallArguments {
  const args = found.slice(0, positional.length);
  const kwargs = Object.fromEntries(names.map((name, index) => [name, found[positional.length + index]]));
  let next = positional.length + names.length;
  if (rest !== undefined) args.push(...expectList(found[next++], rest, 'arguments'));
  return { args, kwargs: more === undefined ? kwargs : { ...kwargs, ...expectKeywords(found[next], more) } };
}

/**
 * Positional rows are passed by position until one is left to its default, and by name after it, because Python has no
 * way to skip a position.
 */
function planOf(RED: NodeAPI, node: Node, rows: readonly ArgumentRow[]): Plan {
  const plan: Plan = { positional: [], keywords: [], names: [] };
  let skipped: string | undefined;
  for (const [index, { name, kind, value, type }] of rows.entries()) {
    // A free row without a name is known by its place, as in the dialog.
    const called = name || String(index + 1);
    if (type === '') {
      if (kind === 'positional' || kind === 'positional-only') skipped ??= called;
      continue;
    }
    const compiled = compileValue(RED, node, `Argument ${called}`, value, type);
    switch (kind) {
      case 'positional-only':
        if (skipped !== undefined) throw unreachable(called, skipped);
        plan.positional.push(compiled);
        break;
      case 'positional':
        if (skipped === undefined) plan.positional.push(compiled);
        else addKeyword(plan, name, compiled);
        break;
      case 'var-positional':
        if (skipped !== undefined) throw unreachable(`*${called}`, skipped);
        plan.rest = compiled;
        break;
      case 'keyword':
        addKeyword(plan, name, compiled);
        break;
      case 'var-keyword':
        plan.more = compiled;
        break;
    }
  }
  return plan;
}

function addKeyword(plan: Plan, name: string, value: MessageValue): void {
  plan.keywords.push(value);
  plan.names.push(name);
}

function unreachable(name: string, skipped: string): InputError {
  return new InputError(
    `Argument ${name}: it can only be passed by position, but ${skipped} before it is left to its default. Give ${skipped} a value too.`,
  );
}
