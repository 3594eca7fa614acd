/**
 * Pickles for Python, of the plain values in the table of `python-values.ts`.
 *
 * Protocol 3, which every Python 3 reads. Nothing is memoized, so a value that is in two places becomes two.
 */
import { types } from 'node:util';
import { isPythonInt, type Plain, plainValue } from '../python-values.js';
import { ValuePath } from '../value-path.js';
import { ByteSink } from './byte-sink.js';
import { toTwosComplement } from './long.js';
import { OPCODES } from './opcodes.js';

/** Written as a Python `tuple`; arrays are written as lists. */
export class PythonTuple {
  constructor(readonly items: readonly unknown[]) {}
}

const PROTOCOL = 3;
const GLOBAL_SET = Buffer.from('cbuiltins\nset\n', 'latin1');

/**
 * The pickle of a value.
 *
 * @param root what errors call the value
 * @throws SerializationError `NOT_SERIALIZABLE`, with the path of what cannot be written
 */
export function writePickle(value: unknown, root = 'payload'): Buffer {
  return new PickleWriter(root).write(value);
}

class PickleWriter {
  readonly #sink = new ByteSink();
  readonly #path: ValuePath;

  constructor(root: string) {
    this.#path = new ValuePath(root);
  }

  write(value: unknown): Buffer {
    this.#sink.byte(OPCODES.PROTO);
    this.#sink.byte(PROTOCOL);
    this.#value(value, '');
    this.#sink.byte(OPCODES.STOP);
    return this.#sink.finish();
  }

  #value(value: unknown, key: string | number): void {
    this.#plain(plainValue(value, key));
  }

  #plain(plain: Plain): void {
    switch (typeof plain) {
      case 'boolean':
        this.#sink.byte(plain ? OPCODES.NEWTRUE : OPCODES.NEWFALSE);
        break;
      case 'number':
        this.#number(plain);
        break;
      case 'bigint':
        this.#integer(plain);
        break;
      case 'string':
        this.#text(plain);
        break;
      default:
        if (plain) this.#container(plain);
        else this.#sink.byte(OPCODES.NONE);
    }
  }

  #text(text: string): void {
    this.#sink.byte(OPCODES.BINUNICODE);
    this.#sink.countedText(text);
  }

  #number(value: number): void {
    if (value === (value | 0) && !Object.is(value, -0)) {
      this.#sink.byte(OPCODES.BININT);
      this.#sink.int32(value);
    } else if (isPythonInt(value)) {
      this.#integer(BigInt(value));
    } else {
      this.#sink.byte(OPCODES.BINFLOAT);
      this.#sink.doubleBE(value);
    }
  }

  #integer(value: bigint): void {
    const bytes = toTwosComplement(value);
    if (bytes.length < 0x100) {
      this.#sink.byte(OPCODES.LONG1);
      this.#sink.byte(bytes.length);
      this.#sink.bytes(bytes);
    } else {
      this.#sink.byte(OPCODES.LONG4);
      this.#sink.countedBytes(bytes);
    }
  }

  #container(container: object): void {
    if (types.isUint8Array(container)) {
      this.#sink.byte(OPCODES.BINBYTES);
      this.#sink.countedBytes(container);
      return;
    }
    this.#path.enter(container);
    if (Array.isArray(container)) this.#list(container);
    else if (types.isSet(container)) this.#set(container);
    else if (types.isMap(container)) this.#map(container);
    else if (container instanceof PythonTuple) this.#tuple(container.items);
    else this.#dict(container as Readonly<Record<string, unknown>>);
    this.#path.leave();
  }

  #list(items: readonly unknown[]): void {
    this.#sink.byte(OPCODES.EMPTY_LIST);
    this.#sink.byte(OPCODES.MARK);
    this.#items(items);
    this.#sink.byte(OPCODES.APPENDS);
  }

  #tuple(items: readonly unknown[]): void {
    this.#sink.byte(OPCODES.MARK);
    this.#items(items);
    this.#sink.byte(OPCODES.TUPLE);
  }

  #items(items: readonly unknown[]): void {
    for (const [index, item] of items.entries()) {
      this.#path.at(index);
      this.#value(item, index);
    }
  }

  /** Protocol 3 has no opcode for a set: it is a call of `set` with a list. */
  #set(items: ReadonlySet<unknown>): void {
    this.#sink.bytes(GLOBAL_SET);
    this.#sink.byte(OPCODES.EMPTY_LIST);
    this.#sink.byte(OPCODES.MARK);
    let index = 0;
    for (const item of items) {
      this.#path.at(index++);
      this.#hashable(item);
    }
    this.#sink.byte(OPCODES.APPENDS);
    this.#sink.byte(OPCODES.TUPLE1);
    this.#sink.byte(OPCODES.REDUCE);
  }

  #map(map: ReadonlyMap<unknown, unknown>): void {
    this.#sink.byte(OPCODES.EMPTY_DICT);
    this.#sink.byte(OPCODES.MARK);
    let index = 0;
    for (const [key, member] of map) {
      this.#path.at(typeof key === 'string' ? key : index);
      this.#hashable(key);
      this.#value(member, String(key));
      index++;
    }
    this.#sink.byte(OPCODES.SETITEMS);
  }

  #dict(members: Readonly<Record<string, unknown>>): void {
    this.#sink.byte(OPCODES.EMPTY_DICT);
    this.#sink.byte(OPCODES.MARK);
    for (const name of Object.keys(members)) {
      this.#path.at(name);
      const member = plainValue(members[name], name);
      if (member === undefined) continue;
      this.#text(name);
      this.#plain(member);
    }
    this.#sink.byte(OPCODES.SETITEMS);
  }

  /** A member of a set, or a key of a dict: there a list must be a tuple, and other containers cannot be. */
  #hashable(value: unknown): void {
    if (Array.isArray(value)) {
      this.#path.enter(value);
      this.#sink.byte(OPCODES.MARK);
      for (const [index, item] of value.entries()) {
        this.#path.at(index);
        this.#hashable(item);
      }
      this.#sink.byte(OPCODES.TUPLE);
      this.#path.leave();
      return;
    }
    const plain = plainValue(value, '');
    if (typeof plain === 'object' && plain !== null && !types.isUint8Array(plain)) {
      throw this.#path.error('is in a set or a key of a Map, where Python takes plain values and tuples (arrays) only');
    }
    this.#plain(plain);
  }
}
