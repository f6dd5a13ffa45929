// ICMP's word to whoever sent a packet that is too large: Fragmentation Needed (RFC 792, RFC 1191), Packet Too Big (RFC 4443).
import { internetChecksum, PROTOCOL, pseudoHeader, readIpHeader, type IpHeader } from './header.ts';

/** In all: what every host takes (RFC 1812, 4.3.2.3; RFC 4443, 3.2). */
const MOST_BYTES = { 4: 576, 6: 1280 } as const;
const HEADERS_BYTES = { 4: 28, 6: 48 } as const;
const HOP_LIMIT = 64;
/** Precedence "internetwork control" (RFC 1812, 4.3.2.5). */
const CONTROL = 0xc0;
const ICMP_ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);
const ICMP6_ERRORS_BELOW = 128;

/** The longest that `tooBig` answers. */
export const TOO_BIG_BYTES = MOST_BYTES[6];

/**
 * The whole IP packet to the sender of the one at `bytes[offset..offset+length)`: at most `mtu` bytes go on from here. It
 * comes from where that one was to go, since a kernel takes no packet in from an address of its own. Null where nobody
 * may be told (RFC 1122, 3.2.2): of ICMP's own errors, of later fragments, of multicast.
 */
export function tooBig(bytes: Uint8Array, offset: number, length: number, mtu: number): Uint8Array | null {
  const read = readIpHeader(bytes, offset, length);
  if (!read.ok || !mayBeTold(bytes, offset, read.value)) return null;
  const { family, source, destination } = read.value;
  const quoted = Math.min(length, MOST_BYTES[family] - HEADERS_BYTES[family]);
  const packet = new Uint8Array(HEADERS_BYTES[family] + quoted);
  packet.set(bytes.subarray(offset, offset + quoted), HEADERS_BYTES[family]);
  if (family === 4) fill4(packet, mtu, destination, source);
  else fill6(packet, mtu, destination, source);
  return packet;
}

function mayBeTold(bytes: Uint8Array, offset: number, header: IpHeader): boolean {
  const { family, headerLength, totalLength, protocol, source, destination } = header;
  const type = totalLength > headerLength ? bytes[offset + headerLength]! : 0;
  if (isNoHost(source, family) || isNoHost(destination, family)) return false;
  if (family === 6) return protocol !== PROTOCOL.ICMP6 || type >= ICMP6_ERRORS_BELOW;
  const isLater = (((bytes[offset + 6]! & 0x1f) << 8) | bytes[offset + 7]!) !== 0;
  return !isLater && (protocol !== PROTOCOL.ICMP || !ICMP_ERRORS.has(type));
}

/** Multicast, broadcast, or no address at all. */
const isNoHost = (address: Uint8Array, family: 4 | 6): boolean =>
  (family === 4 ? address[0]! >= 224 : address[0] === 0xff) || address.every(byte => byte === 0);

function fill4(packet: Uint8Array, mtu: number, from: Uint8Array, to: Uint8Array): void {
  const view = new DataView(packet.buffer);
  packet[0] = 0x45;
  packet[1] = CONTROL;
  view.setUint16(2, packet.length);
  packet[8] = HOP_LIMIT;
  packet[9] = PROTOCOL.ICMP;
  packet.set(from, 12);
  packet.set(to, 16);
  view.setUint16(10, internetChecksum(packet.subarray(0, 20)));
  packet[20] = 3;
  packet[21] = 4;
  view.setUint16(26, mtu);
  view.setUint16(22, internetChecksum(packet.subarray(20)));
}

function fill6(packet: Uint8Array, mtu: number, from: Uint8Array, to: Uint8Array): void {
  const view = new DataView(packet.buffer);
  const length = packet.length - 40;
  packet[0] = 0x60;
  view.setUint16(4, length);
  packet[6] = PROTOCOL.ICMP6;
  packet[7] = HOP_LIMIT;
  packet.set(from, 8);
  packet.set(to, 24);
  packet[40] = 2;
  view.setUint32(44, mtu);
  view.setUint16(42, internetChecksum(pseudoHeader(from, to, PROTOCOL.ICMP6, length), packet.subarray(40)));
}
