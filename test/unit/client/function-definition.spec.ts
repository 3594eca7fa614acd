import assert from 'node:assert/strict';
import { registrationOf, topLevelFunctions } from '../../../dist/lib/function-definition.js';

describe('the functions at the top level of a source', () => {
  for (const [what, source, names] of [
    ['are found in their order', 'def a(): pass\n\ndef b(x):\n    return x\n', ['a', 'b']],
    ['may be asynchronous', 'async def a(): pass\nasync  def  b (): pass', ['a', 'b']],
    [
      'may have names in other scripts',
      'def größe(): pass\ndef 分析(): pass\ndef _x1(): pass',
      ['größe', '分析', '_x1'],
    ],
    ['may have type parameters', 'def first[T](xs: list[T]) -> T: ...', ['first']],
    ['may be decorated', '@cache\ndef a(): pass', ['a']],
    ['may stand on several lines', 'def a(\n    x,\n    y,\n):\n    pass', ['a']],
    ['may end with carriage returns', 'def a():\r\n    pass\r\ndef b():\r\n    pass', ['a', 'b']],
    ['are not those inside of others', 'def a():\n    def b(): pass\nclass C:\n    def d(self): pass', ['a']],
    ['are not comments or calls', '# def a(): pass\nprint("x")\ndefine(1)\ndef_x = 1', []],
    ['may be none', '', []],
  ] as const) {
    it(what, () => {
      assert.deepEqual(topLevelFunctions(source), names);
    });
  }
});

describe('the registration of a definition', () => {
  const source = 'def a(): pass\ndef b(): pass';

  it('calls the last function, or the one that is named', () => {
    assert.match(registrationOf({ source }).function_code, /^\d+\nst\nb:def a/);
    assert.match(registrationOf({ source, entryPoint: 'a' }).function_code, /^\d+\nst\na:def a/);
    assert.match(registrationOf({ source, entryPoint: '' }).function_code, /^\d+\nst\nb:def a/);
  });

  it('is named as the function, or as is said', () => {
    assert.equal(registrationOf({ source }).function_name, 'b');
    assert.equal(registrationOf({ source, name: 'My analysis' }).function_name, 'My analysis');
    assert.equal(registrationOf({ source, name: '' }).function_name, 'b');
  });

  it('counts the length of its code in characters as Python does', () => {
    // Seen on a real worker: 29 code points, 30 UTF-16 units, 32 bytes.
    assert.equal(
      registrationOf({ source: "def f():\n    return '😀'\n" }).function_code,
      "29\nst\nf:def f():\n    return '😀'\n",
    );
  });

  it('leaves out what is not said', () => {
    const fields = Object.keys(registrationOf({ source, description: '', group: '', public: false })).sort();
    assert.deepEqual(fields, ['function_code', 'function_name', 'meta']);
    const group = '6f1d2c30-b499-41ea-91c1-0a0ee5aecb35';
    const all = registrationOf({ source, description: 'd', group, public: true });
    assert.deepEqual([all.description, all.group, all.public], ['d', group, true]);
  });

  for (const [what, definition, message] of [
    ['has no source', { source: '' }, /no source/],
    ['has nothing but blanks', { source: ' \n' }, /no source/],
    ['has no text as source', { source: 7 as never }, /no source/],
    ['defines no function', { source: 'x = 1' }, /no function/],
    ['names what is no name', { source, entryPoint: 'a b' }, /"a b" is not a Python name/],
    ['names what would be code', { source, entryPoint: 'a:b' }, /not a Python name/],
  ] as const) {
    it(`is refused when it ${what}`, () => {
      assert.throws(() => registrationOf(definition), { code: 'BAD_INPUT', message });
    });
  }
});
