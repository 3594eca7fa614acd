import { parsePythonJson } from '../json/reader.js';
import { stringifyForPython } from '../json/writer.js';
import { restoreBuffers } from '../out-of-band.js';
import { importPathOf, type Strategy } from './strategy.js';

/** The modern way for data: plain JSON. Endpoints since 2.28. */
export const jsonData: Strategy = {
  identifier: '11',
  importPath: importPathOf('JSONData'),
  kind: 'data',
  write: (value, { buffers, root }) => stringifyForPython(value, buffers, root),
  read(body, options) {
    const value = parsePythonJson(body, options);
    return options.buffers === undefined ? value : restoreBuffers(value, options.buffers);
  },
};
