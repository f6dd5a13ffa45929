// Noise (revision 34) sections 5.1 and 5.2: the cipher state and the symmetric state, over ChaCha20-Poly1305 and BLAKE2s.
import type { Primitives } from '../primitives.ts';

export const HASH_BYTES = 32;
export const TAG_BYTES = 16;
const NOTHING = new Uint8Array(0);
/** 2^64-1 is reserved (section 5.1): the counter stops before it. */
const LAST_COUNTER = 0xffff_ffff_ffff_ffffn;

/** A key and its counter. Without a key it passes bytes through. */
export class CipherState {
  readonly #primitives: Primitives;
  readonly #key: Uint8Array | null;
  #counter = 0n;

  constructor(primitives: Primitives, key: Uint8Array | null) {
    this.#primitives = primitives;
    this.#key = key;
  }

  get exhausted(): boolean {
    return this.#counter >= LAST_COUNTER;
  }

  get keyed(): boolean {
    return this.#key !== null;
  }

  copy(): CipherState {
    const copy = new CipherState(this.#primitives, this.#key);
    copy.#counter = this.#counter;
    return copy;
  }

  seal(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (this.#key === null) return plaintext.slice();
    return this.#primitives.aeadSeal(this.#key, this.#counter++, plaintext, ad);
  }

  /** Null where the tag does not fit; the counter stays then. */
  open(ad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    if (this.#key === null) return sealed.slice();
    const plaintext = this.#primitives.aeadOpen(this.#key, this.#counter, sealed, ad);
    if (plaintext !== null) this.#counter++;
    return plaintext;
  }
}

/** Chaining key and transcript hash. */
export class SymmetricState {
  readonly #primitives: Primitives;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;
  #cipher: CipherState;

  constructor(primitives: Primitives, protocolName: string) {
    const name = new TextEncoder().encode(protocolName);
    this.#primitives = primitives;
    this.#hash = name.length <= HASH_BYTES ? padded(name) : primitives.blake2s(name);
    this.#chainingKey = this.#hash;
    this.#cipher = new CipherState(primitives, null);
  }

  get hash(): Uint8Array {
    return this.#hash;
  }

  get keyed(): boolean {
    return this.#cipher.keyed;
  }

  /** A copy that can be thrown away: hashes and keys are never changed in place. */
  copy(): SymmetricState {
    const copy = new SymmetricState(this.#primitives, '');
    copy.#chainingKey = this.#chainingKey;
    copy.#hash = this.#hash;
    copy.#cipher = this.#cipher.copy();
    return copy;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#primitives.blake2s(this.#hash, data);
  }

  mixKey(material: Uint8Array): void {
    const [chainingKey, key] = this.#hkdf(material, 2);
    this.#rekey(chainingKey!, key!);
  }

  mixKeyAndHash(material: Uint8Array): void {
    const [chainingKey, hashed, key] = this.#hkdf(material, 3);
    this.mixHash(hashed!);
    this.#rekey(chainingKey!, key!);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#cipher.seal(this.#hash, plaintext);
    this.mixHash(sealed);
    return sealed;
  }

  decryptAndHash(sealed: Uint8Array): Uint8Array | null {
    const plaintext = this.#cipher.open(this.#hash, sealed);
    if (plaintext !== null) this.mixHash(sealed);
    return plaintext;
  }

  /** The two transport keys: the initiator's sending key first. */
  split(): readonly [Uint8Array, Uint8Array] {
    const [first, second] = this.#hkdf(NOTHING, 2);
    return [first!, second!];
  }

  /** A secret beside the transport keys, from the same chaining key; the label keeps it apart from them. */
  secretFor(label: string): Uint8Array {
    return this.#hkdf(new TextEncoder().encode(label), 1)[0]!;
  }

  #rekey(chainingKey: Uint8Array, key: Uint8Array): void {
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(this.#primitives, key);
  }

  /** Section 4.3. */
  #hkdf(material: Uint8Array, outputs: number): Uint8Array[] {
    const extracted = this.#primitives.hmacBlake2s(this.#chainingKey, material);
    const derived: Uint8Array[] = [];
    for (let index = 1; index <= outputs; index++) {
      const previous = derived.at(-1) ?? NOTHING;
      derived.push(this.#primitives.hmacBlake2s(extracted, previous, Uint8Array.of(index)));
    }
    return derived;
  }
}

function padded(name: Uint8Array): Uint8Array {
  const hash = new Uint8Array(HASH_BYTES);
  hash.set(name);
  return hash;
}
