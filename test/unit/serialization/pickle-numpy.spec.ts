import assert from 'node:assert/strict';
import { readPickle } from '../../../lib/serialization/index.js';

/** Pickled by numpy 2.4.6 with Python 3.11: what, by which protocol, in base64, and what it should be read as. */
const PICKLED: [expression: string, protocol: number, base64: string, value: unknown][] = [
  [
    'np.arange(6).reshape(2, 3)',
    4,
    'gASVuwAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsCSwOGlGgDjAVkdHlwZZSTlIwCaTiUiYiHlFKUKEsDjAE8lE5OTkr/////Sv////9LAHSUYolDMAAAAAAAAAAAAQAAAAAAAAACAAAAAAAAAAMAAAAAAAAABAAAAAAAAAAFAAAAAAAAAJR0lGIu',
    { dtype: 'int64', shape: [2, 3], data: new Float64Array([0, 1, 2, 3, 4, 5]) },
  ],
  [
    'np.asfortranarray(np.arange(24.0).reshape(2, 3, 4))',
    4,
    'gASVTQEAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsCSwNLBIeUaAOMBWR0eXBllJOUjAJmOJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiiEPAAAAAAAAAAAAAAAAAAAAoQAAAAAAAABBAAAAAAAAAMEAAAAAAAAAgQAAAAAAAADRAAAAAAAAA8D8AAAAAAAAqQAAAAAAAABRAAAAAAAAAMUAAAAAAAAAiQAAAAAAAADVAAAAAAAAAAEAAAAAAAAAsQAAAAAAAABhAAAAAAAAAMkAAAAAAAAAkQAAAAAAAADZAAAAAAAAACEAAAAAAAAAuQAAAAAAAABxAAAAAAAAAM0AAAAAAAAAmQAAAAAAAADdAlHSUYi4=',
    { dtype: 'float64', shape: [2, 3, 4], data: Float64Array.from({ length: 24 }, (_, i) => i) },
  ],
  [
    'np.asfortranarray(np.arange(6.0).reshape(2, 3))',
    5,
    'gAWVpgAAAAAAAACME251bXB5Ll9jb3JlLm51bWVyaWOUjAtfZnJvbWJ1ZmZlcpSTlCiWMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAhAAAAAAAAA8D8AAAAAAAAQQAAAAAAAAABAAAAAAAAAFECUjAVudW1weZSMBWR0eXBllJOUjAJmOJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiSwJLA4aUjAFGlHSUUpQu',
    { dtype: 'float64', shape: [2, 3], data: new Float64Array([0, 1, 2, 3, 4, 5]) },
  ],
  [
    'np.arange(3.0)',
    5,
    'gAWVjAAAAAAAAACME251bXB5Ll9jb3JlLm51bWVyaWOUjAtfZnJvbWJ1ZmZlcpSTlCiWGAAAAAAAAAAAAAAAAAAAAAAAAAAAAPA/AAAAAAAAAECUjAVudW1weZSMBWR0eXBllJOUjAJmOJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiSwOFlIwBQ5R0lFKULg==',
    { dtype: 'float64', shape: [3], data: new Float64Array([0, 1, 2]) },
  ],
  [
    'np.arange(3.0)',
    2,
    'gAJjbnVtcHkuX2NvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQBjbnVtcHkKbmRhcnJheQpxAUsAhXECY19jb2RlY3MKZW5jb2RlCnEDWAEAAABicQRYBgAAAGxhdGluMXEFhnEGUnEHh3EIUnEJKEsBSwOFcQpjbnVtcHkKZHR5cGUKcQtYAgAAAGY4cQyJiIdxDVJxDihLA1gBAAAAPHEPTk5OSv////9K/////0sAdHEQYoloA1gZAAAAAAAAAAAAAAAAAAAAAADDsD8AAAAAAAAAQHERaAWGcRJScRN0cRRiLg==',
    { dtype: 'float64', shape: [3], data: new Float64Array([0, 1, 2]) },
  ],
  [
    "np.array([1.5, -2.5], dtype='>f4')",
    4,
    'gASVkQAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsChZRoA4wFZHR5cGWUk5SMAmY0lImIh5RSlChLA4wBPpROTk5K/////0r/////SwB0lGKJQwg/wAAAwCAAAJR0lGIu',
    { dtype: 'float32', shape: [2], data: new Float32Array([1.5, -2.5]) },
  ],
  [
    'np.array([1, 2**62])',
    4,
    'gASVmQAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsChZRoA4wFZHR5cGWUk5SMAmk4lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGKJQxABAAAAAAAAAAAAAAAAAABAlHSUYi4=',
    { dtype: 'int64', shape: [2], data: new BigInt64Array([1n, 2n ** 62n]) },
  ],
  [
    "np.array([2**64 - 1], dtype='u8')",
    4,
    'gASVkQAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsBhZRoA4wFZHR5cGWUk5SMAnU4lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGKJQwj//////////5R0lGIu',
    { dtype: 'uint64', shape: [1], data: new BigUint64Array([2n ** 64n - 1n]) },
  ],
  [
    'np.array([True, False])',
    4,
    'gASViwAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsChZRoA4wFZHR5cGWUk5SMAmIxlImIh5RSlChLA4wBfJROTk5K/////0r/////SwB0lGKJQwIBAJR0lGIu',
    { dtype: 'bool', shape: [2], data: [true, false] },
  ],
  [
    "np.array([-1, 127], dtype='i1')",
    4,
    'gASViwAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsChZRoA4wFZHR5cGWUk5SMAmkxlImIh5RSlChLA4wBfJROTk5K/////0r/////SwB0lGKJQwL/f5R0lGIu',
    { dtype: 'int8', shape: [2], data: new Int8Array([-1, 127]) },
  ],
  [
    "np.array([1.5, np.inf, -2.0**-24, 6e-5, np.nan], dtype='f2')",
    4,
    'gASVkwAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsFhZRoA4wFZHR5cGWUk5SMAmYylImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGKJQwoAPgB8AYDvAwB+lHSUYi4=',
    {
      dtype: 'float16',
      shape: [5],
      data: new Float32Array([1.5, Number.POSITIVE_INFINITY, -(2 ** -24), 1007 * 2 ** -24, Number.NaN]),
    },
  ],
  [
    'np.array([1 + 2j])',
    4,
    'gASVmgAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsBhZRoA4wFZHR5cGWUk5SMA2MxNpSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiiUMQAAAAAAAA8D8AAAAAAAAAQJR0lGIu',
    { dtype: 'complex128', shape: [1], data: [{ real: 1, imag: 2 }] },
  ],
  [
    "np.array(['ab', 'c😀'])",
    4,
    'gASVkwAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsChZRoA4wFZHR5cGWUk5SMAlUylImIh5RSlChLA4wBPJROTk5LCEsESwh0lGKJQxBhAAAAYgAAAGMAAAAA9gEAlHSUYi4=',
    { dtype: 'str', shape: [2], data: ['ab', 'c😀'] },
  ],
  [
    "np.array([b'a', b'bc'])",
    4,
    'gASVhwAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsChZRoA4wFZHR5cGWUk5SMAlMylImIh5RSlChLA4wBfJROTk5LAksBSwB0lGKJQwRhAGJjlHSUYi4=',
    { dtype: 'bytes', shape: [2], data: [Buffer.from('a'), Buffer.from('bc')] },
  ],
  [
    "np.array([1, 'a', None], dtype=object)",
    4,
    'gASVkQAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsDhZRoA4wFZHR5cGWUk5SMAk84lImIh5RSlChLA4wBfJROTk5K/////0r/////Sz90lGKJXZQoSwGMAWGUTmV0lGIu',
    { dtype: 'object', shape: [3], data: [1, 'a', null] },
  ],
  [
    'np.array(3.0)',
    4,
    'gASVjgAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLASloA4wFZHR5cGWUk5SMAmY4lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGKJQwgAAAAAAAAIQJR0lGIu',
    { dtype: 'float64', shape: [], data: new Float64Array([3]) },
  ],
  [
    'np.zeros((0, 3))',
    4,
    'gASViwAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsASwOGlGgDjAVkdHlwZZSTlIwCZjiUiYiHlFKUKEsDjAE8lE5OTkr/////Sv////9LAHSUYolDAJR0lGIu',
    { dtype: 'float64', shape: [0, 3], data: new Float64Array(0) },
  ],
  [
    "np.array(['2024-02-29', 'NaT'], dtype='M8[s]')",
    4,
    'gASVqQAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsChZRoA4wFZHR5cGWUk5SMAk04lImIh5RSlChLBIwBPJROTk5K/////0r/////SwBOKEMBc5RLAUsBSwF0lIaUdJRiiUMQAMnfZQAAAAAAAAAAAAAAgJR0lGIu',
    { dtype: 'datetime64', shape: [2], data: new BigInt64Array([1709164800n, -(2n ** 63n)]) },
  ],
  [
    "[np.float64(1.5), np.int64(2**60), np.int32(7), np.bool_(True), np.str_('x'), np.float32(0.5)]",
    4,
    'gASVYAEAAAAAAABdlCiMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAZzY2FsYXKUk5SMBW51bXB5lIwFZHR5cGWUk5SMAmY4lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGJDCAAAAAAAAPg/lIaUUpRoA2gGjAJpOJSJiIeUUpQoSwNoCk5OTkr/////Sv////9LAHSUYkMIAAAAAAAAABCUhpRSlGgDaAaMAmk0lImIh5RSlChLA2gKTk5OSv////9K/////0sAdJRiQwQHAAAAlIaUUpRoA2gGjAJiMZSJiIeUUpQoSwOMAXyUTk5OSv////9K/////0sAdJRiQwEBlIaUUpRoA2gGjAJVMZSJiIeUUpQoSwNoCk5OTksESwRLCHSUYkMEeAAAAJSGlFKUaANoBowCZjSUiYiHlFKUKEsDaApOTk5K/////0r/////SwB0lGJDBAAAAD+UhpRSlGUu',
    [1.5, 2n ** 60n, 7, true, 'x', 0.5],
  ],
  [
    '[np.arange(2.0)] * 2',
    4,
    'gASVnwAAAAAAAABdlCiMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsChZRoBIwFZHR5cGWUk5SMAmY4lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGKJQxAAAAAAAAAAAAAAAAAAAPA/lHSUYmgKZS4=',
    [
      { dtype: 'float64', shape: [2], data: new Float64Array([0, 1]) },
      { dtype: 'float64', shape: [2], data: new Float64Array([0, 1]) },
    ],
  ],
];

