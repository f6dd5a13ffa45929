// IPv4 and IPv6 headers (RFC 791, RFC 8200), as far as a packet's way needs them.
import type { IpFamily } from '../address.ts';
import { accepted, refused, type Result } from '../result.ts';

export interface IpHeader {
  readonly family: IpFamily;
  /** IPv6: 40, extension headers count as payload. */
  readonly headerLength: number;
  /** Header and payload; what lies behind it is padding. */
  readonly totalLength: number;
  /** The protocol, or IPv6's next header. */
  readonly protocol: number;
  readonly hopLimit: number;
  /** Views into the packet. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

export type IpRefusal = 'ip.truncated' | 'ip.version' | 'ip.header';

export const PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17, ICMP6: 58 } as const;

/** Of the packet at `bytes[offset..offset+length)`. Header checksums are not looked at. */
export function readIpHeader(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): Result<IpHeader, IpRefusal> {
  if (length < 1) return refused('ip.truncated');
  const version = bytes[offset]! >>> 4;
  if (version === 4) return readIp4(bytes, offset, length);
  return version === 6 ? readIp6(bytes, offset, length) : refused('ip.version');
}

function readIp4(bytes: Uint8Array, offset: number, length: number): Result<IpHeader, IpRefusal> {
  if (length < 20) return refused('ip.truncated');
  const headerLength = (bytes[offset]! & 0xf) * 4;
  const totalLength = (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
  if (headerLength < 20 || totalLength < headerLength) return refused('ip.header');
  if (totalLength > length) return refused('ip.truncated');
  return accepted({
    family: 4,
    headerLength,
    totalLength,
    protocol: bytes[offset + 9]!,
    hopLimit: bytes[offset + 8]!,
    source: bytes.subarray(offset + 12, offset + 16),
    destination: bytes.subarray(offset + 16, offset + 20),
  });
}

function readIp6(bytes: Uint8Array, offset: number, length: number): Result<IpHeader, IpRefusal> {
  if (length < 40) return refused('ip.truncated');
  const totalLength = 40 + ((bytes[offset + 4]! << 8) | bytes[offset + 5]!);
  if (totalLength > length) return refused('ip.truncated');
  return accepted({
    family: 6,
    headerLength: 40,
    totalLength,
    protocol: bytes[offset + 6]!,
    hopLimit: bytes[offset + 7]!,
    source: bytes.subarray(offset + 8, offset + 24),
    destination: bytes.subarray(offset + 24, offset + 40),
  });
}

/** The Internet checksum (RFC 1071) over the parts, each of even length but the last; over data with its checksum: 0. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at + 1 < part.length; at += 2) sum += (part[at]! << 8) | part[at + 1]!;
    if (part.length % 2 === 1) sum += part[part.length - 1]! << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** What UDP, TCP and ICMPv6 checksums cover besides their own bytes. */
export function pseudoHeader(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): Uint8Array {
  const addresses = source.length + destination.length;
  const wide = source.length === 16;
  const bytes = new Uint8Array(addresses + (wide ? 8 : 4));
  const view = new DataView(bytes.buffer);
  bytes.set(source, 0);
  bytes.set(destination, source.length);
  if (wide) view.setUint32(addresses, length);
  else view.setUint16(addresses + 2, length);
  bytes[addresses + (wide ? 7 : 1)] = protocol;
  return bytes;
}
