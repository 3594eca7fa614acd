/**
 * A safe reader of Python pickles, protocols 0 to 5. To Python a pickle is a program; here it is data. Nothing is called
 * or imported: what the names in it stand for is looked up in `allow-list.ts`, and a name that is not there comes out as
 * a labelled {@link PythonObject}.
 *
 * | Python                                        | JavaScript                                                        |
 * | --------------------------------------------- | ----------------------------------------------------------------- |
 * | None, bool, str                               | `null`, boolean, string                                           |
 * | int                                           | number; beyond 2^53 - 1 a BigInt, or its digits if asked for      |
 * | float                                         | number                                                            |
 * | complex                                       | `{real, imag}`                                                    |
 * | Decimal, Fraction                             | text: `"1.10"`, `"1/3"`                                           |
 * | bytes, bytearray                              | Buffer; a large one may share the memory of the pickle            |
 * | list, tuple, deque                            | array                                                             |
 * | set, frozenset                                | Set                                                               |
 * | dict, OrderedDict, defaultdict, Counter       | object; a Map if a key is no string                               |
 * | range, slice                                  | `{start, stop, step}`                                             |
 * | datetime, date, time                          | text, as `isoformat()` writes it; see `types/datetime.ts`         |
 * | timedelta                                     | number of seconds                                                 |
 * | UUID, paths of pathlib                        | text                                                              |
 * | exceptions of Python's own                    | `{$python: "builtins.ValueError", args, message}`                 |
 * | numpy array                                   | `{dtype, shape, data}`, data in C order, see `types/numpy.ts`     |
 * | numpy scalar                                  | number, boolean, text; as of int                                  |
 * | ShellResult of Globus Compute                 | `{cmd, stdout, stderr, returncode, …}`                            |
 * | a class or a function                         | `{$python: "module.name"}`                                        |
 * | any other object                              | `{$python: "module.Class", args, state, items}`                   |
 *
 * A value that is in two places, or inside itself, is so here too.
 */
import { SerializationError } from '../../compute/errors.js';
import type { BigIntegers } from '../big-integers.js';
import { substitute } from './dicts.js';
import { type Operation, type OperationTable, type PickleLimits, PickleMachine } from './machine.js';
import { OPCODES } from './opcodes.js';
import { containers } from './operations/containers.js';
import { objects } from './operations/objects.js';
import { scalars } from './operations/scalars.js';
import { state } from './operations/state.js';
import { text } from './operations/text.js';

export interface PickleReadOptions {
  /** What becomes of integers beyond 2^53 - 1. @default 'bigint' */
  readonly integers?: BigIntegers | undefined;
  /** @default {@link DEFAULT_LIMITS} */
  readonly limits?: Partial<PickleLimits> | undefined;
}

export const DEFAULT_LIMITS: PickleLimits = {
  bytes: 268_435_456,
  depth: 10_000,
  memo: 10_000_000,
  // The costliest, an empty set, makes an object of some 160 bytes.
  operations: 10_000_000,
};

const TABLE: OperationTable = { ...scalars, ...text, ...containers, ...state, ...objects };

/** By opcode; an array of all 256, since the lookup is the hottest place of the reader. */
const OPERATIONS: readonly (Operation | undefined)[] = Array.from({ length: 256 }, (_, opcode) => TABLE[opcode]);

/**
 * The value of a pickle.
 *
 * @throws SerializationError `NOT_DESERIALIZABLE`: it is no pickle, or beyond a limit; the message says at which byte
 */
export function readPickle(bytes: Buffer, options: PickleReadOptions = {}): unknown {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  if (bytes.length > limits.bytes) {
    throw new SerializationError(
      'NOT_DESERIALIZABLE',
      `The pickle has ${bytes.length} bytes, and the limit is ${limits.bytes}.`,
    );
  }
  const machine = new PickleMachine(bytes, options.integers ?? 'bigint', limits);
  const value = run(machine, limits.operations);
  const stale = machine.memo.staleReplacements;
  return stale === undefined ? value : substitute(value, stale);
}

function run(machine: PickleMachine, maxOperations: number): unknown {
  const { source } = machine;
  for (let count = 0; count < maxOperations; count++) {
    const opcode = source.byte();
    if (opcode === OPCODES.STOP) return machine.stack.pop();
    const operation = OPERATIONS[opcode];
    if (operation === undefined) throw source.malformed(`there is no opcode 0x${opcode.toString(16).padStart(2, '0')}`);
    operation(machine);
  }
  throw source.malformed(`it has more than ${maxOperations} operations`);
}
