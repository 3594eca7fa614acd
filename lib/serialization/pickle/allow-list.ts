import type { BigIntegers } from '../big-integers.js';
import { type Maker, PythonName, PythonObject } from './python-objects.js';
import { builtins } from './types/builtins.js';
import { collections } from './types/collections.js';
import { datetimes } from './types/datetime.js';
import { exceptions } from './types/exceptions.js';
import { globusCompute } from './types/globus-compute.js';
import { numpy } from './types/numpy.js';
import { standardLibrary } from './types/standard-library.js';

/** All that a pickle can have made. No maker runs code that came from outside, or reaches outside. */
const ALLOWED: ReadonlyMap<string, Maker> = new Map(
  Object.entries({
    ...builtins,
    ...collections,
    ...datetimes,
    ...exceptions,
    ...globusCompute,
    ...numpy,
    ...standardLibrary,
  }),
);

/** What Python 3 calls the modules that pickles of protocols 0 to 2 name as in Python 2. */
const MODULES_OF_PYTHON_2: ReadonlyMap<string, string> = new Map([
  ['__builtin__', 'builtins'],
  ['copy_reg', 'copyreg'],
  ['exceptions', 'builtins'],
]);

/** The name of a class or function, as Python 3 has it. */
export function pythonName(module: string, name: string): PythonName {
  const current = MODULES_OF_PYTHON_2.get(module) ?? module;
  return new PythonName(`${current}.${current === 'builtins' && name === 'xrange' ? 'range' : name}`);
}

/** What comes of calling a class or function with arguments: by its maker, or a {@link PythonObject} that says so. */
export function instantiate(callable: unknown, args: readonly unknown[], integers: BigIntegers): unknown {
  if (!(callable instanceof PythonName)) return new PythonObject('operator.call', [callable, ...args]);
  const name = callable.$python;
  const [cls, base, state] = args;
  if (name === 'copyreg._reconstructor') {
    // How protocols 0 and 1 make an instance: of the class, from the value of the built-in type beneath it.
    const ofObject = base instanceof PythonName && base.$python === 'builtins.object';
    return instantiate(cls, ofObject ? [] : [state], integers);
  }
  return ALLOWED.get(name)?.(args, { name, integers }) ?? new PythonObject(name, args);
}
