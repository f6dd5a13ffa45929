// X.509 certificates and their keys by node:crypto (OpenSSL): read, compared, verified. Which of them are to be trusted
// is decided elsewhere.
import {
  constants,
  createHash,
  createPrivateKey,
  sign,
  verify,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import { signedPart } from '../protocol/x509/extensions.ts';

export interface Certificate {
  readonly der: Uint8Array;
  /** In one line: `O=Home, CN=attic`. */
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal, upper case. */
  readonly serial: string;
  /** SHA-256 over the whole, hexadecimal, lower case. */
  readonly fingerprint: string;
  /** SHA-256 over what its issuer signed, likewise: ECDSA has two signatures for it, and so the whole two fingerprints. */
  readonly identity: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  readonly isAuthority: boolean;
  /** `ed25519`, `rsa 2048`, `ec prime256v1`: what kind of key it is for. */
  readonly keyKind: string;
  /** Names fit, and that one's key signed this. */
  isIssuedBy(issuer: Certificate): boolean;
  /** By the key that it is for. */
  hasSigned(statement: Uint8Array, signature: Uint8Array): boolean;
}

/** Null where the bytes are no certificate. */
export function readCertificate(bytes: Uint8Array): Certificate | null {
  const read = orNull(() => new X509Certificate(bytes));
  const key = orNull(() => read?.publicKey ?? null);
  return read === null || key === null ? null : new OpenSslCertificate(read, key);
}

/** All certificates in a PEM text, in their order; empty where there is none, or one that cannot be read. */
export function readCertificates(pem: string): Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const read = blocks.map(block => orNull(() => new X509Certificate(block)));
  const certificates = read.map(each => (each === null ? null : readCertificate(new Uint8Array(each.raw))));
  const whole = certificates.filter(each => each !== null);
  return whole.length === blocks.length ? whole : [];
}

export function pemOf(label: 'CERTIFICATE' | 'PRIVATE KEY', der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** Signs with the private key in a PEM text; null where that is none, or not the certificate's. */
export function signerOf(
  certificate: Certificate,
  keyPem: string,
): ((statement: Uint8Array) => Uint8Array) | null {
  const key = orNull(() => createPrivateKey(keyPem));
  const read = new X509Certificate(certificate.der);
  if (key === null || !read.checkPrivateKey(key)) return null;
  return statement => new Uint8Array(sign(digestFor(key), statement, paddingFor(key)));
}

class OpenSslCertificate implements Certificate {
  readonly der: Uint8Array;
  readonly #read: X509Certificate;
  readonly #key: KeyObject;

  constructor(read: X509Certificate, key: KeyObject) {
    this.#read = read;
    this.#key = key;
    this.der = new Uint8Array(read.raw);
  }

  get subject(): string {
    return this.#read.subject.replaceAll('\n', ', ');
  }

  get issuer(): string {
    return this.#read.issuer.replaceAll('\n', ', ');
  }

  get serial(): string {
    return this.#read.serialNumber;
  }

  get fingerprint(): string {
    return this.#read.fingerprint256.replaceAll(':', '').toLowerCase();
  }

  get identity(): string {
    const signed = signedPart(this.der);
    return signed.ok ? createHash('sha256').update(signed.value).digest('hex') : this.fingerprint;
  }

  get from(): number {
    return Date.parse(this.#read.validFrom);
  }

  get until(): number {
    return Date.parse(this.#read.validTo);
  }

  get isAuthority(): boolean {
    return this.#read.ca;
  }

  get keyKind(): string {
    const { asymmetricKeyType = 'unknown', asymmetricKeyDetails: details } = this.#key;
    const size = details?.namedCurve ?? details?.modulusLength;
    return size === undefined ? asymmetricKeyType : `${asymmetricKeyType} ${size}`;
  }

  isIssuedBy(issuer: Certificate): boolean {
    const other = orNull(() => new X509Certificate(issuer.der));
    if (other === null || !this.#read.checkIssued(other)) return false;
    return orNull(() => this.#read.verify(other.publicKey)) === true;
  }

  hasSigned(statement: Uint8Array, signature: Uint8Array): boolean {
    const key = this.#key;
    return orNull(() => verify(digestFor(key), statement, paddingFor(key), signature)) === true;
  }
}

/** EdDSA brings its own. */
const digestFor = ({ asymmetricKeyType }: KeyObject): string | null =>
  asymmetricKeyType === 'ed25519' ? null : 'sha256';

const paddingFor = (key: KeyObject): { key: KeyObject; padding?: number; saltLength?: number } =>
  key.asymmetricKeyType === 'rsa'
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : { key };

/** OpenSSL answers what it cannot read with an exception. */
function orNull<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
