/** None, booleans, integers and floats. */
import { exactBigInt, exactInteger } from '../../big-integers.js';
import { fromTwosComplement } from '../long.js';
import type { OperationTable, PickleMachine } from '../machine.js';
import { OPCODES } from '../opcodes.js';

export const scalars: OperationTable = {
  [OPCODES.NONE]: ({ stack }) => stack.push(null),
  [OPCODES.NEWTRUE]: ({ stack }) => stack.push(true),
  [OPCODES.NEWFALSE]: ({ stack }) => stack.push(false),
  [OPCODES.BININT1]: ({ stack, source }) => stack.push(source.byte()),
  [OPCODES.BININT2]: ({ stack, source }) => stack.push(source.uint16()),
  [OPCODES.BININT]: ({ stack, source }) => stack.push(source.int32()),
  [OPCODES.BINFLOAT]: ({ stack, source }) => stack.push(source.double()),
  [OPCODES.LONG1]: (machine) => pushLong(machine, machine.source.byte()),
  [OPCODES.LONG4]: (machine) => pushLong(machine, machine.source.uint32()),
  [OPCODES.INT](machine) {
    const literal = machine.source.line();
    // Protocols 0 and 1 have no other booleans than these two.
    if (literal === '01' || literal === '00') machine.stack.push(literal === '01');
    else pushDecimal(machine, literal);
  },
  [OPCODES.LONG]: (machine) => pushDecimal(machine, machine.source.line().replace(/L$/, '')),
  [OPCODES.FLOAT]({ stack, source }) {
    const literal = source.line();
    const value = WORDS.get(literal) ?? Number(literal);
    if (literal === '' || (Number.isNaN(value) && literal !== 'nan')) {
      throw source.malformed(`${JSON.stringify(literal)} is no float`);
    }
    stack.push(value);
  },
};

const WORDS: ReadonlyMap<string, number> = new Map([
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['nan', Number.NaN],
]);

const DECIMAL = /^-?\d+$/;

function pushDecimal({ stack, source, integers }: PickleMachine, literal: string): void {
  if (!DECIMAL.test(literal)) throw source.malformed(`${JSON.stringify(literal)} is no integer`);
  stack.push(exactInteger(literal, integers));
}

/** About a million decimal digits. */
const MAX_LONG_BYTES = 415_242;

function pushLong({ stack, source, integers }: PickleMachine, length: number): void {
  if (length > MAX_LONG_BYTES) throw source.malformed(`an integer has ${length} bytes, and ${MAX_LONG_BYTES} are read`);
  const start = source.take(length);
  if (length > 0 && length <= 6) stack.push(source.bytes.readIntLE(start, length));
  else stack.push(exactBigInt(fromTwosComplement(source.bytes.subarray(start, source.at)), integers));
}
