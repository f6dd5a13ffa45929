// A key on the curve P-256 for signatures (ECDSA, FIPS 186-5): what all browsers take, which Ed25519 is not. Made by
// createECDH, never by generateKeyPair (crypto.ts says why).
import { createECDH, createPrivateKey, sign } from 'node:crypto';

export interface P256Key {
  /** 32 bytes. A secret. */
  readonly secret: Uint8Array;
  /** The point, uncompressed: 65 bytes. */
  readonly publicKey: Uint8Array;
  /** With SHA-256; the signature in DER. */
  sign(message: Uint8Array): Uint8Array;
  /** PKCS #8 as PEM. A secret. */
  pem(): string;
}

const CURVE = 'prime256v1';
const COORDINATE_BYTES = 32;

export function newP256Key(): P256Key {
  const pair = createECDH(CURVE);
  pair.generateKeys();
  // Leading zeros are not told.
  const secret = new Uint8Array(COORDINATE_BYTES);
  const told = pair.getPrivateKey();
  secret.set(told, COORDINATE_BYTES - told.length);
  const key = p256Key(secret);
  if (key === null) throw new TypeError('a fresh key on P-256 is none');
  return key;
}

/** Null where these bytes are no key. */
export function p256Key(secret: Uint8Array): P256Key | null {
  if (secret.length !== COORDINATE_BYTES) return null;
  const pair = createECDH(CURVE);
  try {
    pair.setPrivateKey(secret);
  } catch {
    return null;
  }
  const publicKey = new Uint8Array(pair.getPublicKey());
  const [x, y] = [publicKey.subarray(1, 1 + COORDINATE_BYTES), publicKey.subarray(1 + COORDINATE_BYTES)];
  const [d, xText, yText] = [secret, x, y].map(part => Buffer.from(part).toString('base64url'));
  const jwk = { kty: 'EC', crv: 'P-256', d: d ?? '', x: xText ?? '', y: yText ?? '' };
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  return {
    ...{ secret, publicKey },
    sign: message => new Uint8Array(sign('sha256', message, key)),
    pem: () => key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
