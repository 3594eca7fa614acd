/** The funcx-function node that is chosen in the open dialog. */
import { storedValue, textIn } from './form';
import type { SourceQuestion } from './server';
import { questionFor } from './source-reports';
import { isEnvironment } from './validators';

export interface ChosenSource {
  /** For the interpreter of the chosen client. */
  readonly question: SourceQuestion;
  /** Name of the function that is called; empty for the last. */
  readonly entryPoint: string;
}

/**
 * - `none`: no function is chosen
 * - `id`: only the id of a function is known, or not even that before a message comes
 */
export type Choice = 'none' | 'id' | ChosenSource;

/** Fields that decide which function it is, and which interpreter reads it. */
export const FUNCTION_FIELDS = '#node-input-functionFrom, #node-input-function, #node-input-client';

export function chosenFunction(): Choice {
  if (textIn('node-input-functionFrom') === 'id') return 'id';
  const id = textIn('node-input-function');
  // In a subflow, each instance can have a function of its own.
  if (isEnvironment(id)) return 'id';
  const node = RED.nodes.node(id);
  if (node === null || node === undefined) return 'none';
  if (storedValue(node, 'mode') === 'id') return 'id';
  return {
    question: questionFor(String(storedValue(node, 'code') ?? ''), textIn('node-input-client')),
    entryPoint: String(storedValue(node, 'entryPoint') ?? ''),
  };
}
