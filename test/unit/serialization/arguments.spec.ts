import assert from 'node:assert/strict';
import type { OutOfBand } from '../../../lib/compute/service.js';
import {
  BufferCollector,
  deserializeResult,
  packArguments,
  restoreBuffers,
  stringifyForPython,
  unpackBuffers,
} from '../../../lib/serialization/index.js';
import { unreadable, unwritable } from './errors.js';
import { usePython } from './python.js';

describe('packArguments', () => {
  const python = usePython();

  for (const rawBytes of [true, false]) {
    describe(`with rawBytes ${rawBytes}`, () => {
      it('gives the text of the contract', () => {
        assert.equal(packArguments([1], {}, { rawBytes }), '6\n11\n[1]5\n11\n{}');
        assert.equal(packArguments(['😀'], { b: 40 }, { rawBytes }), '8\n11\n["😀"]11\n11\n{"b":40}');
        assert.equal(packArguments([], {}, { rawBytes }), '5\n11\n[]5\n11\n{}');
      });
    });
  }

  it('gives what a worker unpacks to arguments and keywords', async () => {
    const text = packArguments([Number.NaN, '👩‍👩‍👧 \ud83d', 2n ** 70n], { ключ: [undefined] }, { rawBytes: false });
    const unpacked = await python.evaluate(
      `(lambda text: [
        (size := text.index("\\n"), first := text[size + 1 : size + 1 + int(text[:size])],
         rest := text[size + 1 + len(first):], second := rest[rest.index("\\n") + 1:],
         len(second) == int(rest[:rest.index("\\n")]),
         repr([json.loads(first[3:]), json.loads(second[3:])]))[-2:]
      ][0])(value)`,
      text,
    );
    assert.deepEqual(unpacked, [
      true,
      "[[nan, '👩\\u200d👩\\u200d👧 \\ud83d', 1180591620717411303424], {'ключ': [None]}]",
    ]);
  });

  it('puts bytes beside the text, of arguments and keywords, in order', () => {
    const first = Buffer.from([1]);
    const second = new Uint8Array([2, 3]);
    const packed = packArguments([{ image: first }], { raw: [second.buffer, first] }, { rawBytes: true });
    assert(typeof packed === 'object');
    assert.deepEqual(
      packed.buffers.map((bytes) => [...bytes]),
      [[1], [2, 3], [1]],
    );
    assert.equal(packed.buffers[0], first, 'not copied');
    assert.deepEqual(unpackBuffers(packed.text), [
      `11\n[{"image":{"${packed.tag}":0}}]`,
      `11\n{"raw":[{"${packed.tag}":1},{"${packed.tag}":2}]}`,
    ]);
  });

  it('refuses bytes where the service cannot carry them, and says what to do', () => {
    assert.throws(
      () => packArguments([1, { image: Buffer.alloc(1) }], {}, { rawBytes: false }),
      unwritable(/^args\[1\]\.image holds bytes, .*base64.*embedded hub/),
    );
    assert.throws(
      () => packArguments([], { image: Buffer.alloc(1) }, { rawBytes: false }),
      unwritable(/^kwargs\.image holds bytes/),
    );
  });
});

describe('bytes beside the text', () => {
  function sent(value: unknown): [text: string, buffers: OutOfBand] {
    const buffers = new BufferCollector();
    return [`11\n${stringifyForPython(value, buffers)}`, buffers];
  }

  it('come back in their places', () => {
    const value = {
      image: Buffer.from('one'),
      list: [Buffer.alloc(0), [{ deep: Buffer.from('two') }], 1, null, 'text'],
      other: 1,
    };
    const [text, buffers] = sent(value);
    assert.deepEqual(deserializeResult(text, buffers), value);
  });

  it('come back as the value itself', () => {
    assert.deepEqual(deserializeResult(...sent(Buffer.from('all'))), Buffer.from('all'));
  });

  it('come back under a member named __proto__', () => {
    const value = JSON.parse('{"__proto__": 0}');
    Object.defineProperty(value, '__proto__', { value: Buffer.from('x'), enumerable: true });
    const back = deserializeResult(...sent(value)) as object;
    assert.deepEqual(Object.getOwnPropertyDescriptor(back, '__proto__')?.value, Buffer.from('x'));
    assert.equal(Object.getPrototypeOf(back), Object.prototype);
  });

  it('come back from a part of a larger buffer', () => {
    const part = Buffer.from('abcdef').subarray(2, 4);
    assert.deepEqual(deserializeResult(...sent([part])), [Buffer.from('cd')]);
  });

  it('come back beside numbers that only Python writes', () => {
    const value = [Buffer.from('x'), Number.NaN, 2n ** 64n];
    assert.deepEqual(deserializeResult(...sent(value)), value);
  });

  it('have a tag that nobody can guess', () => {
    const tags = Array.from({ length: 100 }, () => new BufferCollector().tag);
    assert.equal(new Set(tags).size, 100);
    for (const tag of tags) assert.match(tag, /^\$bytes:[0-9a-f]{32}$/);
  });

  it('leave data alone that looks like a reference with another tag', () => {
    const [, buffers] = sent(Buffer.from('secret'));
    const forged = { [new BufferCollector().tag]: 0 };
    assert.deepEqual(restoreBuffers(forged, buffers), forged);
  });

  it('are looked for at any depth', () => {
    let value: unknown = { '$bytes:x': 0 };
    for (let level = 0; level < 1e5; level++) value = [value];
    restoreBuffers(value, { tag: '$bytes:x', buffers: [Buffer.from('deep')] });
    for (let level = 0; level < 1e5; level++) value = (value as unknown[])[0];
    assert.deepEqual(value, Buffer.from('deep'));
  });

  it('are not looked for where there are none', () => {
    const value = { '$bytes:x': 0 };
    assert.equal(restoreBuffers(value, { tag: '$bytes:x', buffers: [] }), value);
  });

  for (const index of [1, -1, 0.5, '0', null, { toString: 1 }]) {
    it(`are missed if the text refers to buffer ${JSON.stringify(index)} of one`, () => {
      const outOfBand = { tag: '$bytes:x', buffers: [Buffer.alloc(1)] };
      assert.throws(
        () => deserializeResult(`11\n[{"$bytes:x":${JSON.stringify(index)}}]`, outOfBand),
        unreadable(/refers to buffer .*, but 1 came with it/),
      );
    });
  }
});

describe('deserializeResult', () => {
  it('reads the result of a worker, in JSON or as a pickle', () => {
    assert.equal(deserializeResult('11\n1', undefined), 1);
    assert.deepEqual(deserializeResult('00\ngASVCQAAAAAAAABLAYwBYZSGlC4=\n', undefined), [1, 'a']);
  });

  it('gives large integers as asked for, in JSON or as a pickle', () => {
    for (const result of ['11\n[18446744073709551616]', '00\ngANdigkAAAAAAAAAAAFhLg==\n']) {
      assert.deepEqual(deserializeResult(result, undefined), [18446744073709551616n]);
      assert.deepEqual(deserializeResult(result, undefined, { integers: 'bigint' }), [18446744073709551616n]);
      assert.deepEqual(deserializeResult(result, undefined, { integers: 'text' }), ['18446744073709551616']);
    }
  });
});
