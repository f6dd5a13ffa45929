// Is a decoded STUN message whole, and who said it? MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256, FINGERPRINT (RFC 8489 14.5-14.7).
import type { Primitives } from '../primitives.ts';
import { FINGERPRINT_XOR, read16, read32, STUN_HEADER_LENGTH, write16, type DecodedStun } from './codec.ts';
import { crc32 } from './crc32.ts';

export type StunVerifier = Pick<Primitives, 'hmacSha1' | 'hmacSha256' | 'equal'>;

/** False also where the message has no MESSAGE-INTEGRITY. */
export function verifyIntegritySha1(
  message: DecodedStun,
  key: Uint8Array,
  primitives: StunVerifier,
): boolean {
  const { bytes, integrityAt: at } = message;
  if (at < 0) return false;
  const mac = primitives.hmacSha1(key, ...signedPart(bytes, at, 20));
  return primitives.equal(mac, bytes.subarray(at + 4, at + 24));
}

/** False also where the message has no MESSAGE-INTEGRITY-SHA256. A truncated one counts down to `atLeast` bytes (16 to 32). */
export function verifyIntegritySha256(
  message: DecodedStun,
  key: Uint8Array,
  primitives: StunVerifier,
  atLeast = 16,
): boolean {
  const { bytes, integritySha256At: at } = message;
  if (at < 0) return false;
  const length = read16(bytes, at + 2);
  if (length < atLeast) return false;
  const mac = primitives.hmacSha256(key, ...signedPart(bytes, at, length));
  return primitives.equal(mac.subarray(0, length), bytes.subarray(at + 4, at + 4 + length));
}

/** False also where the message has no FINGERPRINT. */
export function verifyFingerprint(message: DecodedStun): boolean {
  const { bytes, fingerprintAt: at } = message;
  return at >= 0 && read32(bytes, at + 4) === (crc32(bytes, 0, at) ^ FINGERPRINT_XOR) >>> 0;
}

/** The key of long-term credentials: MD5 over `username:realm:password`, each as its OpaqueString. */
export function longTermKey(
  username: string,
  realm: string,
  password: string,
  primitives: Pick<Primitives, 'md5'>,
): Uint8Array {
  return primitives.md5(new TextEncoder().encode(`${username}:${realm}:${password}`));
}

/** What a MAC at `at` covers: all before it, with the length field as if the message ended with it. */
function signedPart(bytes: Uint8Array, at: number, macLength: number): [Uint8Array, Uint8Array] {
  const head = bytes.slice(0, 4);
  write16(head, 2, at + 4 + macLength - STUN_HEADER_LENGTH);
  return [head, bytes.subarray(4, at)];
}
