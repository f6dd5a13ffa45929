// Which addresses a peer may name as candidates: only such as can be one host's, so that a signal can't make this node
// send to a group, to everyone, or to itself.
import type { Endpoint } from '../../protocol/address.ts';
import { formatIp, isMapped, parseIp } from '../../protocol/ip/address.ts';

export interface CandidateRules {
  /** For tests on one machine. */
  readonly allowLoopback: boolean;
}

/** Is it one host's address, written canonically, and a port one can send to? */
export function isSendable(endpoint: Endpoint, rules: CandidateRules): boolean {
  if (!Number.isInteger(endpoint.port) || endpoint.port < 1 || endpoint.port > 65_535) return false;
  const ip = parseIp(endpoint.address);
  if (!ip.ok || ip.value.family !== endpoint.family || formatIp(ip.value.bytes) !== endpoint.address)
    return false;
  return endpoint.family === 4 ? isHost4(ip.value.bytes, rules) : isHost6(ip.value.bytes, rules);
}

/** Not 0/8, 127/8, 224/4 (multicast), 240/4 (reserved, broadcast). */
function isHost4(bytes: Uint8Array, rules: CandidateRules): boolean {
  const first = bytes[0]!;
  if (first === 127) return rules.allowLoopback;
  return first !== 0 && first < 224;
}

/** Not ::/96 with ::1, not mapped IPv4, not ff00::/8. */
function isHost6(bytes: Uint8Array, rules: CandidateRules): boolean {
  const leadingZeros = bytes.findIndex(byte => byte !== 0);
  if (leadingZeros === 15 && bytes[15] === 1) return rules.allowLoopback;
  return leadingZeros !== -1 && leadingZeros < 12 && !isMapped(bytes) && bytes[0] !== 0xff;
}
