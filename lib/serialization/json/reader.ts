/**
 * JSON as Python's `json` writes it, which is wider than the standard: `NaN`, `Infinity` and `-Infinity` stand bare, and
 * integers have any number of digits.
 */
import { SerializationError } from '../../compute/errors.js';
import { type BigIntegers, exactInteger } from '../big-integers.js';
import { setOwnMember } from '../own-member.js';

export interface JsonReadOptions {
  /** What becomes of integers beyond 2^53 - 1, which a JavaScript number cannot tell apart. @default 'bigint' */
  readonly integers?: BigIntegers | undefined;
}

/**
 * Levels of nesting that {@link JsonReader} follows. Python writes no more than its recursion limit, 1,000 by default.
 * JSON.parse needs no stack, and has no limit.
 */
const MAX_DEPTH = 2_000;

/** 2^53 has 16 digits. Of the two, the first is a great deal faster, and the second spares the digits of a fraction. */
const MANY_DIGITS = /\d{16}/;
const LONG_INTEGER = /(?:^|[^.\d])\d{16,}(?![\d.eE])/;

/**
 * Reads JSON text from Python.
 *
 * `__proto__` is a member like any other. A float too large for a double is `Infinity`, as Python reads it too.
 *
 * @throws SerializationError `NOT_DESERIALIZABLE`, saying where the text stops to be JSON
 */
export function parsePythonJson(text: string, options?: JsonReadOptions): unknown {
  if (!(MANY_DIGITS.test(text) && LONG_INTEGER.test(text))) {
    try {
      return JSON.parse(text);
    } catch {
      // Python's wider JSON, or no JSON at all: the reader below can tell, and can tell where.
    }
  }
  return new JsonReader(text, options?.integers).read();
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UPPER_E = 0x45;
const LEFT_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const RIGHT_BRACKET = 0x5d;
const LOWER_E = 0x65;
const LEFT_BRACE = 0x7b;
const RIGHT_BRACE = 0x7d;

const WORDS: readonly (readonly [word: string, value: unknown])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
];

/** One pass over one text. */
class JsonReader {
  readonly #text: string;
  readonly #integers: BigIntegers | undefined;
  #at = 0;
  #depth = 0;

  constructor(text: string, integers: BigIntegers | undefined) {
    this.#text = text;
    this.#integers = integers;
  }

  read(): unknown {
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#expected('nothing more');
    return value;
  }

  /** Code of the next character that is not white space, which stays unread; NaN at the end of the text. */
  #skipSpace(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== SPACE && code !== LINE_FEED && code !== CARRIAGE_RETURN && code !== TAB) return code;
      this.#at++;
    }
  }

  #value(): unknown {
    const code = this.#skipSpace();
    if (code === QUOTE) return this.#string();
    if (code === MINUS || isDigit(code)) return this.#number();
    if (code === LEFT_BRACE) return this.#object();
    if (code === LEFT_BRACKET) return this.#list();
    for (const [word, value] of WORDS) {
      if (this.#take(word)) return value;
    }
    throw this.#expected('a value');
  }

  #take(word: string): boolean {
    const there = this.#text.startsWith(word, this.#at);
    if (there) this.#at += word.length;
    return there;
  }

  #list(): unknown[] {
    const list: unknown[] = [];
    this.#enter();
    if (this.#skipSpace() !== RIGHT_BRACKET) {
      do list.push(this.#value());
      while (this.#another(RIGHT_BRACKET, '"," or "]"'));
    }
    this.#leave();
    return list;
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#enter();
    if (this.#skipSpace() !== RIGHT_BRACE) {
      do this.#member(object);
      while (this.#another(RIGHT_BRACE, '"," or "}"'));
    }
    this.#leave();
    return object;
  }

  #member(object: Record<string, unknown>): void {
    if (this.#skipSpace() !== QUOTE) throw this.#expected('a member name in double quotes');
    const name = this.#string();
    if (this.#skipSpace() !== COLON) throw this.#expected('":"');
    this.#at++;
    setOwnMember(object, name, this.#value());
  }

  /** Takes the comma that says that another item follows; false before the closing bracket. */
  #another(close: number, expected: string): boolean {
    const code = this.#skipSpace();
    if (code === close) return false;
    if (code !== COMMA) throw this.#expected(expected);
    this.#at++;
    return true;
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw this.#failed(`it is nested more than ${MAX_DEPTH} levels deep`);
    this.#at++;
  }

  #leave(): void {
    this.#depth--;
    this.#at++;
  }

  #string(): string {
    const start = this.#at;
    let escaped = false;
    for (let at = start + 1; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return escaped ? this.#unescape(start) : this.#text.slice(start + 1, at);
      }
      if (code < SPACE) {
        this.#at = at;
        throw this.#failed('a control character stands in a string');
      }
      if (code === BACKSLASH) {
        escaped = true;
        at++;
      }
    }
    throw this.#failed('a string is not closed');
  }

  /** The string token from `start` to here. */
  #unescape(start: number): string {
    try {
      return JSON.parse(this.#text.slice(start, this.#at));
    } catch {
      this.#at = start;
      throw this.#failed('a string holds a bad escape');
    }
  }

  #number(): number | bigint | string {
    const start = this.#at;
    if (this.#text.charCodeAt(start) === MINUS) {
      this.#at++;
      if (this.#take('Infinity')) return Number.NEGATIVE_INFINITY;
    }
    if (this.#text.charCodeAt(this.#at) === ZERO) this.#at++;
    else this.#digits();
    let integral = true;
    if (this.#text.charCodeAt(this.#at) === DOT) {
      integral = false;
      this.#at++;
      this.#digits();
    }
    const exponent = this.#text.charCodeAt(this.#at);
    if (exponent === LOWER_E || exponent === UPPER_E) {
      integral = false;
      this.#at++;
      const sign = this.#text.charCodeAt(this.#at);
      if (sign === PLUS || sign === MINUS) this.#at++;
      this.#digits();
    }
    const literal = this.#text.slice(start, this.#at);
    return integral ? exactInteger(literal, this.#integers) : Number(literal);
  }

  #digits(): void {
    const start = this.#at;
    while (isDigit(this.#text.charCodeAt(this.#at))) this.#at++;
    if (this.#at === start) throw this.#expected('a digit');
  }

  #expected(what: string): SerializationError {
    const found = this.#text.codePointAt(this.#at);
    const but = found === undefined ? 'the text ends' : `found ${JSON.stringify(String.fromCodePoint(found))}`;
    return this.#failed(`expected ${what}, but ${but}`);
  }

  #failed(what: string): SerializationError {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    const column = this.#at - this.#text.lastIndexOf('\n', this.#at - 1);
    return new SerializationError(
      'NOT_DESERIALIZABLE',
      `Not JSON: ${what} at character ${this.#at} (line ${line}, column ${column}).`,
    );
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
