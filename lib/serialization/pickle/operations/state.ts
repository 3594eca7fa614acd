/** The stack, the memo, and the frame of the pickle itself. */
import type { OperationTable } from '../machine.js';
import { OPCODES } from '../opcodes.js';
import { takeFloatBatches } from './float-batch.js';

const LATEST_PROTOCOL = 5;
const FRAME_LENGTH_BYTES = 8;

export const state: OperationTable = {
  [OPCODES.PROTO]({ source }) {
    const protocol = source.byte();
    if (protocol > LATEST_PROTOCOL) throw source.malformed(`protocol ${protocol} is not known here`);
  },
  // Frames only help a reader that reads from a file.
  [OPCODES.FRAME]: ({ source }) => void source.take(FRAME_LENGTH_BYTES),

  [OPCODES.MARK](machine) {
    if (!takeFloatBatches(machine)) machine.stack.mark();
  },
  [OPCODES.POP]({ stack }) {
    if (stack.atMark) stack.unmark();
    else stack.pop();
  },
  [OPCODES.POP_MARK]({ stack }) {
    stack.height = stack.unmark();
  },
  [OPCODES.DUP]: ({ stack }) => stack.push(stack.top),

  [OPCODES.MEMOIZE]: ({ stack, memo }) => memo.store(memo.size, stack.top),
  [OPCODES.BINPUT]: ({ stack, memo, source }) => memo.store(source.byte(), stack.top),
  [OPCODES.LONG_BINPUT]: ({ stack, memo, source }) => memo.store(source.uint32(), stack.top),
  [OPCODES.PUT]: ({ stack, memo, source }) => memo.store(Number(source.line()), stack.top),

  [OPCODES.BINGET]: ({ stack, memo, source }) => stack.push(memo.recall(source.byte())),
  [OPCODES.LONG_BINGET]: ({ stack, memo, source }) => stack.push(memo.recall(source.uint32())),
  [OPCODES.GET]: ({ stack, memo, source }) => stack.push(memo.recall(Number(source.line()))),
};
