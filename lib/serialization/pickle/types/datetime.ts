import { type MakerTable, PythonObject } from '../python-objects.js';

/**
 * What is in `datetime`, and the zones of `zoneinfo`.
 *
 * Points in time are text, as `isoformat()` writes it: `2024-02-29T13:05:09.000001+01:00`. In a zone that has a name, the
 * name is in the place of the offset: `2024-02-29T13:05:09[Europe/Paris]`. A Date would drop the microseconds and the
 * offset, and would have to guess the zone of a naive datetime; `new Date(text)` makes one. A timedelta is seconds.
 *
 * Source of the packed bytes: CPython, `Lib/_pydatetime.py`, `_getstate`.
 */
export const datetimes: MakerTable = {
  'datetime.date': ([packed]) => (isPacked(packed, 4) ? dateText(packed) : undefined),
  'datetime.time'([packed, zone = null], { name }) {
    return isPacked(packed, 6) ? zoned(name, timeText(packed, 0), zone) : undefined;
  },
  'datetime.datetime'([packed, zone = null], { name }) {
    return isPacked(packed, 10) ? zoned(name, `${dateText(packed)}T${timeText(packed, 4)}`, zone) : undefined;
  },
  'datetime.timedelta'([days, seconds, microseconds]) {
    if (typeof days !== 'number' || typeof seconds !== 'number' || typeof microseconds !== 'number') return undefined;
    // One division, so that the sum is rounded once, as in `total_seconds()`.
    return ((days * 86_400 + seconds) * 1e6 + microseconds) / 1e6;
  },
  'datetime.timezone': ([offset], { name }) =>
    typeof offset === 'number' ? new Zone(name, [offset], offsetText(offset)) : undefined,
  'zoneinfo.ZoneInfo._unpickle': ([key]) =>
    typeof key === 'string' ? new Zone('zoneinfo.ZoneInfo', [key], `[${key}]`) : undefined,
};

/** A time zone. By itself it is shown as any unknown object; a time in it ends with the suffix. */
class Zone extends PythonObject {
  readonly #suffix: string;

  constructor($python: string, args: readonly unknown[], suffix: string) {
    super($python, args);
    this.#suffix = suffix;
  }

  get suffix(): string {
    return this.#suffix;
  }
}

/** A time in a zone of some other library is shown as an object, with the time as text. */
function zoned(name: string, text: string, zone: unknown): unknown {
  if (zone === null) return text;
  return zone instanceof Zone ? text + zone.suffix : new PythonObject(name, [text, zone]);
}

function isPacked(value: unknown, length: number): value is Buffer {
  return Buffer.isBuffer(value) && value.length === length;
}

/** Two bytes of year, then month and day. The highest bit of the month is `fold`. */
function dateText(packed: Buffer): string {
  return `${padded(packed.readUInt16BE(0), 4)}-${padded(packed.readUInt8(2) & 0x7f)}-${padded(packed.readUInt8(3))}`;
}

/** Hour, minute, second, and three bytes of microseconds. The highest bit of the hour is `fold`, in a time. */
function timeText(packed: Buffer, start: number): string {
  const [hour, minute, second] = [0, 1, 2].map((i) => padded(packed.readUInt8(start + i) & 0x7f));
  return `${hour}:${minute}:${second}${fractionText(packed.readUIntBE(start + 3, 3))}`;
}

/** As `isoformat()`: nothing, or six digits. */
function fractionText(microseconds: number): string {
  return microseconds === 0 ? '' : `.${padded(microseconds, 6)}`;
}

/** @param offset seconds, east of Greenwich */
function offsetText(offset: number): string {
  const microseconds = Math.round(Math.abs(offset) * 1e6);
  const seconds = Math.floor(microseconds / 1e6);
  const fraction = fractionText(microseconds % 1e6);
  const rest = seconds % 60 === 0 && fraction === '' ? '' : `:${padded(seconds % 60)}${fraction}`;
  return `${offset < 0 ? '-' : '+'}${padded(Math.floor(seconds / 3600))}:${padded(Math.floor(seconds / 60) % 60)}${rest}`;
}

function padded(value: number, digits = 2): string {
  return String(value).padStart(digits, '0');
}
