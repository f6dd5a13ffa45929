// The cryptographic primitives that protocol code is handed: it never imports an implementation.
// system/crypto.ts implements them with node:crypto and @noble.

/** A private X25519 key that the implementation may hold in a form of its own. */
export interface DhKeyPair {
  readonly publicKey: Uint8Array;
  /** The shared secret (32 bytes), or null where it is all zero (a low-order public key). */
  diffieHellman(publicKey: Uint8Array): Uint8Array | null;
}

export interface Primitives {
  randomBytes(length: number): Uint8Array;
  /** X25519 from a 32-byte secret, or a fresh one. */
  dhKeyPair(secret?: Uint8Array): DhKeyPair;
  /** BLAKE2s-256 over the parts, one after another. */
  blake2s(...parts: Uint8Array[]): Uint8Array;
  /** HMAC-BLAKE2s-256. */
  hmacBlake2s(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array;
  /** Keyed BLAKE2s with a 16-byte output: WireGuard's mac1 and mac2. */
  macBlake2s(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array;
  /** ChaCha20-Poly1305 with the Noise nonce (32 zero bits, then the counter in little endian): ciphertext and tag. */
  aeadSeal(key: Uint8Array, counter: bigint, plaintext: Uint8Array, ad: Uint8Array): Uint8Array;
  /** The plaintext, or null where the tag does not fit. */
  aeadOpen(key: Uint8Array, counter: bigint, sealed: Uint8Array, ad: Uint8Array): Uint8Array | null;
  /** XChaCha20-Poly1305 with a 24-byte nonce: WireGuard's cookie reply. */
  xaeadSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, ad: Uint8Array): Uint8Array;
  xaeadOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, ad: Uint8Array): Uint8Array | null;
  hmacSha1(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array;
  hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array;
  sha256(...parts: Uint8Array[]): Uint8Array;
  md5(...parts: Uint8Array[]): Uint8Array;
  /** Ed25519: a 64-byte signature by the 32-byte seed. */
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** The Ed25519 public key of a 32-byte seed. */
  signingPublicKey(seed: Uint8Array): Uint8Array;
  /** Equality in constant time; false where the lengths differ. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
}
