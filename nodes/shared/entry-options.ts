/** What a node asks of tasks beside their arguments: until when, how often, and whether an older result will do. */
import type { Node, NodeAPI } from 'node-red';
import type { EntryOptions, RetryPolicy } from '../../lib/client.js';
import { InputError } from '../../lib/compute/errors.js';
import { chain, type Eventually } from './eventually.js';
import { compiled, compileValue } from './message-values.js';
import type { FunctionChoiceConfig, FunctionNode, Message, TaskOptionsConfig } from './types.js';

const DEFAULT_BACKOFF_SECONDS = 1;

/** Compiles the options of a run node into a function from the message. Most nodes have the same for all messages. */
export function compileOptions(
  RED: NodeAPI,
  node: Node,
  config: TaskOptionsConfig & Pick<FunctionChoiceConfig, 'functionFrom' | 'function'>,
  until: 'accepted' | 'ended',
): (msg: Message) => Eventually<EntryOptions> {
  return compiled(() => {
    const late = config.late === 'send' ? 'send' : 'drop';
    const fixed: EntryOptions = { until, retry: retryOf(config), late, repeatable: isRepeatable(RED, config) };
    const memoMs = milliseconds('Reuse results', config.memoize);
    const withMemo: EntryOptions = { ...fixed, memoMs };
    const options = memoMs === undefined ? () => fixed : (msg: Message) => (bypasses(msg) ? fixed : withMemo);
    if (!config.deadline) return options;
    const deadline = compileValue(RED, node, 'Deadline', config.deadline, config.deadlineType ?? 'num');
    return (msg) =>
      chain(deadline.read(msg), (value) => {
        const ms = milliseconds('Deadline', value);
        return ms === undefined ? options(msg) : { ...options(msg), deadline: Date.now() + ms };
      });
  });
}

/** Only of a function that is defined in the flow is it known whether it may run twice. */
function isRepeatable(RED: NodeAPI, config: Pick<FunctionChoiceConfig, 'functionFrom' | 'function'>): boolean {
  const node = config.functionFrom === 'node' ? (RED.nodes.getNode(config.function) as FunctionNode | null) : undefined;
  return node?.repeatable === true;
}

/** `msg.funcx.memoize = false` runs the task whatever there is. */
function bypasses(msg: Message): boolean {
  return (msg.funcx as { readonly memoize?: unknown } | undefined)?.memoize === false;
}

function retryOf({ retries, retryErrors = '', backoff }: TaskOptionsConfig): RetryPolicy | undefined {
  const count = numberOf('Retries', retries, 'a whole number');
  if (!count) return undefined;
  const errors = retryErrors
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return {
    retries: Math.floor(count),
    errors,
    backoffMs: milliseconds('Pause', backoff) ?? DEFAULT_BACKOFF_SECONDS * 1000,
  };
}

function milliseconds(field: string, value: unknown): number | undefined {
  const seconds = numberOf(field, value, 'a number of seconds');
  return seconds === undefined ? undefined : seconds * 1000;
}

function numberOf(field: string, value: unknown, expected: string): number | undefined {
  if (value === undefined || value === null || String(value).trim() === '') return undefined;
  const number = Number(value);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new InputError(
    `${field}: ${JSON.stringify(value)} is not ${expected}. Give one that is not negative, or leave it empty.`,
  );
}