const ARRAY_BY_PROTOCOL_0 =
  'Y251bXB5Ll9jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnAwCihjbnVtcHkKbmRhcnJheQpwMQooSTAKdHAyCmNfY29kZWNzCmVuY29kZQpwMwooVmIKcDQKVmxhdGluMQpwNQp0cDYKUnA3CnRwOApScDkKKEkxCihJMgp0cDEwCmNudW1weQpkdHlwZQpwMTEKKFZmOApwMTIKSTAwCkkwMQp0cDEzClJwMTQKKEkzClY8CnAxNQpOTk5JLTEKSS0xCkkwCnRwMTYKYkkwMApnMwooVlx1MDAwMFx1MDAwMFx1MDAwMFx1MDAwMFx1MDAwMFx1MDAwMFx1MDAwMFx1MDAwMFx1MDAwMFx1MDAwMFx1MDAwMFx1MDAwMFx1MDAwMFx1MDAwMPA/CnAxNwpnNQp0cDE4ClJwMTkKdHAyMApiLg==';
const LARGE_SCALAR =
  'gASVagAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAZzY2FsYXKUk5SMBW51bXB5lIwFZHR5cGWUk5SMAmk4lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGJDCAAAAAAAAAAQlIaUUpQu';
const STRUCTURED =
  'gASV8gAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsBhZRoA4wFZHR5cGWUk5SMA1YxMpSJiIeUUpQoSwOMAXyUTowBYZSMAWKUhpR9lChoEWgMjAJpNJSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiSwCGlGgSaAyMAmY4lImIh5RSlChLA2gYTk5OSv////9K/////0sAdJRiSwSGlHVLDEsBSxB0lGKJQwwBAAAAAAAAAAAABECUdJRiLg==';
