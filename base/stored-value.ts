// How one value lies in the store: a version byte, eight bytes of BLAKE2s over key and text, then JSON as UTF-8.
// LevelDB hands out flipped bits without a word; the checksum does not.
import { createHash } from 'node:crypto';

const VERSION = 1;
const HEADER = 9;

export function encodeStored(key: string, value: unknown): Uint8Array {
  const text = JSON.stringify(value);
  if (typeof text !== 'string') throw new TypeError('only JSON values can be stored');
  const json = Buffer.from(text);
  return Buffer.concat([Buffer.of(VERSION), checksum(key, json), json]);
}

/** `newer`: a version this code does not know. `damaged`: the checksum does not fit. */
export type Stored =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly code: 'newer' | 'damaged' };

export function decodeStored(key: string, bytes: Uint8Array): Stored {
  if (bytes.length < HEADER) return { ok: false, code: 'damaged' };
  const json = bytes.subarray(HEADER);
  if (!checksum(key, json).equals(bytes.subarray(1, HEADER))) return { ok: false, code: 'damaged' };
  if (bytes[0] !== VERSION) return { ok: false, code: 'newer' };
  return { ok: true, value: JSON.parse(Buffer.from(json).toString()) as unknown };
}

/** The checksum that lies in an encoded value, as a number: what the store's seal adds up. */
export function checksumOf(encoded: Uint8Array): bigint {
  return Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength).readBigUInt64BE(1);
}

/** The version byte is not covered: a newer version keeps its first nine bytes in this shape, so that it can be told. */
const checksum = (key: string, json: Uint8Array): Buffer =>
  createHash('blake2s256')
    .update(key)
    .update('\0')
    .update(json)
    .digest()
    .subarray(0, HEADER - 1);
