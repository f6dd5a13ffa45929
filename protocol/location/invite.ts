// The invite: one line that a person pastes. It names the server by its keys and addresses, and carries the token that
// lets a node in. A secret; without a token it is the network's address, and none. `ginnel:` and base64url of: version (1), whole length (2, big endian), control key (32),
// identity key (32), network (16), token (1 + n), addresses (1, each 1 + n), CRC-32 (4).
import { fromBase64Url, toBase64Url } from '../base64.ts';
import { accepted, refused } from '../result.ts';
import type { Result } from '../result.ts';
import { parseHostPort } from './addresses.ts';
import { crc32 } from '../stun/crc32.ts';

export const INVITE_VERSION = 1;
const PREFIX = 'ginnel:';
const KEYS_END = 3 + 32 + 32 + 16;
const MAX_TEXT = 4096;
const MAX_ADDRESSES = 16;

export interface Invite {
  /** The server's X25519 key for the Noise channel, 32 bytes. */
  readonly serverKey: Uint8Array;
  /** The server's Ed25519 key, which signs assignments, 32 bytes. */
  readonly serverIdentity: Uint8Array;
  /** The network's id, 16 bytes. */
  readonly network: Uint8Array;
  /** 16 to 32 bytes, or none: then it lets nobody in by itself. */
  readonly token: Uint8Array;
  /** `host:port`, to be tried in this order; 1 to 16. */
  readonly addresses: readonly string[];
}

export type InviteRefusal =
  | 'invite.prefix'
  | 'invite.characters'
  | 'invite.truncated'
  | 'invite.checksum'
  | 'invite.version'
  | 'invite.malformed'
  | 'invite.length';

/** The line to show. A TypeError for fields out of bounds. */
export function encodeInvite(invite: Invite): string {
  const addresses = invite.addresses.map(address => new TextEncoder().encode(address));
  const fields = [
    checkedBytes(invite.serverKey, 32, 32),
    checkedBytes(invite.serverIdentity, 32, 32),
    checkedBytes(invite.network, 16, 16),
    counted(invite.token.length === 0 ? invite.token : checkedBytes(invite.token, 16, 32)),
    Uint8Array.of(addresses.length),
    ...addresses.map(address => counted(checkedBytes(address, 3, 255))),
  ];
  if (addresses.length < 1 || addresses.length > MAX_ADDRESSES) throw new TypeError('1 to 16 addresses');
  if (!invite.addresses.every(address => parseHostPort(address) !== null))
    throw new TypeError('host:port expected');
  const length = fields.reduce((sum, field) => sum + field.length, 3 + 4);
  const body = Uint8Array.from([
    INVITE_VERSION,
    length >> 8,
    length & 0xff,
    ...fields.flatMap(field => [...field]),
  ]);
  const sum = new Uint8Array(4);
  new DataView(sum.buffer).setUint32(0, crc32(body));
  return PREFIX + toBase64Url(Uint8Array.from([...body, ...sum]));
}

/** Reads what a person pasted: spaces and line breaks within do no harm. */
export function decodeInvite(text: string): Result<Invite, InviteRefusal> {
  if (text.length > MAX_TEXT) return refused('invite.length');
  const pasted = text.replaceAll(/\s+/g, '');
  if (!pasted.toLowerCase().startsWith(PREFIX)) return refused('invite.prefix');
  const digits = pasted.slice(PREFIX.length);
  if (!/^[A-Za-z0-9_-]*$/.test(digits)) return refused('invite.characters');
  const bytes = fromBase64Url(digits);
  if (bytes !== null && checksumFits(bytes))
    return bytes[0] === INVITE_VERSION ? decodeBody(bytes) : refused('invite.version');
  return refused(isCutShort(digits) ? 'invite.truncated' : 'invite.checksum');
}

function checksumFits(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  const sum = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4).getUint32(0);
  return sum === crc32(bytes.subarray(0, -4));
}

/** By the length it names itself: three bytes are the first four digits. */
function isCutShort(digits: string): boolean {
  const head = fromBase64Url(digits.slice(0, 4));
  if (head?.length !== 3) return true;
  return head[0] === INVITE_VERSION && Math.floor((digits.length * 3) / 4) < ((head[1]! << 8) | head[2]!);
}

function decodeBody(bytes: Uint8Array): Result<Invite, InviteRefusal> {
  const end = bytes.length - 4;
  const token = field(bytes, KEYS_END, end);
  if (((bytes[1]! << 8) | bytes[2]!) !== bytes.length || token === null) return refused('invite.malformed');
  const addresses = decodeAddresses(bytes, KEYS_END + 1 + token.length, end);
  const isToken = token.length === 0 || (token.length >= 16 && token.length <= 32);
  if (addresses === null || !isToken) return refused('invite.malformed');
  return accepted({
    serverKey: bytes.slice(3, 35),
    serverIdentity: bytes.slice(35, 67),
    network: bytes.slice(67, KEYS_END),
    token,
    addresses,
  });
}

function decodeAddresses(bytes: Uint8Array, start: number, end: number): string[] | null {
  const count = bytes[start];
  if (start >= end || count === undefined || count < 1 || count > MAX_ADDRESSES) return null;
  const addresses: string[] = [];
  let at = start + 1;
  while (addresses.length < count) {
    const text = field(bytes, at, end);
    if (text === null) return null;
    at += 1 + text.length;
    addresses.push(String.fromCharCode(...text));
  }
  return at === end && addresses.every(address => parseHostPort(address) !== null) ? addresses : null;
}

/** A field that starts with its length; null where it would reach behind `end`. */
function field(bytes: Uint8Array, at: number, end: number): Uint8Array | null {
  const length = bytes[at];
  return at >= end || length === undefined || at + 1 + length > end
    ? null
    : bytes.slice(at + 1, at + 1 + length);
}

const counted = (bytes: Uint8Array): Uint8Array => Uint8Array.from([bytes.length, ...bytes]);

function checkedBytes(bytes: Uint8Array, least: number, most: number): Uint8Array {
  if (bytes.length < least || bytes.length > most) throw new TypeError(`${least} to ${most} bytes expected`);
  return bytes;
}
