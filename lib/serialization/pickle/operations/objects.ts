/** Classes, functions, and what is made by them. */
import { instantiate, pythonName } from '../allow-list.js';
import type { OperationTable, PickleMachine } from '../machine.js';
import { OPCODES } from '../opcodes.js';
import { Draft, PythonObject } from '../python-objects.js';

export const objects: OperationTable = {
  [OPCODES.GLOBAL]({ stack, source }) {
    const module = source.line();
    stack.push(pythonName(module, source.line()));
  },
  [OPCODES.STACK_GLOBAL]({ stack, source }) {
    const [module, name] = stack.take(2);
    if (typeof module !== 'string' || typeof name !== 'string') throw source.malformed('a name in it is no text');
    stack.push(pythonName(module, name));
  },
  [OPCODES.REDUCE]: make,
  [OPCODES.NEWOBJ]: make,
  [OPCODES.NEWOBJ_EX](machine) {
    const kwargs = machine.stack.pop();
    make(machine);
    const object = machine.stack.top;
    if (object instanceof PythonObject) object.kwargs = kwargs;
  },
  [OPCODES.OBJ]({ stack, integers }) {
    const [callable, ...args] = stack.takeMarked();
    stack.push(instantiate(callable, args, integers));
  },
  [OPCODES.INST]({ stack, source, integers }) {
    const module = source.line();
    const callable = pythonName(module, source.line());
    stack.push(instantiate(callable, stack.takeMarked(), integers));
  },
  [OPCODES.BUILD]({ stack, memo }) {
    const state = stack.pop();
    const object = stack.top;
    if (object instanceof Draft) {
      stack.top = object.completed(state);
      memo.replace(object, stack.top);
    } else if (object instanceof PythonObject) {
      object.state = state;
    }
    // Of anything else the state is attributes that somebody gave to a dict or a list: there is no place for them here.
  },
  [OPCODES.PERSID]: refusePersistentId,
  [OPCODES.BINPERSID]: refusePersistentId,
  [OPCODES.EXT1]: refuseExtension,
  [OPCODES.EXT2]: refuseExtension,
  [OPCODES.EXT4]: refuseExtension,
};

function make({ stack, source, integers }: PickleMachine): void {
  const [callable, args] = stack.take(2);
  if (!Array.isArray(args)) throw source.malformed('it calls with arguments that are no tuple');
  stack.push(instantiate(callable, args, integers));
}

function refusePersistentId({ source }: PickleMachine): never {
  throw source.malformed('it refers to objects outside of it (persistent ids)');
}

function refuseExtension({ source }: PickleMachine): never {
  throw source.malformed('it names a class by a number that only the Python that wrote it knows');
}
