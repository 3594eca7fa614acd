import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readPickle } from '../../../lib/serialization/index.js';
import { unreadable } from './errors.js';
import { usePython } from './python.js';

const PROTOCOLS = [0, 1, 2, 3, 4, 5];

describe('readPickle of what is no pickle', () => {
  const python = usePython();

  it('is refused with the place, wherever it was cut', async () => {
    for (const protocol of PROTOCOLS) {
      const pickle = await python.pickle(
        '[1, -2.5, "text", b"bytes", {"a": (1, 2)}, {3}, 2**70, datetime.date.max]',
        protocol,
      );
      for (let length = 0; length < pickle.length; length++) {
        assert.throws(
          () => readPickle(pickle.subarray(0, length)),
          unreadable(/^Not a pickle: .* \(at byte \d+ of \d+\)/),
        );
      }
    }
  });

  it('gives a value or a clear error, whatever byte is wrong', async () => {
    const pickle = await python.pickle(
      '[1, -2.5, "text", b"bytes", {"a": (1, 2)}, {3}, 2**70, datetime.date.max, uuid.UUID(int=1)]',
    );
    fc.assert(
      fc.property(fc.nat(pickle.length - 1), fc.nat(255), (at, byte) => {
        const broken = Buffer.from(pickle);
        broken[at] = byte;
        try {
          readPickle(broken);
        } catch (error) {
          assert(unreadable(/./)(error), String(error));
        }
      }),
      { numRuns: 5000 },
    );
  });

  for (const [name, pickle, message] of [
    ['a later protocol', '\x80\x06N.', /protocol 6 is not known here/],
    ['an unknown opcode', '\x80\x04\xfe.', /there is no opcode 0xfe/],
    ['an empty stack', '.', /takes from an empty stack/],
    ['too few items for a tuple', 'N\x86.', /takes from an empty stack/],
    ['a mark that is not there', 'e.', /a mark that it did not set/],
    ['a reference to nothing', 'h\x05.', /refers back to object 5, which it does not hold/],
    ['a list that is none', 'NNa.', /adds items to what is no list/],
    ['a dict that is none', ']NNs.', /sets items of what is no dict/],
    ['a key without a value', '}(Vk\nu.', /a key without a value/],
    ['a key without a value, in protocol 0', '(Vk\nd.', /a key without a value/],
    ['an integer beyond all bounds', '\x8b\xff\xff\xff\x7f', /an integer has 2147483647 bytes/],
    ['arguments that are none', 'cbuiltins\nset\nNR.', /arguments that are no tuple/],
    ['a name that is no text', 'NN\x93.', /a name in it is no text/],
    ['an integer that is none', 'Ix\n.', /"x" is no integer/],
    ['a float that is none', 'Fx\n.', /"x" is no float/],
    ['an empty float', 'F\n.', /"" is no float/],
    ['more bytes than there are', '\x8e\x00\x00\x00\x00\x01\x00\x00\x00.', /announces more bytes than there are/],
    ['buffers out of band', '\x80\x05\x97.', /out-of-band data/],
    ['a persistent id', 'Pid\n.', /persistent ids/],
    ['an extension code', '\x82\x01.', /names a class by a number/],
    ['a reference number that is none', 'Npx\n.', /refers back to more than/],
    ['a negative reference number', 'Np-1\n.', /refers back to more than/],
  ] as const) {
    it(`is refused with ${name}`, () => {
      assert.throws(() => readPickle(Buffer.from(pickle, 'latin1')), unreadable(message));
    });
  }

  describe('has limits', () => {
    it('on its length', () => {
      assert.throws(() => readPickle(Buffer.alloc(11), { limits: { bytes: 10 } }), unreadable(/has 11 bytes, .* 10\./));
    });

    it('on its depth', () => {
      const nested = Buffer.from(`${'('.repeat(101)}${'t'.repeat(101)}.`);
      assert.throws(() => readPickle(nested, { limits: { depth: 100 } }), unreadable(/more than 100 levels deep/));
      assert.doesNotThrow(() => readPickle(nested, { limits: { depth: 101 } }));
    });

    it('on its memo', () => {
      assert.throws(
        () => readPickle(Buffer.from('Nr\x00\x00\x00\x01.', 'latin1')),
        unreadable(/more than 10000000 objects/),
      );
      assert.throws(
        () => readPickle(Buffer.from('Nq\x05.'), { limits: { memo: 5 } }),
        unreadable(/more than 5 objects/),
      );
    });

    it('on its operations', () => {
      const long = Buffer.from(`${'N0'.repeat(50)}N.`);
      assert.throws(() => readPickle(long, { limits: { operations: 101 } }), unreadable(/more than 101 operations/));
      assert.equal(readPickle(long, { limits: { operations: 102 } }), null);
    });

    it('that a pickle which says that it is enormous does not reach', () => {
      const enormous = Buffer.from('cbuiltins\nbytearray\n(J\xff\xff\xff\x7ftR.', 'latin1');
      assert.deepEqual({ ...(readPickle(enormous) as object) }, { $python: 'builtins.bytearray', args: [2147483647] });
    });
  });
});
