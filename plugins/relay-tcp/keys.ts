// Addresses as frames carry them: 16 bytes, as text for looking up.
import type { TcpPlace } from '../../protocol/location/messages.ts';
import { formatIp, parseIp } from '../../protocol/ip/address.ts';
import { latinOf } from '../../protocol/stream/frame.ts';

/** The overlay's /48. */
const NETWORK_BYTES = 6;
const SOURCE_AT = 12;
const DESTINATION_AT = 28;
const ADDRESS_BYTES = 16;

/** `Stream.address` of the node that a place names; empty where its record names none. */
export function keyOf({ node }: TcpPlace): string {
  const ip = parseIp(node.record.ip6);
  return ip.ok ? latinOf(ip.value.bytes) : '';
}

/** The other way. */
export const addressOf = (key: string): string =>
  formatIp(Uint8Array.from({ length: ADDRESS_BYTES }, (_, at) => key.charCodeAt(at)));

export const isSource = (frame: Uint8Array, key: string): boolean => isAt(frame, SOURCE_AT, key);
export const isDestination = (frame: Uint8Array, key: string): boolean => isAt(frame, DESTINATION_AT, key);

/** Are both ends of a frame in the network of the node with that key? */
export function staysInNetwork(frame: Uint8Array, key: string): boolean {
  for (let at = 0; at < NETWORK_BYTES; at++) {
    const byte = key.charCodeAt(at);
    if (frame[SOURCE_AT + at] !== byte || frame[DESTINATION_AT + at] !== byte) return false;
  }
  return true;
}

/** Is it addressed to its own sender? */
export function goesInCircle(frame: Uint8Array): boolean {
  for (let at = 0; at < ADDRESS_BYTES; at++)
    if (frame[SOURCE_AT + at] !== frame[DESTINATION_AT + at]) return false;
  return true;
}

/** Compared in place: a string for each frame would be garbage. */
function isAt(frame: Uint8Array, offset: number, key: string): boolean {
  for (let at = 0; at < ADDRESS_BYTES; at++) if (frame[offset + at] !== key.charCodeAt(at)) return false;
  return key.length === ADDRESS_BYTES;
}
