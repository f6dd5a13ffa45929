// The MSS that a TCP SYN asks for, made no larger than what the path carries: a host behind this one knows nothing of the
// path, and the word that a packet was too large often does not get back to it.
import { folded } from '../../protocol/ip/checksum.ts';
import { PROTOCOL } from '../../protocol/ip/header.ts';
import { IPV4_HEADER_BYTES, IPV6_HEADER_BYTES, isIpv4 } from './ip-packet.ts';
import { ipHeaderBytes, protocolOf } from './open-checksum.ts';
import { IPV6_LEAST_BYTES } from './room.ts';

const TCP_HEADER_BYTES = 20;
const CHECKSUM_AT = 16;
const FLAGS_AT = 13;
const SYN = 0x02;
const END_OF_OPTIONS = 0;
const NO_OPTION = 1;
const MSS = 2;
const MSS_BYTES = 4;

/** One look at each packet: is it worth the closer one? What lies behind a short packet may be read, and means nothing. */
export const isSyn = (bytes: Uint8Array, at: number): boolean =>
  protocolOf(bytes, at) === PROTOCOL.TCP && (bytes[at + ipHeaderBytes(bytes, at) + FLAGS_AT]! & SYN) !== 0;

/**
 * Lowers the MSS of the SYN at `bytes[at..at+length)` to what a path with `room` for a packet takes; never raises it.
 * `isOpen`: its checksum was left open, and will cover what then stands there. True: it was lowered.
 */
export function clampMss(
  bytes: Uint8Array,
  at: number,
  length: number,
  room: number,
  isOpen: boolean,
): boolean {
  const tcp = at + ipHeaderBytes(bytes, at);
  const end = at + length;
  const v4 = isIpv4(bytes, at);
  const isLaterFragment = v4 && (((bytes[at + 6]! & 0x1f) << 8) | bytes[at + 7]!) !== 0;
  if (isLaterFragment || tcp - at < IPV4_HEADER_BYTES || tcp + TCP_HEADER_BYTES > end) return false;
  const options = tcp + (bytes[tcp + 12]! >> 4) * 4;
  const value = mssAt(bytes, tcp + TCP_HEADER_BYTES, Math.min(end, options));
  // RFC 6691: less the fixed headers alone.
  const most = v4
    ? room - IPV4_HEADER_BYTES - TCP_HEADER_BYTES
    : Math.max(room, IPV6_LEAST_BYTES) - IPV6_HEADER_BYTES - TCP_HEADER_BYTES;
  if (value < 0 || ((bytes[value]! << 8) | bytes[value + 1]!) <= most) return false;
  replace(bytes, value, most, isOpen ? -1 : tcp, value - tcp);
  return true;
}

/** Where the value of the MSS option stands; -1: there is none, or the options are broken. */
function mssAt(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end;) {
    const kind = bytes[at]!;
    if (kind === END_OF_OPTIONS) return -1;
    if (kind === NO_OPTION) {
      at++;
      continue;
    }
    const size = at + 1 < end ? bytes[at + 1]! : 0;
    if (size < 2 || at + size > end) return -1;
    if (kind === MSS) return size === MSS_BYTES ? at + 2 : -1;
    at += size;
  }
  return -1;
}

/** And the checksum with it (RFC 1624, eqn. 3). `tcp` -1: it is still open. */
function replace(bytes: Uint8Array, at: number, value: number, tcp: number, offset: number): void {
  const before = (bytes[at]! << 8) | bytes[at + 1]!;
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
  if (tcp < 0) return;
  // At an odd place the two bytes belong to two words of the sum: one's complement sums do not mind them swapped.
  const word = (bits: number): number => (offset % 2 === 0 ? bits : ((bits & 0xff) << 8) | (bits >> 8));
  const sum = (bytes[tcp + CHECKSUM_AT]! << 8) | bytes[tcp + CHECKSUM_AT + 1]!;
  const next = ~folded((~sum & 0xffff) + (~word(before) & 0xffff) + word(value)) & 0xffff;
  bytes[tcp + CHECKSUM_AT] = next >> 8;
  bytes[tcp + CHECKSUM_AT + 1] = next & 0xff;
}
