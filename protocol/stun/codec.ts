// STUN messages to bytes and back (RFC 8489). Keys are judged elsewhere (integrity.ts), attributes read in attributes.ts.
import { accepted, refused, type Result } from '../result.ts';
import { ATTRIBUTE } from './attribute-types.ts';
import { crc32 } from './crc32.ts';
import type { StunAttribute, StunClass, StunMessage } from './message.ts';
import type { Primitives } from '../primitives.ts';

export const STUN_HEADER_LENGTH = 20;
export const MAGIC_COOKIE = 0x2112a442;
export const BINDING = 1;
export const FINGERPRINT_XOR = 0x5354554e;
/** The length field has 16 bits and counts in fours. */
export const MAX_STUN_LENGTH = STUN_HEADER_LENGTH + 0xfffc;

/** Where the attributes that seal a message stood in it; -1: it has none. */
export interface DecodedStun extends StunMessage {
  /** The whole message, a copy: it and the attribute values stay good after the call. */
  readonly bytes: Uint8Array;
  /** Offsets of the attribute headers in `bytes`. */
  readonly integrityAt: number;
  readonly integritySha256At: number;
  readonly fingerprintAt: number;
}

export type StunRefusal =
  | 'stun.not-stun'
  | 'stun.length'
  | 'stun.truncated'
  | 'stun.integrity-length'
  | 'stun.fingerprint-length'
  | 'stun.after-fingerprint';

export type StunMacs = Pick<Primitives, 'hmacSha1' | 'hmacSha256'>;

export type EncodeOptions =
  | { readonly fingerprint?: boolean }
  | {
      /** Keys: short-term, the password's bytes; long-term, `longTermKey`. */
      readonly integritySha1?: Uint8Array;
      readonly integritySha256?: Uint8Array;
      readonly fingerprint?: boolean;
      readonly primitives: StunMacs;
    };

const CLASSES: readonly StunClass[] = ['request', 'indication', 'success', 'error'];

/**
 * A cheap look at a datagram: two zero bits, the cookie, and a length field that fits it exactly. On the receive path
 * ask for WireGuard first (type byte 1 to 4, then three zero bytes): only an empty STUN message of method 0 looks so too.
 */
export function isStun(bytes: Uint8Array, offset = 0, length = bytes.length - offset): boolean {
  if (length < STUN_HEADER_LENGTH || bytes[offset]! > 0x3f) return false;
  if (read32(bytes, offset + 4) !== MAGIC_COOKIE) return false;
  return read16(bytes, offset + 2) === length - STUN_HEADER_LENGTH && (length & 3) === 0;
}

/**
 * TCP framing (RFC 8489 6.2.2): how long is the message that starts at `offset`? Null: too few bytes to tell;
 * refused: it is no STUN message.
 */
export function stunFrameLength(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): Result<number | null, 'stun.not-stun' | 'stun.length'> {
  if (length > 0 && bytes[offset]! > 0x3f) return refused('stun.not-stun');
  if (length < 8) return accepted(null);
  if (read32(bytes, offset + 4) !== MAGIC_COOKIE) return refused('stun.not-stun');
  const body = read16(bytes, offset + 2);
  return (body & 3) === 0 ? accepted(STUN_HEADER_LENGTH + body) : refused('stun.length');
}

/** One whole message at `bytes[offset..offset+length)`. Integrity and fingerprint are located, not verified. */
export function decodeStun(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): Result<DecodedStun, StunRefusal> {
  if (length < STUN_HEADER_LENGTH || bytes[offset]! > 0x3f) return refused('stun.not-stun');
  if (read32(bytes, offset + 4) !== MAGIC_COOKIE) return refused('stun.not-stun');
  if (!isStun(bytes, offset, length)) return refused('stun.length');
  const own = bytes.slice(offset, offset + length);
  const walked = walkAttributes(own);
  if (!walked.ok) return walked;
  const type = read16(own, 0);
  return accepted({
    class: CLASSES[((type >>> 7) & 2) | ((type >>> 4) & 1)]!,
    method: (type & 0xf) | ((type >>> 1) & 0x70) | ((type >>> 2) & 0xf80),
    transactionId: own.subarray(8, 20),
    bytes: own,
    ...walked.value,
  });
}

type Walked = Pick<DecodedStun, 'attributes' | 'integrityAt' | 'integritySha256At' | 'fingerprintAt'>;

function walkAttributes(bytes: Uint8Array): Result<Walked, StunRefusal> {
  const attributes: StunAttribute[] = [];
  const seals = { integrityAt: -1, integritySha256At: -1, fingerprintAt: -1 };
  for (let at = STUN_HEADER_LENGTH; at < bytes.length;) {
    if (seals.fingerprintAt >= 0) return refused('stun.after-fingerprint');
    const type = read16(bytes, at);
    const length = read16(bytes, at + 2);
    const valueEnd = at + 4 + length;
    if (valueEnd > bytes.length) return refused('stun.truncated');
    const fault = noteSeal(seals, type, at, length);
    if (fault !== null) return refused(fault);
    const sealed = seals.integrityAt >= 0 || seals.integritySha256At >= 0;
    if (!sealed && type !== ATTRIBUTE.FINGERPRINT) {
      attributes.push({ type, value: bytes.subarray(at + 4, valueEnd) });
    }
    at = valueEnd + (-length & 3);
  }
  return accepted({ attributes, ...seals });
}

