// scrypt (RFC 7914) by node's thread pool: the event loop goes on meanwhile.
import { scrypt } from 'node:crypto';

export interface ScryptCost {
  /** A power of two; `128 × N × r` bytes of memory are used while it runs. */
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

const HASH_BYTES = 32;

/** 32 bytes. Rejects where the cost cannot be met. */
export function hashPassword(
  password: string,
  salt: Uint8Array,
  { N, r, p }: ScryptCost,
): Promise<Uint8Array> {
  // The same letters typed on another keyboard may come as other code points.
  const text = password.normalize('NFC');
  const maxmem = 2 * 128 * N * r;
  return new Promise((resolve, reject) => {
    scrypt(text, salt, HASH_BYTES, { N, r, p, maxmem }, (error, hash) => {
      if (error !== null) reject(error);
      else resolve(new Uint8Array(hash));
    });
  });
}
