// IP addresses and prefixes as text and bytes, and the addresses of the overlay (V1): a network's IPv6 prefix and a
// node's IPv6 address derive from keys, so nobody has to hand them out.
import type { Primitives } from '../primitives.ts';

/** Bytes of an address (4 or 16) and how many leading bits count. */
export interface Prefix {
  readonly bytes: Uint8Array;
  readonly length: number;
}

const DECIMAL_OCTET = /^(0|[1-9]\d{0,2})$/;
const HEX_GROUP = /^[0-9a-f]{1,4}$/;

/** Dotted IPv4 without leading zeros; null where it is anything else. */
export function parseIp4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every(part => DECIMAL_OCTET.test(part) && Number(part) <= 255))
    return null;
  return Uint8Array.from(parts, Number);
}

/** IPv6 text in lower case without zone or dotted part; null where it is anything else. */
export function parseIp6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2 || text.length > 39) return null;
  const [head, tail] = halves.map(half => (half === '' ? [] : half.split(':')));
  const given = [...head!, ...(tail ?? [])];
  if (!given.every(group => HEX_GROUP.test(group))) return null;
  if (tail === undefined ? given.length !== 8 : given.length > 7) return null;
  const groups = [...head!, ...Array<string>(8 - given.length).fill('0'), ...(tail ?? [])];
  return Uint8Array.from(groups.flatMap(group => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]));
}

export const formatIp4 = (bytes: Uint8Array): string => bytes.join('.');

/** RFC 5952: lower case, the longest run of zeros (two or more groups, the first of equals) as `::`. */
export function formatIp6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[2 * at]! << 8) | bytes[2 * at + 1]!).toString(16),
  );
  let best = { at: 0, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (groups[at + length] === '0') length++;
    if (length > best.length) best = { at, length };
  }
  if (best.length === 1) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}

/** Is this the one way to write that address? */
export function isCanonicalAddress(text: string, family: 4 | 6): boolean {
  const bytes = family === 4 ? parseIp4(text) : parseIp6(text);
  return bytes !== null && (family === 4 ? formatIp4(bytes) : formatIp6(bytes)) === text;
}

/** `10.77.0.0/16`, `fd6a::/48`: null where malformed, not canonical, or with bits set behind the prefix. */
export function parsePrefix(text: string): Prefix | null {
  const [address, digits, ...rest] = text.split('/');
  if (address === undefined || digits === undefined || rest.length > 0 || !DECIMAL_OCTET.test(digits))
    return null;
  const family = address.includes(':') ? 6 : 4;
  const bytes = family === 4 ? parseIp4(address) : parseIp6(address);
  const length = Number(digits);
  if (bytes === null || length > bytes.length * 8 || !isCanonicalAddress(address, family)) return null;
  return bytes.some((byte, at) => (byte & (0xff >> Math.min(8, Math.max(0, length - at * 8)))) !== 0)
    ? null
    : { bytes, length };
}

/** Do two prefixes have an address in common? */
export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  if (a.bytes.length !== b.bytes.length) return false;
  return sameBits(a.bytes, b.bytes, Math.min(a.length, b.length));
}

export const prefixHolds = (prefix: Prefix, address: Uint8Array): boolean =>
  prefix.bytes.length === address.length && sameBits(prefix.bytes, address, prefix.length);

function sameBits(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let at = 0; at * 8 < bits; at++) {
    const kept = Math.min(8, bits - at * 8);
    if (((a[at]! ^ b[at]!) & (0xff00 >> kept) & 0xff) !== 0) return false;
  }
  return true;
}

/** The overlay's /48 (RFC 4193): fd and 40 bits of BLAKE2s(network id bytes). `fd6a:91c2:44d0::/48`. */
export const networkPrefix6 = (primitives: Primitives, network: Uint8Array): string =>
  `${formatIp6(prefixBytes(primitives, network))}/48`;

/** A node's address in it: subnet 0, then 64 bits of BLAKE2s(Ed25519 identity key). */
export function virtualIp6(primitives: Primitives, network: Uint8Array, identityKey: Uint8Array): string {
  const bytes = prefixBytes(primitives, network);
  bytes.set(primitives.blake2s(identityKey).subarray(0, 8), 8);
  return formatIp6(bytes);
}

function prefixBytes(primitives: Primitives, network: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[0] = 0xfd;
  bytes.set(primitives.blake2s(network).subarray(0, 5), 1);
  return bytes;
}

/** `home.example.net:7443`, `203.0.113.1:7443`, `[2001:db8::1]:7443`; null where it is none of them. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number } | null {
  const match = /^(?:\[([0-9a-f:]{2,39})\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})?)):([1-9]\d{0,4})$/.exec(
    text,
  );
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return null;
  if (match[1] !== undefined) return parseIp6(match[1]) === null ? null : { host: match[1], port };
  return { host: match[2]!, port };
}

/** The same the other way; IPv6 addresses get their brackets. */
export const formatHostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
