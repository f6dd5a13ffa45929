// Attributes of STUN messages, read and written. A reader answers null where the attribute is absent or malformed;
// of two alike the first counts (RFC 8489 14).
import type { Endpoint } from '../address.ts';
import { formatIp, parseIp } from '../ip/address.ts';
import { ATTRIBUTE } from './attribute-types.ts';
import { MAGIC_COOKIE, read16, read32, write16, write32 } from './codec.ts';
import type { StunAttribute, StunMessage } from './message.ts';

type Message = Pick<StunMessage, 'attributes' | 'transactionId'>;

export function attributeValue(message: Pick<StunMessage, 'attributes'>, type: number): Uint8Array | null {
  for (const attribute of message.attributes) if (attribute.type === type) return attribute.value;
  return null;
}

export const hasAttribute = (message: Pick<StunMessage, 'attributes'>, type: number): boolean =>
  attributeValue(message, type) !== null;

/** The types below 0x8000 that are not among `understood`: each once, in wire order (for 420 UNKNOWN-ATTRIBUTES). */
export function unknownRequired(
  message: Pick<StunMessage, 'attributes'>,
  understood: ReadonlySet<number>,
): readonly number[] {
  const unknown = new Set<number>();
  for (const { type } of message.attributes) if (type < 0x8000 && !understood.has(type)) unknown.add(type);
  return [...unknown];
}

// ---- addresses

export function readXorMappedAddress(message: Message): Endpoint | null {
  const value = attributeValue(message, ATTRIBUTE.XOR_MAPPED_ADDRESS);
  return value === null ? null : readAddress(xored(value, message.transactionId));
}

export function writeXorMappedAddress(endpoint: Endpoint, transactionId: Uint8Array): StunAttribute {
  return { type: ATTRIBUTE.XOR_MAPPED_ADDRESS, value: xored(addressBytes(endpoint), transactionId) };
}

/** XOR-MAPPED-ADDRESS, or MAPPED-ADDRESS of an old server. */
export const readMapped = (message: Message): Endpoint | null =>
  readXorMappedAddress(message) ?? readMappedAddress(message);

export const readMappedAddress = (message: Message): Endpoint | null =>
  readPlain(message, ATTRIBUTE.MAPPED_ADDRESS);
export const readOtherAddress = (message: Message): Endpoint | null =>
  readPlain(message, ATTRIBUTE.OTHER_ADDRESS);
export const readResponseOrigin = (message: Message): Endpoint | null =>
  readPlain(message, ATTRIBUTE.RESPONSE_ORIGIN);

export const writeMappedAddress = (endpoint: Endpoint): StunAttribute =>
  writePlain(ATTRIBUTE.MAPPED_ADDRESS, endpoint);
export const writeOtherAddress = (endpoint: Endpoint): StunAttribute =>
  writePlain(ATTRIBUTE.OTHER_ADDRESS, endpoint);
export const writeResponseOrigin = (endpoint: Endpoint): StunAttribute =>
  writePlain(ATTRIBUTE.RESPONSE_ORIGIN, endpoint);

function readPlain(message: Message, type: number): Endpoint | null {
  const value = attributeValue(message, type);
  return value === null ? null : readAddress(value);
}

const writePlain = (type: number, endpoint: Endpoint): StunAttribute => ({
  type,
  value: addressBytes(endpoint),
});

function readAddress(value: Uint8Array): Endpoint | null {
  const family = value[1] === 1 && value.length === 8 ? 4 : value[1] === 2 && value.length === 20 ? 6 : null;
  if (family === null) return null;
  return { family, address: formatIp(value.subarray(4)), port: read16(value, 2) };
}

function addressBytes(endpoint: Endpoint): Uint8Array {
  const ip = parseIp(endpoint.address);
  if (!ip.ok || ip.value.family !== endpoint.family) throw new TypeError('not an IP address of its family');
  const value = new Uint8Array(4 + ip.value.bytes.length);
  value[1] = endpoint.family === 4 ? 1 : 2;
  write16(value, 2, endpoint.port);
  value.set(ip.value.bytes, 4);
  return value;
}

/** Port and address XORed with cookie and transaction id (RFC 8489 14.2); its own inverse. */
function xored(value: Uint8Array, transactionId: Uint8Array): Uint8Array {
  const mask = new Uint8Array(20);
  write16(mask, 2, MAGIC_COOKIE >>> 16);
  write32(mask, 4, MAGIC_COOKIE);
  mask.set(transactionId, 8);
  return value.map((byte, index) => byte ^ (mask[index] ?? 0));
}

// ---- text

const MAX_TEXT = 763;

export const readUsername = (message: Message): string | null => readText(message, ATTRIBUTE.USERNAME, 508);
export const readSoftware = (message: Message): string | null =>
  readText(message, ATTRIBUTE.SOFTWARE, MAX_TEXT);
