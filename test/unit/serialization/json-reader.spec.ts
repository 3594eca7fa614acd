import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parsePythonJson } from '../../../lib/serialization/index.js';
import { unreadable } from './errors.js';
import { usePython } from './python.js';

describe('parsePythonJson', () => {
  const python = usePython();

  describe('reads what json.dumps writes', () => {
    const values: [expression: string, value: unknown][] = [
      ['None', null],
      ['[True, False]', [true, false]],
      ['math.nan', Number.NaN],
      ['[math.inf, -math.inf, math.nan]', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]],
      ['{"x": math.nan, "y": [1, 2.5]}', { x: Number.NaN, y: [1, 2.5] }],
      ['-0.0', -0],
      ['2**53 - 1', 9007199254740991],
      ['2**53', 9007199254740992n],
      ['-(2**53) - 1', -9007199254740993n],
      ['[10**40, -(10**40)]', [10n ** 40n, -(10n ** 40n)]],
      ['[1700000000123456789, "1700000000123456789"]', [1700000000123456789n, '1700000000123456789']],
      [
        '[0.1234567890123456, 1e22, 1e-7, 5e-324, 1.7976931348623157e308]',
        [0.1234567890123456, 1e22, 1e-7, 5e-324, 1.7976931348623157e308],
      ],
      ['[10**40, 0.30000000000000004, 1e22]', [10n ** 40n, 0.30000000000000004, 1e22]],
      ['"é😀\\ud83d\\n\\\\ \\" \\x00 \\u2028"', 'é😀\ud83d\n\\ " \x00 \u2028'],
      ['[math.nan, "é😀\\ud83d\\n\\\\ \\" \\x00 \\u2028", ""]', [Number.NaN, 'é😀\ud83d\n\\ " \x00 \u2028', '']],
      ['[math.nan, {}, [], {"": {}}, [[]]]', [Number.NaN, {}, [], { '': {} }, [[]]]],
      ['{2: "a", None: "b", True: "c"}', { 2: 'a', null: 'b', true: 'c' }],
    ];
    for (const [expression, value] of values) {
      for (const indent of ['None', '1']) {
        it(`${expression}, indent ${indent}`, async () => {
          const text = await python.evaluate(`json.dumps(${expression}, indent=${indent})`);
          assert.deepEqual(parsePythonJson(String(text)), value);
        });
      }
    }
  });

  it('keeps the names of all members in their own object', () => {
    for (const text of ['{"__proto__": {"polluted": true}}', '{"__proto__": {"polluted": true}, "x": NaN}']) {
      const object = parsePythonJson(text) as object;
      assert(Object.hasOwn(object, '__proto__'));
      assert.equal(Object.getPrototypeOf(object), Object.prototype);
      assert(!('polluted' in object));
    }
  });

  it('reads a float that no double can hold as Python does', async () => {
    assert.equal(await python.evaluate('repr(json.loads(value))', '[1e400, -1e400]'), '[inf, -inf]');
    assert.deepEqual(parsePythonJson('[1e400, -1e400]'), [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    assert.deepEqual(parsePythonJson('[1e400, NaN]'), [Number.POSITIVE_INFINITY, Number.NaN]);
  });

  it('gives large integers as their digits, if asked for', () => {
    const text = '[1, 9007199254740991, 9007199254740992, -12345678901234567890]';
    assert.deepEqual(parsePythonJson(text, { integers: 'text' }), [
      1,
      9007199254740991,
      '9007199254740992',
      '-12345678901234567890',
    ]);
  });

  it('agrees with JSON.parse wherever that can read, whichever way it takes itself', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!holdsLargeInteger(value));
        const json = JSON.stringify(value);
        assert.deepEqual(parsePythonJson(json), JSON.parse(json));
        assert.deepEqual(parsePythonJson(`[NaN,${json}]`), [Number.NaN, JSON.parse(json)]);
      }),
    );
  });

  it('refuses what JSON.parse refuses, but for the three words of Python', () => {
    const fragments = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      'a',
      '"k"',
      '1',
      '-',
      '.',
      'e',
      '0',
      ' ',
      'null',
      '\u0001',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...fragments), { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          assert.throws(() => parsePythonJson(text), unreadable(/^Not JSON: /), text);
          return;
        }
        assert.deepEqual(parsePythonJson(text), expected);
      }),
      { numRuns: 2000 },
    );
  });

  describe('says where the text is no JSON', () => {
    for (const [text, message] of [
      ['', 'expected a value, but the text ends at character 0 (line 1, column 1)'],
      ['[1, 2', 'expected "," or "]", but the text ends at character 5 (line 1, column 6)'],
      ['{"a": 1,\n "b" 2}', 'expected ":", but found "2" at character 14 (line 2, column 6)'],
      ['{a: 1}', 'expected a member name in double quotes, but found "a" at character 1 (line 1, column 2)'],
      ['[1,]', 'expected a value, but found "]" at character 3 (line 1, column 4)'],
      ['1 2', 'expected nothing more, but found "2" at character 2 (line 1, column 3)'],
      ['1.', 'expected a digit, but the text ends at character 2 (line 1, column 3)'],
      ['-x', 'expected a digit, but found "x" at character 1 (line 1, column 2)'],
      ['[😀]', 'expected a value, but found "😀" at character 1 (line 1, column 2)'],
      ['"abc', 'a string is not closed at character 0 (line 1, column 1)'],
      ['["a\nb"]', 'a control character stands in a string at character 3 (line 1, column 4)'],
      ['["\\x"]', 'a string holds a bad escape at character 1 (line 1, column 2)'],
    ] as const) {
      it(JSON.stringify(text), () => {
        assert.throws(
          () => parsePythonJson(text),
          (error: Error) => unreadable(/./)(error) && error.message === `Not JSON: ${message}.`,
        );
      });
    }
  });

  it('refuses an integer that would take minutes', () => {
    assert.throws(() => parsePythonJson(`[${'9'.repeat(1_000_001)}]`), unreadable(/An integer has 1000001 digits/));
    assert.doesNotThrow(() => parsePythonJson(`[${'9'.repeat(4300)}]`));
  });

  it('refuses nesting without end, and does not fall over it', () => {
    for (const text of ['['.repeat(1e6), '{"a":'.repeat(1e5), `${'['.repeat(1e5)}NaN${']'.repeat(1e5)}`]) {
      assert.throws(() => parsePythonJson(text), unreadable(/nested more than 2000 levels deep/));
    }
  });

  it('reads as deep as Python writes', async () => {
    const text = await python.evaluate('"[" * 900 + "NaN" + "]" * 900');
    let value = parsePythonJson(String(text));
    for (let level = 0; level < 900; level++) value = (value as unknown[])[0];
    assert.equal(value, Number.NaN);
  });
});

/** JSON.parse rounds these. */
function holdsLargeInteger(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsLargeInteger);
}
