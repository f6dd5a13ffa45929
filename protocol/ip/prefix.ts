// Networks in CIDR notation: `10.77.0.0/16`, `fd6a:91c2:44d0::/48`.
import type { IpFamily } from '../address.ts';
import { accepted, refused, type Result } from '../result.ts';
import { formatIp, parseDecimal, parseIp, type IpAddress } from './address.ts';

export interface Prefix {
  readonly family: IpFamily;
  /** The network's address; bits beyond `length` are zero. */
  readonly bytes: Uint8Array;
  /** 0 to 32 or 128. */
  readonly length: number;
}

export type PrefixRefusal = 'prefix.syntax' | 'prefix.host-bits';

/** A network: an address with host bits set is refused. */
export function parsePrefix(text: string): Result<Prefix, PrefixRefusal> {
  const parsed = parseInterface(text);
  if (!parsed.ok) return parsed;
  const { address, prefix } = parsed.value;
  const clean = prefix.bytes.every((byte, index) => byte === address.bytes[index]);
  return clean ? accepted(prefix) : refused('prefix.host-bits');
}

/** An address and the network that it is on: `10.77.0.2/16`. Without a length: the address alone (/32, /128). */
export function parseInterface(
  text: string,
): Result<{ readonly address: IpAddress; readonly prefix: Prefix }, 'prefix.syntax'> {
  const slash = text.indexOf('/');
  const address = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (!address.ok) return refused('prefix.syntax');
  const longest = address.value.bytes.length * 8;
  const length = slash < 0 ? longest : parseDecimal(text.slice(slash + 1), longest);
  if (length === null) return refused('prefix.syntax');
  return accepted({ address: address.value, prefix: networkOf(address.value, length) });
}

/** The network of that length around an address. */
export function networkOf({ family, bytes }: IpAddress, length: number): Prefix {
  return { family, bytes: bytes.map((byte, index) => byte & maskByte(length, index)), length };
}

export const formatPrefix = (prefix: Prefix): string => `${formatIp(prefix.bytes)}/${prefix.length}`;

export function prefixContains(prefix: Prefix, address: IpAddress): boolean {
  return prefix.family === address.family && sameBits(prefix.bytes, address.bytes, prefix.length);
}

/** Is all of `inner` inside `outer`? */
export function prefixCovers(outer: Prefix, inner: Prefix): boolean {
  return outer.length <= inner.length && prefixContains(outer, inner);
}

export function prefixesOverlap(a: Prefix, b: Prefix): boolean {
  return prefixCovers(a, b) || prefixCovers(b, a);
}

function sameBits(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let index = 0; 8 * index < bits; index++) {
    if (((a[index]! ^ b[index]!) & maskByte(bits, index)) !== 0) return false;
  }
  return true;
}

/** The part of a netmask of `bits` ones that falls on byte `index`. */
function maskByte(bits: number, index: number): number {
  const left = Math.min(8, Math.max(0, bits - 8 * index));
  return (0xff00 >> left) & 0xff;
}
