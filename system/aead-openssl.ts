// What the ways into the OpenSSL inside node have in common. Called on the arena it is ten times faster than node:crypto,
// which copies, and makes objects, for each packet.
import type { AeadKey } from '../core/dataplane/aead.ts';
import type { Arena } from './doors.ts';

export const TAG_BYTES = 16;
export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;

/** Makes keys of one cipher; throws where this node has not what it needs. */
export type KeyMaker = (secret: Uint8Array) => AeadKey;

/** The nonce of WireGuard: 32 zero bits, then the counter in little endian. */
export function writeNonce(view: DataView, at: number, counter: number): void {
  view.setUint32(at, 0, true);
  // Takes the lower 32 bits.
  view.setUint32(at + 4, counter, true);
  view.setUint32(at + 8, Math.floor(counter / 2 ** 32), true);
}

/** These calls write where they are told: an offset outside the memory must not get through. */
function checkRange(arena: Arena, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= arena.memory.length)) {
    throw new RangeError(`${length} bytes at ${offset} are outside the memory`);
  }
}

/** What `seal` reads and writes. */
export function checkSeal(arena: Arena, target: number, source: number, length: number): void {
  checkRange(arena, source, length);
  checkRange(arena, target, length + TAG_BYTES);
}

/** What `open` reads and writes. */
export function checkOpen(arena: Arena, target: number, source: number, length: number): void {
  checkRange(arena, source, length);
  checkRange(arena, target, length - TAG_BYTES);
}

export function checkSecret(secret: Uint8Array): void {
  if (secret.length !== KEY_BYTES) throw new TypeError(`an AEAD key of ${secret.length} bytes`);
}

export const wiped = (): TypeError => new TypeError('this AEAD key was wiped');
