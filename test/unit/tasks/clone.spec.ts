import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { serialize } from 'node:v8';
import { readClone, writeClone } from '../../../dist/lib/tasks/clone.js';

const SMALL = Buffer.from('a few bytes');
const LARGE = randomBytes(200_000);

describe('the clone of a value', () => {
  for (const [name, value] of [
    ['without bytes', { text: 'Ünïcödé 🌍', big: 2n ** 64n, at: new Date(5), of: new Map([[1, new Set(['a'])]]) }],
    ['with a few bytes', { payload: SMALL }],
    ['with many bytes', { payload: LARGE, after: 'wide 🌍' }],
    [
      'with bytes of several kinds',
      [LARGE, SMALL, new Uint8Array(LARGE), new Float64Array(20_000).fill(0.5), LARGE.subarray(9)],
    ],
    ['with no bytes in a Buffer', { payload: Buffer.alloc(0) }],
  ] as const) {
    it(`${name} is as the value was`, () => {
      assert.deepEqual(readClone(writeClone(value)), value);
    });
  }

  it('keeps what is the same value twice the same', () => {
    const value = { one: LARGE, other: LARGE, self: undefined as unknown };
    value.self = value;
    const read = readClone(writeClone(value)) as typeof value;
    assert.equal(read.one, read.other);
    assert.equal(read.self, read);
  });

  it('has copies of the bytes', () => {
    const payload = Buffer.from(LARGE);
    const clone = writeClone({ payload });
    payload.fill(0);
    const read = readClone(clone) as { payload: Buffer };
    clone.fill(0);
    assert.deepEqual(read.payload, LARGE);
  });

  it('reads what was written without bytes beside it', () => {
    assert.deepEqual(readClone(serialize({ payload: LARGE })), { payload: LARGE });
  });

  it('refuses what cannot be cloned', () => {
    assert.throws(() => writeClone({ call: () => {} }), /could not be cloned/);
  });

  for (const length of [0, 1, 2, 5, 100_000, 200_000]) {
    it(`refuses to be read when it was cut to ${length} bytes`, () => {
      const clone = writeClone({ payload: LARGE });
      assert.throws(() => readClone(clone.subarray(0, length)));
    });
  }
});
