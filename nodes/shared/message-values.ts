/** The typed inputs of a dialog: compiled once when the node is made, read once a message. */
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { InputError } from '../../lib/compute/errors.js';
import type { Eventually } from './eventually.js';
import type { Message } from './types.js';

/** A property expression that is only names and dots, such as `payload` or `funcx.taskId`. */
const PLAIN_PATH = /^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$/;

/** The origin of what is written in the dialog itself. */
const CONSTANT = 'the value';

/** A field of a dialog whose value can come from the message. */
export interface MessageValue {
  /** What the dialog calls it; for errors. */
  readonly field: string;
  /** Where the value comes from, as a person writes it: `msg.payload`, `flow.limit`; for errors. */
  readonly origin: string;
  /** @throws InputError when the value cannot be had, now or in the promise. */
  read(msg: NodeMessage): Eventually<unknown>;
}

/**
 * Compiles a typed input. One that is wrong in itself (JSON that is none, for instance) is reported by every message, so
 * that a Catch node sees it.
 *
 * Constants and properties of the message are read without a promise; anything else asks Node-RED, which may have to wait.
 */
export function compileValue(RED: NodeAPI, node: Node, field: string, value: string, type: string): MessageValue {
  const origin = originOf(value, type);
  const what = origin === CONSTANT ? `${origin} ${JSON.stringify(value)}` : origin;
  const refused = (problem: unknown) =>
    new InputError(`${field}: ${what} cannot be read: ${problem instanceof Error ? problem.message : problem}`);
  const read = compiled(() => {
    try {
      return readerOf(RED, node, value, type, refused);
    } catch (problem) {
      throw refused(problem);
    }
  });
  return { field, origin, read };
}

/** What cannot be compiled is refused whenever it is used: the node exists, and each of its messages tells what is wrong. */
export function compiled<Given extends unknown[], T>(compile: () => (...given: Given) => T): (...given: Given) => T {
  try {
    return compile();
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** Compiles the name of a message property into a function that writes it; none is the payload. */
export function compileTarget(RED: NodeAPI, property: string): (msg: Message, value: unknown) => void {
  const target = property || 'payload';
  if (/^[A-Za-z_$][\w$]*$/.test(target)) {
    return (msg, value) => {
      msg[target] = value;
    };
  }
  return (msg, value) => {
    if (!RED.util.setMessageProperty(msg, target, value, true)) {
      throw new InputError(`The result cannot be written to msg.${target}: something on that path is not an object.`);
    }
  };
}

type Reader = MessageValue['read'];

function readerOf(
  RED: NodeAPI,
  node: Node,
  value: string,
  type: string,
  refused: (problem: unknown) => InputError,
): Reader {
  switch (type) {
    case 'msg':
      return propertyReader(RED, value, refused);
    case 'jsonata': {
      const expression = RED.util.prepareJSONataExpression(value, node);
      return (msg) => answered(refused, (answer) => RED.util.evaluateJSONataExpression(expression, msg, answer));
    }
    case 'flow':
    case 'global':
      return (msg) => answered(refused, (answer) => RED.util.evaluateNodeProperty(value, type, node, msg, answer));
    case 'date':
      return (msg) => RED.util.evaluateNodeProperty(value, type, node, msg);
    default: {
      // Text, numbers, JSON, bytes and environment variables stay the same while the node lives.
      const constant: unknown = RED.util.evaluateNodeProperty(value, type, node, { payload: undefined });
      if (typeof constant === 'number' && Number.isNaN(constant)) throw new Error('it is not a number');
      return () => constant;
    }
  }
}

function propertyReader(RED: NodeAPI, expression: string, refused: (problem: unknown) => InputError): Reader {
  const path = expression.replace(/^msg\./, '');
  if (!PLAIN_PATH.test(path)) {
    RED.util.normalisePropertyExpression(path);
    return (msg) => {
      try {
        return RED.util.getMessageProperty(msg, path);
      } catch (problem) {
        throw refused(problem);
      }
    };
  }
  const [first = '', second, ...others] = path.split('.');
  if (second === undefined) return (msg) => msg[first];
  const below = [second, ...others];
  return (msg) => {
    let found: unknown = msg[first];
    for (const name of below) {
      if (found === undefined || found === null) return undefined;
      found = (found as Record<string, unknown>)[name];
    }
    return found;
  };
}

/** The promise of an answer given to Node-RED's kind of callback. */
function answered(
  refused: (problem: unknown) => InputError,
  ask: (answer: (problem: Error | null, value: unknown) => void) => void,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const answer = (problem: Error | null, value: unknown) => (problem ? reject(refused(problem)) : resolve(value));
    try {
      ask(answer);
    } catch (problem) {
      reject(refused(problem));
    }
  });
}

function originOf(value: string, type: string): string {
  switch (type) {
    case 'msg':
      return value.startsWith('msg.') ? value : `msg.${value}`;
    case 'flow':
    case 'global':
      return `${type}.${value}`;
    case 'env':
      return `the environment variable ${value}`;
    case 'jsonata':
      return `the expression ${value}`;
    default:
      return CONSTANT;
  }
}
