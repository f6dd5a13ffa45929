// DER (X.690), as far as certificates need it: one value after another, each with its tag, its length and its contents.
import { accepted, refused } from '../result.ts';
import type { Result } from '../result.ts';

export interface DerValue {
  readonly tag: number;
  readonly contents: Uint8Array;
  /** Tag and length included. */
  readonly whole: Uint8Array;
}

export type DerRefusal = 'der.truncated' | 'der.tag' | 'der.length' | 'der.too-many';

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** `[n]`, constructed. */
export const explicitTag = (number: number): number => 0xa0 | number;

const MAX_VALUES = 256;

/** All values that stand one after another in these bytes; lengths in their shortest form only. */
export function readDer(bytes: Uint8Array): Result<readonly DerValue[], DerRefusal> {
  const values: DerValue[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (values.length >= MAX_VALUES) return refused('der.too-many');
    const value = readOne(bytes, at);
    if (!value.ok) return value;
    values.push(value.value);
    at += value.value.whole.length;
  }
  return accepted(values);
}

function readOne(bytes: Uint8Array, at: number): Result<DerValue, DerRefusal> {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) return refused('der.truncated');
  if ((tag & 0x1f) === 0x1f) return refused('der.tag');
  const extra = first < 0x80 ? 0 : first & 0x7f;
  if (first >= 0x80 && (extra === 0 || extra > 3)) return refused('der.length');
  const start = at + 2 + extra;
  if (start > bytes.length) return refused('der.truncated');
  const length =
    extra === 0 ? first : bytes.subarray(at + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
  if (extra > 0 && (length < 0x80 || length < 256 ** (extra - 1))) return refused('der.length');
  if (start + length > bytes.length) return refused('der.truncated');
  const whole = bytes.subarray(at, start + length);
  return accepted({ tag, contents: bytes.subarray(start, start + length), whole });
}

/** `1.2.840.113549`; null where the bytes are none, or a part is longer than 28 bits. */
export function oidText(contents: Uint8Array): string | null {
  const parts: number[] = [];
  let part = 0;
  let digits = 0;
  for (const byte of contents) {
    if ((digits === 0 && byte === 0x80) || digits === 4) return null;
    part = part * 128 + (byte & 0x7f);
    digits++;
    if (byte >= 0x80) continue;
    parts.push(part);
    [part, digits] = [0, 0];
  }
  if (digits > 0 || parts.length === 0) return null;
  const [head = 0, ...rest] = parts;
  const top = Math.min(2, Math.floor(head / 40));
  return [top, head - top * 40, ...rest].join('.');
}

// ---- writing

export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const contents = Uint8Array.from(parts.flatMap(part => [...part]));
  return Uint8Array.from([tag, ...lengthBytes(contents.length), ...contents]);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  return [0x80 | bytes.length, ...bytes];
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(TAG.sequence, ...parts);

/** A positive number, big endian. */
export function integer(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex(byte => byte !== 0);
  const short = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  return der(TAG.integer, Uint8Array.of(...(short[0]! >= 0x80 ? [0] : []), ...short));
}

export function oid(text: string): Uint8Array {
  const [top = 0, second = 0, ...rest] = text.split('.').map(Number);
  return der(TAG.oid, Uint8Array.from([top * 40 + second, ...rest].flatMap(base128)));
}

function base128(part: number): number[] {
  const digits = [part % 128];
  for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128))
    digits.unshift(0x80 | (left % 128));
  return digits;
}

/** With all bits of its bytes. */
export const bitString = (bytes: Uint8Array): Uint8Array => der(TAG.bitString, Uint8Array.of(0), bytes);

export const octetString = (bytes: Uint8Array): Uint8Array => der(TAG.octetString, bytes);

export const utf8 = (text: string): Uint8Array => der(TAG.utf8, new TextEncoder().encode(text));

/** Milliseconds since 1970, to the second; as RFC 5280 wants it: with two digits of the year before 2050. */
export function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replaceAll(/\.\d+|[-:T]/g, '');
  const isEarly = Number(digits.slice(0, 4)) < 2050;
  const text = isEarly ? digits.slice(2) : digits;
  return der(isEarly ? TAG.utcTime : TAG.generalizedTime, new TextEncoder().encode(text));
}
