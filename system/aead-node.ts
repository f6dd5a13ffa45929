// The AEAD of the data path by node:crypto alone: the slowest of the three, and the one that is always there.
import {
  createCipheriv,
  createDecipheriv,
  type CipherGCM,
  type CipherGCMTypes,
  type DecipherGCM,
} from 'node:crypto';
import type { Aead, AeadKey, AeadName } from '../core/dataplane/aead.ts';

const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const KEY_BYTES = 32;

/** Seals in `memory`, whatever stands behind it. */
export function createNodeAead(memory: Uint8Array): Aead {
  return {
    implementation: 'node-crypto',
    implementations: { 'chacha20-poly1305': 'node-crypto', 'aes-256-gcm': 'node-crypto' },
    memory,
    fastCiphers: ['chacha20-poly1305'],
    key: (name, secret) => new NodeAeadKey(memory, name, secret),
  };
}

class NodeAeadKey implements AeadKey {
  readonly #memory: Uint8Array;
  readonly #name: AeadName;
  #secret: Uint8Array | null;
  readonly #nonce = new Uint8Array(NONCE_BYTES);
  readonly #nonceView = new DataView(this.#nonce.buffer);

  constructor(memory: Uint8Array, name: AeadName, secret: Uint8Array) {
    if (secret.length !== KEY_BYTES) throw new TypeError(`AEAD key of ${secret.length} bytes`);
    this.#memory = memory;
    this.#name = name;
    this.#secret = secret.slice();
  }

  seal(counter: number, target: number, source: number, length: number): number {
    const cipher = this.#cipher(counter);
    const sealed = cipher.update(this.#memory.subarray(source, source + length));
    cipher.final();
    this.#memory.set(sealed, target);
    this.#memory.set(cipher.getAuthTag(), target + length);
    return length + TAG_BYTES;
  }

  open(counter: number, target: number, source: number, length: number): number {
    const plain = length - TAG_BYTES;
    if (plain < 0) return -1;
    const decipher = this.#decipher(counter);
    decipher.setAuthTag(this.#memory.subarray(source + plain, source + length));
    const opened = decipher.update(this.#memory.subarray(source, source + plain));
    if (!authentic(decipher)) return -1;
    this.#memory.set(opened, target);
    return plain;
  }

  wipe(): void {
    this.#secret?.fill(0);
    this.#secret = null;
  }

  #cipher(counter: number): CipherGCM {
    const options = { authTagLength: TAG_BYTES };
    return createCipheriv(asGcm(this.#name), this.#key(), this.#nonceOf(counter), options);
  }

  #decipher(counter: number): DecipherGCM {
    const options = { authTagLength: TAG_BYTES };
    return createDecipheriv(asGcm(this.#name), this.#key(), this.#nonceOf(counter), options);
  }

  #key(): Uint8Array {
    if (this.#secret === null) throw new TypeError('this AEAD key was wiped');
    return this.#secret;
  }

  #nonceOf(counter: number): Uint8Array {
    this.#nonceView.setUint32(4, counter % 2 ** 32, true);
    this.#nonceView.setUint32(8, Math.floor(counter / 2 ** 32), true);
    return this.#nonce;
  }
}

/** node:crypto speaks to both ciphers alike; its types tell them apart. */
const asGcm = (name: AeadName): CipherGCMTypes => name as CipherGCMTypes;

/** `final` throws where the tag does not fit, and only then. */
function authentic(decipher: DecipherGCM): boolean {
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}
