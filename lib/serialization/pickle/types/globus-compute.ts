import { isDict } from '../dicts.js';
import { Draft, type MakerTable } from '../python-objects.js';

/** What Globus Compute itself returns. Source: globus_compute_sdk, `sdk/shell_function.py`. */
export const globusCompute: MakerTable = {
  'globus_compute_sdk.sdk.shell_function.ShellResult': (args, { name }) =>
    new Draft(name, args, (attributes) => (isDict(attributes) ? attributes : undefined)),
};
