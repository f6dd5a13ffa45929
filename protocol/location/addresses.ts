// IP addresses and prefixes as text and bytes, and the addresses of the overlay (V1): a network's IPv6 prefix and a
// node's IPv6 address derive from keys, so nobody has to hand them out.
import { canonicalIp, familyOf, formatIp, parseDecimal } from '../ip/address.ts';
import { splitHostPort } from '../ip/endpoint.ts';
import { formatPrefix, parsePrefix } from '../ip/prefix.ts';
import type { Prefix } from '../ip/prefix.ts';
import type { Primitives } from '../primitives.ts';

const HOST_NAME = /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/;

/** Is this the one way to write an address of that family? */
export const isCanonicalAddress = (text: string, family: 4 | 6): boolean =>
  familyOf(text) === family && canonicalIp(text) === text;

/** `10.77.0.0/16`, `fd6a::/48`: null where malformed, not the one way to write it, or with bits set behind the prefix. */
export function canonicalPrefix(text: string): Prefix | null {
  const prefix = parsePrefix(text);
  return prefix.ok && formatPrefix(prefix.value) === text ? prefix.value : null;
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
