// Makes the certificate that a box signs for itself, to serve its page by: ECDSA on P-256 (RFC 5480, RFC 5758), for names and
// addresses (RFC 5280, 4.2.1.6). It may issue nothing: whoever trusts it trusts this box alone.
import { bitString, der, explicitTag, integer, oid, sequence, time } from './der.ts';
import { commonName, critical, extension, MAY_SIGN } from './make.ts';

export interface ServingWishes {
  /** 8 to 20 bytes; the first bit is 0. */
  readonly serial: Uint8Array;
  /** The common name, 1 to 64 characters. */
  readonly name: string;
  /** Milliseconds since 1970, to the second. */
  readonly from: number;
  readonly until: number;
  /** DNS names, in ASCII. */
  readonly names: readonly string[];
  /** 4 or 16 bytes each. */
  readonly addresses: readonly Uint8Array[];
}

/** What it is for, and by whom it is signed. */
export interface ServingKey {
  /** On P-256, uncompressed: 65 bytes. */
  readonly publicKey: Uint8Array;
  /** ECDSA with SHA-256, in DER. */
  sign(message: Uint8Array): Uint8Array;
}

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const P256 = sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7'));
const SERVER = '1.3.6.1.5.5.7.3.1';
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** The certificate in DER. */
export function makeServingCertificate(key: ServingKey, wishes: ServingWishes): Uint8Array {
  const body = sequence(
    der(explicitTag(0), integer(Uint8Array.of(2))),
    integer(wishes.serial),
    ECDSA_SHA256,
    commonName(wishes.name),
    sequence(time(wishes.from), time(wishes.until)),
    commonName(wishes.name),
    sequence(P256, bitString(key.publicKey)),
    der(explicitTag(3), sequence(...extensions(wishes))),
  );
  return sequence(body, ECDSA_SHA256, bitString(key.sign(body)));
}

function extensions({ names, addresses }: ServingWishes): Uint8Array[] {
  const dns = names.map(name => der(DNS_NAME, new TextEncoder().encode(name)));
  const ips = addresses.map(bytes => der(IP_ADDRESS, bytes));
  return [
    critical('2.5.29.19', sequence()),
    critical('2.5.29.15', MAY_SIGN),
    extension('2.5.29.37', sequence(oid(SERVER))),
    extension('2.5.29.17', sequence(...dns, ...ips)),
  ];
}
