// WireGuard's four messages (whitepaper section 5.4) from and to bytes. Integers are little endian.
import { accepted, refused, type Result } from '../result.ts';
import {
  COOKIE_REPLY_BYTES,
  DATA_HEADER_BYTES,
  DATA_MIN_BYTES,
  INITIATION_BYTES,
  MAC_BYTES,
  RESPONSE_BYTES,
  TYPE_COOKIE_REPLY,
  TYPE_DATA,
  TYPE_INITIATION,
  TYPE_RESPONSE,
} from './constants.ts';

/** `wireguard.type`: no WireGuard message of that kind; `wireguard.length`: one of a wrong length. */
export type MessageRefusal = 'wireguard.type' | 'wireguard.length';

/** What Noise reads and writes of an initiation or response: ephemeral key, sealed parts. Views into the message. */
export interface Initiation {
  readonly type: 'initiation';
  readonly sender: number;
  readonly noise: Uint8Array;
}

export interface Response {
  readonly type: 'response';
  readonly sender: number;
  readonly receiver: number;
  readonly noise: Uint8Array;
}

export interface CookieReply {
  readonly type: 'cookie-reply';
  readonly receiver: number;
  readonly nonce: Uint8Array;
  readonly cookie: Uint8Array;
}

export interface DataMessage {
  readonly type: 'data';
  readonly receiver: number;
  readonly counter: bigint;
  /** Ciphertext and tag. */
  readonly sealed: Uint8Array;
}

export type WireguardMessage = Initiation | Response | CookieReply | DataMessage;

const INITIATION_NOISE_AT = 8;
const RESPONSE_NOISE_AT = 12;
const COOKIE_NONCE_AT = 8;
const COOKIE_AT = 32;
const MACS_BYTES = 2 * MAC_BYTES;

/** The type of the message at `bytes[at..at+length)`, 1 to 4, or 0 where it can't be WireGuard's. */
export function messageType(bytes: Uint8Array, at: number, length: number): number {
  if (length < DATA_MIN_BYTES || (bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]!) !== 0) return 0;
  const type = bytes[at]!;
  return type >= TYPE_INITIATION && type <= TYPE_DATA ? type : 0;
}

export function decodeMessage(bytes: Uint8Array): Result<WireguardMessage, MessageRefusal> {
  switch (messageType(bytes, 0, bytes.length)) {
    case TYPE_INITIATION:
      return decodeInitiation(bytes);
    case TYPE_RESPONSE:
      return decodeResponse(bytes);
    case TYPE_COOKIE_REPLY:
      return decodeCookieReply(bytes);
    case TYPE_DATA:
      return decodeData(bytes);
    default:
      return refused('wireguard.type');
  }
}

export function decodeInitiation(bytes: Uint8Array): Result<Initiation, MessageRefusal> {
  const refusal = wrongShape(bytes, TYPE_INITIATION, INITIATION_BYTES);
  if (refusal !== null) return refused(refusal);
  const noise = bytes.subarray(INITIATION_NOISE_AT, INITIATION_BYTES - MACS_BYTES);
  return accepted({ type: 'initiation', sender: readUint32(bytes, 4), noise });
}

/** A message with its index and Noise part; the macs are still zero. */
export function encodeInitiation(sender: number, noise: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(INITIATION_BYTES);
  writeUint32(bytes, 0, TYPE_INITIATION);
  writeUint32(bytes, 4, sender);
  bytes.set(noise, INITIATION_NOISE_AT);
  return bytes;
}

export function decodeResponse(bytes: Uint8Array): Result<Response, MessageRefusal> {
  const refusal = wrongShape(bytes, TYPE_RESPONSE, RESPONSE_BYTES);
  if (refusal !== null) return refused(refusal);
  const noise = bytes.subarray(RESPONSE_NOISE_AT, RESPONSE_BYTES - MACS_BYTES);
  return accepted({ type: 'response', sender: readUint32(bytes, 4), receiver: readUint32(bytes, 8), noise });
}

/** A message with its indices and Noise part; the macs are still zero. */
export function encodeResponse(sender: number, receiver: number, noise: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RESPONSE_BYTES);
  writeUint32(bytes, 0, TYPE_RESPONSE);
  writeUint32(bytes, 4, sender);
  writeUint32(bytes, 8, receiver);
  bytes.set(noise, RESPONSE_NOISE_AT);
  return bytes;
}

export function decodeCookieReply(bytes: Uint8Array): Result<CookieReply, MessageRefusal> {
  const refusal = wrongShape(bytes, TYPE_COOKIE_REPLY, COOKIE_REPLY_BYTES);
  if (refusal !== null) return refused(refusal);
  return accepted({
    type: 'cookie-reply',
    receiver: readUint32(bytes, 4),
    nonce: bytes.subarray(COOKIE_NONCE_AT, COOKIE_AT),
    cookie: bytes.subarray(COOKIE_AT, COOKIE_REPLY_BYTES),
  });
}

export function encodeCookieReply(receiver: number, nonce: Uint8Array, cookie: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(COOKIE_REPLY_BYTES);
  writeUint32(bytes, 0, TYPE_COOKIE_REPLY);
  writeUint32(bytes, 4, receiver);
  bytes.set(nonce, COOKIE_NONCE_AT);
  bytes.set(cookie, COOKIE_AT);
  return bytes;
}

/** For tests and tools; the data plane reads the same fields in place, without an object. */
export function decodeData(bytes: Uint8Array): Result<DataMessage, MessageRefusal> {
  if (messageType(bytes, 0, bytes.length) !== TYPE_DATA) return refused('wireguard.type');
  const counter = (BigInt(readUint32(bytes, 12)) << 32n) | BigInt(readUint32(bytes, 8));
  return accepted({
    type: 'data',
    receiver: readUint32(bytes, 4),
    counter,
    sealed: bytes.subarray(DATA_HEADER_BYTES),
  });
}

/** `counter` is a whole number below 2^53. */
export function writeDataHeader(bytes: Uint8Array, at: number, receiver: number, counter: number): void {
  writeUint32(bytes, at, TYPE_DATA);
  writeUint32(bytes, at + 4, receiver);
  writeUint32(bytes, at + 8, counter);
  writeUint32(bytes, at + 12, Math.floor(counter / 2 ** 32));
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** Writes the low 32 bits of `value`. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function wrongShape(bytes: Uint8Array, type: number, length: number): MessageRefusal | null {
  if (messageType(bytes, 0, bytes.length) !== type) return 'wireguard.type';
  return bytes.length === length ? null : 'wireguard.length';
}