export const readRealm = (message: Message): string | null => readText(message, ATTRIBUTE.REALM, MAX_TEXT);
export const readNonce = (message: Message): string | null => readText(message, ATTRIBUTE.NONCE, MAX_TEXT);

export const writeUsername = (name: string): StunAttribute => writeText(ATTRIBUTE.USERNAME, name, 508);
export const writeSoftware = (name: string): StunAttribute => writeText(ATTRIBUTE.SOFTWARE, name, MAX_TEXT);

function readText(message: Message, type: number, maxBytes: number): string | null {
  const value = attributeValue(message, type);
  return value === null || value.length > maxBytes ? null : utf8(value);
}

function writeText(type: number, text: string, maxBytes: number): StunAttribute {
  const value = new TextEncoder().encode(text);
  if (value.length > maxBytes) throw new TypeError(`a text of ${value.length} bytes; at most ${maxBytes}`);
  return { type, value };
}

/** Text, or null where the bytes are no UTF-8. */
function utf8(value: Uint8Array): string | null {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(value);
  // A decoder that throws would cost a try; U+FFFD said by the sender itself is refused with the rest.
  return text.includes('\ufffd') ? null : text;
}

// ---- errors

export interface StunError {
  /** 300 to 699. */
  readonly code: number;
  readonly reason: string;
}

export function readErrorCode(message: Message): StunError | null {
  const value = attributeValue(message, ATTRIBUTE.ERROR_CODE);
  if (value === null || value.length < 4 || value.length > 4 + MAX_TEXT) return null;
  const hundreds = value[2]! & 7;
  const rest = value[3]!;
  const reason = utf8(value.subarray(4));
  if (hundreds < 3 || hundreds > 6 || rest > 99 || reason === null) return null;
  return { code: hundreds * 100 + rest, reason };
}

export function writeErrorCode(error: StunError): StunAttribute {
  const { value: reason } = writeText(ATTRIBUTE.ERROR_CODE, error.reason, MAX_TEXT);
  if (error.code < 300 || error.code > 699) throw new TypeError(`no STUN error code: ${error.code}`);
  const value = new Uint8Array(4 + reason.length);
  value[2] = Math.floor(error.code / 100);
  value[3] = error.code % 100;
  value.set(reason, 4);
  return { type: ATTRIBUTE.ERROR_CODE, value };
}

export function readUnknownAttributes(message: Message): readonly number[] | null {
  const value = attributeValue(message, ATTRIBUTE.UNKNOWN_ATTRIBUTES);
  if (value === null || value.length % 2 !== 0) return null;
  return Array.from({ length: value.length / 2 }, (_, index) => read16(value, 2 * index));
}

export function writeUnknownAttributes(types: readonly number[]): StunAttribute {
  const value = new Uint8Array(2 * types.length);
  types.forEach((type, index) => write16(value, 2 * index, type));
  return { type: ATTRIBUTE.UNKNOWN_ATTRIBUTES, value };
}

// ---- NAT behaviour discovery (RFC 5780) and ICE

export interface ChangeRequest {
  readonly address: boolean;
  readonly port: boolean;
}

export function readChangeRequest(message: Message): ChangeRequest | null {
  const value = attributeValue(message, ATTRIBUTE.CHANGE_REQUEST);
  return value?.length === 4 ? { address: (value[3]! & 4) !== 0, port: (value[3]! & 2) !== 0 } : null;
}

export const writeChangeRequest = (change: ChangeRequest): StunAttribute => ({
  type: ATTRIBUTE.CHANGE_REQUEST,
  value: Uint8Array.of(0, 0, 0, (change.address ? 4 : 0) | (change.port ? 2 : 0)),
});

/** The port to answer to instead of the request's own; 0 is no port. */
export function readResponsePort(message: Message): number | null {
  const value = attributeValue(message, ATTRIBUTE.RESPONSE_PORT);
  // RFC 5780 7.5: two bytes and padding; clients of the drafts said four bytes, of which the last two are zero.
  if (value === null || (value.length !== 2 && value.length !== 4)) return null;
  return read16(value, 0) || null;
}

export function writeResponsePort(port: number): StunAttribute {
  const value = new Uint8Array(2);
  write16(value, 0, port);
  return { type: ATTRIBUTE.RESPONSE_PORT, value };
}

/** `length` bytes of nothing: makes a request as long as the answer it asks for. */
export const writePadding = (length: number): StunAttribute => ({
  type: ATTRIBUTE.PADDING,
  value: new Uint8Array(length),
});

export function readPriority(message: Message): number | null {
  const value = attributeValue(message, ATTRIBUTE.PRIORITY);
  return value?.length === 4 ? read32(value, 0) : null;
}

export function writePriority(priority: number): StunAttribute {
  const value = new Uint8Array(4);
  write32(value, 0, priority);
  return { type: ATTRIBUTE.PRIORITY, value };
}
