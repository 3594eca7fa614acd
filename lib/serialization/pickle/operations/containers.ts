/** Lists, tuples, dicts and sets. */
import { addItems, isDict } from '../dicts.js';
import type { OperationTable, PickleMachine } from '../machine.js';
import { OPCODES } from '../opcodes.js';
import { PythonObject } from '../python-objects.js';

export const containers: OperationTable = {
  [OPCODES.EMPTY_LIST]: ({ stack }) => stack.push([]),
  [OPCODES.LIST]: ({ stack }) => stack.push(stack.takeMarked()),
  [OPCODES.APPEND]: (machine) => addToTop(machine, machine.stack.height - 1),
  [OPCODES.APPENDS]: (machine) => addToTop(machine, machine.stack.unmark()),

  [OPCODES.EMPTY_TUPLE]: ({ stack }) => stack.push([]),
  [OPCODES.TUPLE]: ({ stack }) => stack.push(stack.takeMarked()),
  [OPCODES.TUPLE1]: ({ stack }) => stack.push(stack.take(1)),
  [OPCODES.TUPLE2]: ({ stack }) => stack.push(stack.take(2)),
  [OPCODES.TUPLE3]: ({ stack }) => stack.push(stack.take(3)),

  [OPCODES.EMPTY_DICT]: ({ stack }) => stack.push({}),
  [OPCODES.DICT]({ stack, source }) {
    const items = stack.takeMarked();
    if (items.length % 2 !== 0) throw source.malformed('it has a key without a value');
    stack.push(addItems({}, items, 0, items.length));
  },
  [OPCODES.SETITEM]: (machine) => setOnTop(machine, machine.stack.height - 2),
  [OPCODES.SETITEMS]: (machine) => setOnTop(machine, machine.stack.unmark()),

  [OPCODES.EMPTY_SET]: ({ stack }) => stack.push(new Set()),
  [OPCODES.ADDITEMS]: (machine) => addToTop(machine, machine.stack.unmark()),
  [OPCODES.FROZENSET]: ({ stack }) => stack.push(new Set(stack.takeMarked())),
};

/** Adds the items of the stack from `start` on to the list or set below them. */
function addToTop({ stack, source }: PickleMachine, start: number): void {
  const { items, height } = stack;
  stack.height = start;
  const target = stack.top;
  if (Array.isArray(target)) {
    for (let i = start; i < height; i++) target.push(items[i]);
  } else if (target instanceof Set) {
    for (let i = start; i < height; i++) target.add(items[i]);
  } else if (target instanceof PythonObject) {
    target.items = [...(Array.isArray(target.items) ? target.items : []), ...items.slice(start, height)];
  } else {
    throw source.malformed('it adds items to what is no list');
  }
}

/** Sets the items of the stack from `start` on, key by value, in the dict below them. */
function setOnTop({ stack, memo, source }: PickleMachine, start: number): void {
  const { items, height } = stack;
  stack.height = start;
  const target = stack.top;
  if ((height - start) % 2 !== 0) throw source.malformed('it has a key without a value');
  if (target instanceof PythonObject) {
    target.items = addItems(isDict(target.items) ? target.items : {}, items, start, height);
  } else if (isDict(target)) {
    const dict = addItems(target, items, start, height);
    if (dict === target) return;
    memo.replace(target, dict);
    stack.top = dict;
  } else {
    throw source.malformed('it sets items of what is no dict');
  }
}
