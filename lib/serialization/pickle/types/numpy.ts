import { exactBigInt } from '../../big-integers.js';
import { Draft, type Maker, type MakerContext, type MakerTable } from '../python-objects.js';
import { type Elements, NumpyType } from './numpy-dtype.js';

/**
 * Arrays and scalars of numpy.
 *
 * An array is `{dtype, shape, data}`. `data` has all elements in C order (the last index runs fastest): in the typed array
 * of their kind; float16 as Float32Array; int64 and uint64 as Float64Array, or as BigInt64Array or BigUint64Array where
 * one of them is beyond 2^53 - 1; datetime64 and timedelta64 as int64; bool, complex, text, bytes and objects as a list.
 *
 * Source: numpy, `_core/src/multiarray/methods.c`, `array_reduce` and `array_reduce_ex_picklebuffer`.
 */
export const numpy: MakerTable = {
  'numpy.dtype': (args, { name }) => new Draft(name, args, (state) => NumpyType.of(args[0], state)),
  ...inBothCores('multiarray._reconstruct', () => new Draft('numpy.ndarray', [], arrayOfState)),
  ...inBothCores('multiarray.scalar', scalar),
  // Protocol 5
  ...inBothCores('numeric._frombuffer', ([bytes, dtype, shape, order]) => array(dtype, shape, bytes, order === 'F')),
};

/** numpy 2 renamed its `core`. */
function inBothCores(name: string, maker: Maker): MakerTable {
  return { [`numpy.core.${name}`]: maker, [`numpy._core.${name}`]: maker };
}

/** @param state version, shape, dtype, whether in Fortran order, and the bytes or a list of objects */
function arrayOfState(state: unknown): unknown {
  if (!Array.isArray(state)) return undefined;
  const [, shape, dtype, fortran, content]: unknown[] = state;
  return array(dtype, shape, content, fortran === true);
}

function array(dtype: unknown, shape: unknown, content: unknown, fortran: boolean): unknown {
  if (!(dtype instanceof NumpyType) || !isShape(shape)) return undefined;
  const elements = Buffer.isBuffer(content) ? dtype.decode(content) : content;
  if (!isElements(elements) || elements.length !== shape.reduce((product, length) => product * length, 1)) {
    return undefined;
  }
  const data = fortran && shape.length > 1 ? inCOrder(elements, shape) : elements;
  return { dtype: dtype.name, shape, data };
}

function isShape(shape: unknown): shape is number[] {
  return Array.isArray(shape) && shape.every((length) => Number.isSafeInteger(length) && length >= 0);
}

function isElements(value: unknown): value is Elements {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** From Fortran order, where the first index runs fastest. */
function inCOrder(elements: Elements, shape: readonly number[]): Elements {
  const ordered = elements.slice();
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, length) => product * length, 1));
  let from = 0;
  for (let to = 0; to < elements.length; to++) {
    ordered[to] = elements[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [at = 0, stride = 0, length = 0] = [index[axis], strides[axis], shape[axis]];
      if (at + 1 < length) {
        index[axis] = at + 1;
        from += stride;
        break;
      }
      index[axis] = 0;
      from -= at * stride;
    }
  }
  return ordered;
}

function scalar([dtype, bytes]: readonly unknown[], { integers }: MakerContext): unknown {
  if (!(dtype instanceof NumpyType) || !Buffer.isBuffer(bytes)) return undefined;
  const value: unknown = dtype.decode(bytes)?.[0];
  return typeof value === 'bigint' ? exactBigInt(value, integers) : value;
}