/** Remembers a sealing attribute. Of two alike the first counts; SHA-1 after SHA-256 counts as anything after it: not at all. */
function noteSeal(
  seals: { integrityAt: number; integritySha256At: number; fingerprintAt: number },
  type: number,
  at: number,
  length: number,
): StunRefusal | null {
  if (type === ATTRIBUTE.MESSAGE_INTEGRITY && seals.integrityAt < 0 && seals.integritySha256At < 0) {
    if (length !== 20) return 'stun.integrity-length';
    seals.integrityAt = at;
  } else if (type === ATTRIBUTE.MESSAGE_INTEGRITY_SHA256 && seals.integritySha256At < 0) {
    if (length < 16 || length > 32 || (length & 3) !== 0) return 'stun.integrity-length';
    seals.integritySha256At = at;
  } else if (type === ATTRIBUTE.FINGERPRINT) {
    if (length !== 4) return 'stun.fingerprint-length';
    seals.fingerprintAt = at;
  }
  return null;
}

/** A TypeError where the message can't be said: a bad transaction id or method, sealing attributes among the others, too long. */
export function encodeStun(message: StunMessage, options: EncodeOptions = {}): Uint8Array {
  const sha1 = 'primitives' in options ? options.integritySha1 : undefined;
  const sha256 = 'primitives' in options ? options.integritySha256 : undefined;
  const bytes = new Uint8Array(
    encodedLength(message, sha1 !== undefined, sha256 !== undefined, options.fingerprint ?? false),
  );
  let at = writeHeader(bytes, message);
  for (const { type, value } of message.attributes) at = writeAttribute(bytes, at, type, value);
  if ('primitives' in options) {
    if (sha1 !== undefined) {
      setLength(bytes, at + 24);
      const mac = options.primitives.hmacSha1(sha1, bytes.subarray(0, at));
      at = writeAttribute(bytes, at, ATTRIBUTE.MESSAGE_INTEGRITY, mac);
    }
    if (sha256 !== undefined) {
      setLength(bytes, at + 36);
      const mac = options.primitives.hmacSha256(sha256, bytes.subarray(0, at));
      at = writeAttribute(bytes, at, ATTRIBUTE.MESSAGE_INTEGRITY_SHA256, mac);
    }
  }
  setLength(bytes, bytes.length);
  if (options.fingerprint === true) {
    const value = new Uint8Array(4);
    write32(value, 0, (crc32(bytes, 0, at) ^ FINGERPRINT_XOR) >>> 0);
    writeAttribute(bytes, at, ATTRIBUTE.FINGERPRINT, value);
  }
  return bytes;
}

function encodedLength(message: StunMessage, sha1: boolean, sha256: boolean, fingerprint: boolean): number {
  const sealed = (sha1 ? 24 : 0) + (sha256 ? 36 : 0) + (fingerprint ? 8 : 0);
  const length = message.attributes.reduce(
    (sum, { value }) => sum + paddedLength(value),
    STUN_HEADER_LENGTH + sealed,
  );
  if (length > MAX_STUN_LENGTH)
    throw new TypeError(`a STUN message has at most ${MAX_STUN_LENGTH} bytes, not ${length}`);
  return length;
}

/** Bytes of an attribute on the wire: header, value, padding. */
export const paddedLength = (value: Uint8Array): number => 4 + value.length + (-value.length & 3);

function writeHeader(bytes: Uint8Array, message: StunMessage): number {
  const { method, transactionId } = message;
  if (transactionId.length !== 12) throw new TypeError('a STUN transaction id has 12 bytes');
  if (!Number.isInteger(method) || method < 0 || method > 0xfff)
    throw new TypeError('a STUN method has 12 bits');
  const kind = CLASSES.indexOf(message.class);
  const type =
    (method & 0xf) | ((method & 0x70) << 1) | ((method & 0xf80) << 2) | ((kind & 1) << 4) | ((kind & 2) << 7);
  write16(bytes, 0, type);
  write32(bytes, 4, MAGIC_COOKIE);
  bytes.set(transactionId, 8);
  return STUN_HEADER_LENGTH;
}

function writeAttribute(bytes: Uint8Array, at: number, type: number, value: Uint8Array): number {
  if (value.length > 0xffff) throw new TypeError('a STUN attribute has at most 65,535 bytes');
  write16(bytes, at, type);
  write16(bytes, at + 2, value.length);
  bytes.set(value, at + 4);
  return at + paddedLength(value);
}

const setLength = (bytes: Uint8Array, end: number): void => write16(bytes, 2, end - STUN_HEADER_LENGTH);

export const read16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

export const read32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function write32(bytes: Uint8Array, at: number, value: number): void {
  write16(bytes, at, value >>> 16);
  write16(bytes, at + 2, value & 0xffff);
}
