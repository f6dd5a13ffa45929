// Makes X.509 certificates (RFC 5280) with Ed25519 keys (RFC 8410): what a network's own authority needs, and no more.
import type { Primitives } from '../primitives.ts';
import { bitString, der, explicitTag, integer, octetString, oid, sequence, TAG, time, utf8 } from './der.ts';

export interface CertificateWishes {
  /** 8 to 20 bytes; the first bit is 0. */
  readonly serial: Uint8Array;
  /** The common names, 1 to 64 characters each. */
  readonly issuer: string;
  readonly subject: string;
  /** Milliseconds since 1970, to the second. */
  readonly from: number;
  readonly until: number;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** It may issue others (which may not); else it is for a box. */
  readonly isAuthority: boolean;
}

const ED25519 = sequence(oid('1.3.101.112'));
const CLIENT = '1.3.6.1.5.5.7.3.2';
const YES = der(TAG.boolean, Uint8Array.of(0xff));
/** Bits 5 and 6 (certificates and their revocation), and bit 0 (signatures), each with its count of unused bits. */
const MAY_ISSUE = der(TAG.bitString, Uint8Array.of(1, 0x06));
export const MAY_SIGN = der(TAG.bitString, Uint8Array.of(7, 0x80));

/** The certificate in DER, signed by the issuer's Ed25519 seed (32 bytes). */
export function makeCertificate(
  primitives: Primitives,
  issuerSeed: Uint8Array,
  wishes: CertificateWishes,
): Uint8Array {
  const body = sequence(
    der(explicitTag(0), integer(Uint8Array.of(2))),
    integer(wishes.serial),
    ED25519,
    commonName(wishes.issuer),
    sequence(time(wishes.from), time(wishes.until)),
    commonName(wishes.subject),
    publicKey(wishes.publicKey),
    der(explicitTag(3), sequence(...extensions(primitives, issuerSeed, wishes))),
  );
  return sequence(body, ED25519, bitString(primitives.sign(issuerSeed, body)));
}

/** An Ed25519 seed as PKCS #8, for programs that want a key file. A secret. */
export const privateKeyFile = (seed: Uint8Array): Uint8Array =>
  sequence(integer(Uint8Array.of(0)), ED25519, octetString(octetString(seed)));

export const commonName = (text: string): Uint8Array =>
  sequence(der(TAG.set, sequence(oid('2.5.4.3'), utf8(text))));

const publicKey = (key: Uint8Array): Uint8Array => sequence(ED25519, bitString(key));

function extensions(
  primitives: Primitives,
  issuerSeed: Uint8Array,
  { isAuthority, publicKey: own }: CertificateWishes,
): Uint8Array[] {
  const keyId = (key: Uint8Array): Uint8Array => primitives.sha256(key).subarray(0, 20);
  const issuerId = keyId(primitives.signingPublicKey(issuerSeed));
  return [
    // No authority below it.
    critical('2.5.29.19', isAuthority ? sequence(YES, integer(Uint8Array.of(0))) : sequence()),
    critical('2.5.29.15', isAuthority ? MAY_ISSUE : MAY_SIGN),
    ...(isAuthority ? [] : [extension('2.5.29.37', sequence(oid(CLIENT)))]),
    extension('2.5.29.14', octetString(keyId(own))),
    extension('2.5.29.35', sequence(der(0x80, issuerId))),
  ];
}

export const critical = (id: string, value: Uint8Array): Uint8Array =>
  sequence(oid(id), YES, octetString(value));
export const extension = (id: string, value: Uint8Array): Uint8Array => sequence(oid(id), octetString(value));