const DTYPE = 'gASVNwAAAAAAAACMBW51bXB5lIwFZHR5cGWUk5SMAmY4lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGIu';
const FLOATS =
  'gASVoQAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsDhZRoA4wFZHR5cGWUk5SMAmY4lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGKJQxgAAAAAAAAAAAAAAAAAAPA/AAAAAAAAAECUdJRiLg==';

describe('numpy in a pickle', () => {
  for (const [expression, protocol, base64, value] of PICKLED) {
    it(`${expression}, by protocol ${protocol}`, () => {
      assert.deepEqual(readPickle(Buffer.from(base64, 'base64')), value);
    });
  }

  it('of numpy 1, which names its modules otherwise, is the same', () => {
    const ofNumpy2 = Buffer.from(ARRAY_BY_PROTOCOL_0, 'base64').toString('latin1');
    assert.match(ofNumpy2, /numpy\._core\.multiarray/);
    const ofNumpy1 = Buffer.from(ofNumpy2.replaceAll('numpy._core', 'numpy.core'), 'latin1');
    const value = { dtype: 'float64', shape: [2], data: new Float64Array([0, 1]) };
    assert.deepEqual(readPickle(Buffer.from(ofNumpy2, 'latin1')), value);
    assert.deepEqual(readPickle(ofNumpy1), value);
  });

  it('of int64 is digits where large integers are asked for as text', () => {
    assert.equal(readPickle(Buffer.from(LARGE_SCALAR, 'base64'), { integers: 'text' }), '1152921504606846976');
  });

  it('of a structured type is shown as it is', () => {
    const array = readPickle(Buffer.from(STRUCTURED, 'base64')) as { $python: string; state: unknown[] };
    assert.equal(array.$python, 'numpy.ndarray');
    assert.deepEqual(array.state[1], [1]);
  });

  it('of a type alone is shown by its code', () => {
    const type = readPickle(Buffer.from(DTYPE, 'base64')) as object;
    assert.deepEqual({ ...type }, { $python: 'numpy.dtype', args: ['f8'] });
  });

  it('with a shape that its data do not fill is shown as it is', () => {
    const pickle = Buffer.from(FLOATS, 'base64');
    const at = pickle.indexOf(Buffer.from('K\x03\x85', 'latin1'));
    assert(at > 0);
    pickle[at + 1] = 4;
    assert.equal((readPickle(pickle) as { $python: string }).$python, 'numpy.ndarray');
  });
});
