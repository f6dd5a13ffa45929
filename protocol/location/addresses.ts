// IP addresses and prefixes as text and bytes, and the addresses of the overlay (V1): a network's IPv6 prefix and a
// node's IPv6 address derive from keys, so nobody has to hand them out.
import { canonicalIp, familyOf, formatIp, parseDecimal, parseIp } from '../ip/address.ts';
import { splitHostPort } from '../ip/endpoint.ts';
import type { Primitives } from '../primitives.ts';

const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/;

/** Bytes of an address (4 or 16) and how many leading bits count. */
export interface Prefix {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** Is this the one way to write an address of that family? */
export const isCanonicalAddress = (text: string, family: 4 | 6): boolean =>
  familyOf(text) === family && canonicalIp(text) === text;

/** `10.77.0.0/16`, `fd6a::/48`: null where malformed, not canonical, or with bits set behind the prefix. */
export function parsePrefix(text: string): Prefix | null {
  const [address, digits, ...rest] = text.split('/');
  if (address === undefined || digits === undefined || rest.length > 0) return null;
  const ip = parseIp(address);
  if (!ip.ok || canonicalIp(address) !== address) return null;
  const { bytes } = ip.value;
  const length = parseDecimal(digits, bytes.length * 8);
  return length === null || bytes.some((byte, at) => (byte & hostBits(length, at)) !== 0)
    ? null
    : { bytes, length };
}

/** Those bits of the byte at that place that stand behind the prefix. */
const hostBits = (length: number, at: number): number => 0xff >> Math.min(8, Math.max(0, length - at * 8));

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
  `${formatIp(prefixBytes(primitives, network))}/48`;

/** A node's address in it: subnet 0, then 64 bits of BLAKE2s(Ed25519 identity key). */
export function virtualIp6(primitives: Primitives, network: Uint8Array, identityKey: Uint8Array): string {
  const bytes = prefixBytes(primitives, network);
  bytes.set(primitives.blake2s(identityKey).subarray(0, 8), 8);
  return formatIp(bytes);
}

function prefixBytes(primitives: Primitives, network: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[0] = 0xfd;
  bytes.set(primitives.blake2s(network).subarray(0, 5), 1);
  return bytes;
}

/** `home.example.net:7443`, `203.0.113.1:7443`, `[2001:db8::1]:7443`; null where it is none of them. */
export function parseHostPort(text: string): { readonly host: string; readonly port: number } | null {
  const split = splitHostPort(text);
  const port = parseDecimal(split?.port ?? '', 65_535);
  if (split === null || port === null || port === 0) return null;
  if (split.bracketed) return isCanonicalAddress(split.host, 6) ? { host: split.host, port } : null;
  return HOST_NAME.test(split.host) ? { host: split.host, port } : null;
}

/** The same the other way; IPv6 addresses get their brackets. */
export const formatHostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
