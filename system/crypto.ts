// The cryptographic primitives of the house: node:crypto, and @noble for the two that node:crypto lacks
// (keyed BLAKE2s and XChaCha20-Poly1305). For handshakes and control; the data path seals through an `Aead`.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  randomFillSync,
  sign,
  timingSafeEqual,
  verify,
  type KeyObject,
} from 'node:crypto';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { blake2s } from '@noble/hashes/blake2.js';
import type { DhKeyPair, Primitives } from '../protocol/primitives.ts';

const KEY_BYTES = 32;
const TAG_BYTES = 16;
const NOISE_CIPHER = 'chacha20-poly1305';

type Curve = 'X25519' | 'Ed25519';

export const primitives: Primitives = {
  randomBytes: length => randomFillSync(new Uint8Array(length)),
  dhKeyPair,
  blake2s: (...parts) => digest('blake2s256', parts),
  hmacBlake2s: (key, ...parts) => hmac('blake2s256', key, parts),
  macBlake2s: keyedBlake2s,
  aeadSeal,
  aeadOpen,
  xaeadSeal: (key, nonce, plaintext, ad) => xchacha20poly1305(key, nonce, ad).encrypt(plaintext),
  xaeadOpen: (key, nonce, sealed, ad) => orNull(() => xchacha20poly1305(key, nonce, ad).decrypt(sealed)),
  hmacSha1: (key, ...parts) => hmac('sha1', key, parts),
  hmacSha256: (key, ...parts) => hmac('sha256', key, parts),
  sha256: (...parts) => digest('sha256', parts),
  md5: (...parts) => digest('md5', parts),
  sign: (seed, message) => plain(sign(null, message, privateKey('Ed25519', seed))),
  verify: (publicKeyBytes, message, signature) =>
    publicKeyBytes.length === KEY_BYTES &&
    orNull(() => verify(null, message, publicKey('Ed25519', publicKeyBytes), signature)) === true,
  signingPublicKey: seed => publicBytes(privateKey('Ed25519', seed)),
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};

/** Holds the private key as a KeyObject: an import costs as much as the exchange itself. */
/**
 * Never by node's generateKeyPair: in Node 20 its job locks the key's mutex when it is collected, and a collection while
 * that key is being exported, under the same mutex, stops the process for good (seen once in half a million handshakes).
 */
function dhKeyPair(secret: Uint8Array = randomFillSync(new Uint8Array(KEY_BYTES))): DhKeyPair {
  const key = privateKey('X25519', secret);
  return {
    publicKey: publicBytes(key),
    diffieHellman(remote) {
      const remoteKey = publicKey('X25519', remote);
      // OpenSSL refuses to derive an all-zero secret: the only way in which two well-formed keys can fail.
      return orNull(() => plain(diffieHellman({ privateKey: key, publicKey: remoteKey })));
    },
  };
}

function keyedBlake2s(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const hash = blake2s.create({ key, dkLen: TAG_BYTES });
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function aeadSeal(key: Uint8Array, counter: bigint, plaintext: Uint8Array, ad: Uint8Array): Uint8Array {
  const cipher = createCipheriv(NOISE_CIPHER, key, noiseNonce(counter), { authTagLength: TAG_BYTES });
  cipher.setAAD(ad, { plaintextLength: plaintext.length });
  const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
  sealed.set(cipher.update(plaintext));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plaintext.length);
  return sealed;
}

function aeadOpen(key: Uint8Array, counter: bigint, sealed: Uint8Array, ad: Uint8Array): Uint8Array | null {
  if (sealed.length < TAG_BYTES) return null;
  const length = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(NOISE_CIPHER, key, noiseNonce(counter), { authTagLength: TAG_BYTES });
  decipher.setAAD(ad, { plaintextLength: length });
  decipher.setAuthTag(sealed.subarray(length));
  const opened = plain(decipher.update(sealed.subarray(0, length)));
  return orNull(() => decipher.final()) === null ? null : opened;
}

function noiseNonce(counter: bigint): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, counter, true);
  return nonce;
}

function digest(algorithm: string, parts: Uint8Array[]): Uint8Array {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return plain(hash.digest());
}

function hmac(algorithm: string, key: Uint8Array, parts: Uint8Array[]): Uint8Array {
  const mac = createHmac(algorithm, key);
  for (const part of parts) mac.update(part);
  return plain(mac.digest());
}

// Raw keys go in as JWK: ten times faster than PKCS#8 in DER. The public half is not read with a private one.
function privateKey(crv: Curve, secret: Uint8Array): KeyObject {
  if (secret.length !== KEY_BYTES) throw new TypeError(`${crv} secret of ${secret.length} bytes`);
  return createPrivateKey({ key: { kty: 'OKP', crv, d: base64url(secret), x: '' }, format: 'jwk' });
}

function publicKey(crv: Curve, bytes: Uint8Array): KeyObject {
  if (bytes.length !== KEY_BYTES) throw new TypeError(`${crv} public key of ${bytes.length} bytes`);
  return createPublicKey({ key: { kty: 'OKP', crv, x: base64url(bytes) }, format: 'jwk' });
}

function publicBytes(key: KeyObject): Uint8Array {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return plain(Buffer.from(x ?? '', 'base64url'));
}

const base64url = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url');

/** A Uint8Array of its own: no Buffer, whose pool and methods differ, leaves this file. */
const plain = (buffer: Buffer): Uint8Array => new Uint8Array(buffer);

/** For calls whose only failure is the answer "it does not fit". */
function orNull<T>(attempt: () => T): T | null {
  try {
    return attempt();
  } catch {
    return null;
  }
}
