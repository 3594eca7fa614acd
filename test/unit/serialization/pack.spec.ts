import assert from 'node:assert/strict';
import fc from 'fast-check';
import { codePointLength, packBuffers, unpackBuffers } from '../../../lib/serialization/index.js';
import { unreadable } from './errors.js';
import { usePython } from './python.js';

/** Any sequence of UTF-16 units: well-formed text, pairs, and lone surrogates. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd800, max: 0xdfff }), fc.constant(0x0a)))
  .map((units) => String.fromCharCode(...units));

/** Pairs of buffers and packed texts, seen between the SDK and a worker. */
const SEEN: [buffers: string[], packed: string][] = [
  [['11\n[1]', '11\n{}'], '6\n11\n[1]5\n11\n{}'],
  [['11\n"😀"'], '6\n11\n"😀"'],
  [["st\nf:def f():\n    return '😀'\n"], "29\nst\nf:def f():\n    return '😀'\n"],
  [['00\ngASVBQAAAAAAAABLAoWULg==\n'], '28\n00\ngASVBQAAAAAAAABLAoWULg==\n'],
  [[], ''],
  [[''], '0\n'],
];

describe('packed buffers', () => {
  for (const [buffers, packed] of SEEN) {
    it(`are written as the SDK writes them: ${JSON.stringify(packed)}`, () => {
      assert.equal(packBuffers(buffers), packed);
    });

    it(`are read as the SDK writes them: ${JSON.stringify(packed)}`, () => {
      assert.deepEqual(unpackBuffers(packed), buffers);
    });
  }

  it('come back as they were, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(anyText), (buffers) => {
        assert.deepEqual(unpackBuffers(packBuffers(buffers)), buffers);
      }),
    );
  });

  for (const [name, packed, message] of [
    ['without a length', '\n11\n1', /expected a length and a line feed at character 0/],
    ['with a length that is no number', 'x1\n11\n1', /expected a length/],
    ['with a negative length', '-4\n11\n1', /expected a length/],
    ['with a length and nothing else', '4', /expected a length and a line feed/],
    ['that were cut', '4\n11\n', /ends before the 4 characters announced at character 0/],
    ['that were cut after a pair', '4\n😀😀', /ends before the 4 characters/],
    ['with a length beyond all bounds', `${'9'.repeat(400)}\n1`, /ends before/],
    ['of which the second is broken', '4\n11\n1z', /at character 6/],
  ] as const) {
    it(`${name} are refused, with the place`, () => {
      assert.throws(() => unpackBuffers(packed), unreadable(message));
    });
  }
});

describe('codePointLength', () => {
  const python = usePython();

  it("is Python's len, of emoji and of lone surrogates too", async () => {
    const texts = [...fc.sample(anyText, 300), '', 'a😀b', '\ud83d', '\ude00\ud83d', '\ud83d\ud83d\ude00', '👩‍👩‍👧'];
    const lengths = await python.evaluate('[len(text) for text in value]', texts);
    assert.deepEqual(texts.map(codePointLength), lengths);
    assert.deepEqual(
      texts.map((text) => [...text].length),
      lengths,
    );
  });
});
