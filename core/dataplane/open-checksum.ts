// Checksums of TCP and UDP that were left open: filled in where the next one cannot do it, or made ready for the kernel.
import { checksumOf, folded, pseudoSum, sumOf } from '../../protocol/ip/checksum.ts';
import { PROTOCOL } from '../../protocol/ip/header.ts';
import type { PacketOffload } from '../../protocol/ip/offload.ts';
import { IPV4_HEADER_BYTES, IPV6_HEADER_BYTES, isIpv4 } from './ip-packet.ts';

const TCP_CHECKSUM_AT = 16;
const UDP_CHECKSUM_AT = 6;

/** Where the checksum of that protocol stands behind its header's start; 0: neither TCP nor UDP. */
export const checksumAt = (protocol: number): number =>
  protocol === PROTOCOL.TCP ? TCP_CHECKSUM_AT : protocol === PROTOCOL.UDP ? UDP_CHECKSUM_AT : 0;

/** Where the header behind IP's begins, and its protocol: as far as checksums may be left open. */
export const ipHeaderBytes = (bytes: Uint8Array, at: number): number =>
  isIpv4(bytes, at) ? (bytes[at]! & 15) * 4 : IPV6_HEADER_BYTES;
export const protocolOf = (bytes: Uint8Array, at: number): number => bytes[at + (isIpv4(bytes, at) ? 9 : 6)]!;

/** Computes the checksum of the packet at `at`, whatever stands in its place. What is neither TCP nor UDP stays as it is. */
export function fillChecksum(bytes: Uint8Array, view: DataView, at: number, length: number): void {
  const ip = ipHeaderBytes(bytes, at);
  const protocol = protocolOf(bytes, at);
  const field = checksumAt(protocol);
  if (field === 0 || ip < IPV4_HEADER_BYTES || ip + field + 2 > length) return;
  view.setUint16(at + ip + field, 0);
  const pseudo = pseudoSum(view, at, isIpv4(bytes, at), protocol, length - ip);
  const sum = checksumOf(sumOf(view, at + ip, length - ip, pseudo));
  // UDP's zero says that there is no checksum; a sum that is zero is written as its other zero.
  view.setUint16(at + ip + field, sum === 0 && protocol === PROTOCOL.UDP ? 0xffff : sum, true);
}

/** Leaves it to the kernel: the sum of the pseudo-header in its place. False: neither TCP nor UDP, or too short. */
export function leaveOpen(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  length: number,
  offload: PacketOffload,
): boolean {
  const ip = ipHeaderBytes(bytes, at);
  const protocol = protocolOf(bytes, at);
  const field = checksumAt(protocol);
  if (field === 0 || ip < IPV4_HEADER_BYTES || ip + field + 2 > length) return false;
  const pseudo = pseudoSum(view, at, isIpv4(bytes, at), protocol, length - ip);
  view.setUint16(at + ip + field, folded(pseudo), true);
  offload.segment = 0;
  offload.checksumStart = ip;
  offload.checksumOffset = field;
  return true;
}
