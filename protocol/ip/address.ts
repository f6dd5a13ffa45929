// IP addresses as text and as bytes. Strict: what is accepted has one meaning, what is printed is canonical (RFC 5952).
import type { IpFamily } from '../address.ts';
import { accepted, refused, type Result } from '../result.ts';

export interface IpAddress {
  readonly family: IpFamily;
  /** 4 or 16 bytes, network order. */
  readonly bytes: Uint8Array;
}

const MAX_IP_TEXT = 45;

/** Dotted IPv4 (no leading zeros, no short forms) or IPv6 without a zone. Refuses with `ip.syntax`. */
export function parseIp(text: string): Result<IpAddress, 'ip.syntax'> {
  if (text.length > MAX_IP_TEXT) return refused('ip.syntax');
  const family: IpFamily = text.includes(':') ? 6 : 4;
  const bytes = family === 6 ? parseIp6(text) : parseIp4(text);
  return bytes === null ? refused('ip.syntax') : accepted({ family, bytes });
}

/** The canonical text of an address, or null where `text` is none. */
export function canonicalIp(text: string): string | null {
  const parsed = parseIp(text);
  return parsed.ok ? formatIp(parsed.value.bytes) : null;
}

/** The family that canonical text is of. */
export const familyOf = (address: string): IpFamily => (address.includes(':') ? 6 : 4);

/** 4 or 16 bytes as text; a TypeError for any other length. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return `${bytes[0]!}.${bytes[1]!}.${bytes[2]!}.${bytes[3]!}`;
  if (bytes.length !== 16) throw new TypeError(`an IP address has 4 or 16 bytes, not ${bytes.length}`);
  return isMapped(bytes) ? `::ffff:${formatIp(bytes.subarray(12))}` : formatGroups(groupsOf(bytes));
}

/** Is it an IPv4-mapped IPv6 address (`::ffff:192.0.2.1`)? */
export function isMapped(bytes: Uint8Array): boolean {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return false;
  for (let index = 0; index < 10; index++) if (bytes[index] !== 0) return false;
  return true;
}

function parseIp4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (let index = 0; index < 4; index++) {
    const value = parseDecimal(parts[index]!, 255);
    if (value === null) return null;
    bytes[index] = value;
  }
  return bytes;
}

/** A whole number from 0 to `max` (at most 99,999) without sign, blanks or leading zeros; null for anything else. */
export function parseDecimal(text: string, max: number): number | null {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(text)) return null;
  const value = Number(text);
  return value <= max ? value : null;
}

function parseIp6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const bytes = new Uint8Array(16);
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  groups.forEach((group, index) => {
    bytes[2 * index] = group >>> 8;
    bytes[2 * index + 1] = group & 0xff;
  });
  return bytes;
}

/** The 16-bit groups of one side of `::`; only the last may be dotted IPv4, and only where the address ends there. */
function parseGroups(text: string, atEnd: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else {
      const dotted = atEnd && index === parts.length - 1 ? parseIp4(part) : null;
      if (dotted === null) return null;
      groups.push((dotted[0]! << 8) | dotted[1]!, (dotted[2]! << 8) | dotted[3]!);
    }
  }
  return groups;
}

function groupsOf(bytes: Uint8Array): number[] {
  return Array.from({ length: 8 }, (_, index) => (bytes[2 * index]! << 8) | bytes[2 * index + 1]!);
}

/** RFC 5952: the longest run of two or more zero groups, the first of equal ones, becomes `::`. */
function formatGroups(groups: readonly number[]): string {
  let bestAt = -1;
  let best = 1;
  for (let at = 0; at < 8; at++) {
    let run = 0;
    while (at + run < 8 && groups[at + run] === 0) run++;
    if (run > best) [bestAt, best] = [at, run];
    at += run;
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map(group => group.toString(16))
      .join(':');
  return bestAt < 0 ? hex(0, 8) : `${hex(0, bestAt)}::${hex(bestAt + best, 8)}`;
}
