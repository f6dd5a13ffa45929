// Which addresses a peer may name as candidates: only such as can be one host's, so that a signal can't make this node
// send to a group, to everyone, or to itself.
import type { Endpoint } from '../../protocol/address.ts';
import { formatIp4, formatIp6, parseIp4, parseIp6 } from '../../protocol/location/addresses.ts';

export interface CandidateRules {
  /** For tests on one machine. */
  readonly allowLoopback: boolean;
}

/** Is it one host's address, written canonically, and a port one can send to? */
export function isSendable(endpoint: Endpoint, rules: CandidateRules): boolean {
  if (!Number.isInteger(endpoint.port) || endpoint.port < 1 || endpoint.port > 65_535) return false;
  if (endpoint.family === 4) {
    const bytes = parseIp4(endpoint.address);
    return bytes !== null && formatIp4(bytes) === endpoint.address && isHost4(bytes, rules);
  }
  const bytes = parseIp6(endpoint.address);
  return bytes !== null && formatIp6(bytes) === endpoint.address && isHost6(bytes, rules);
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
  const isMapped4 = leadingZeros === 10 && bytes[10] === 0xff && bytes[11] === 0xff;
  return leadingZeros !== -1 && leadingZeros < 12 && !isMapped4 && bytes[0] !== 0xff;
}
