// Which certificate lets a box in (V3): X.509 as RFC 5280 reads it, kept narrow. Whatever is not known to be right is
// refused, with the check that failed in words.
import { fromBase64Url } from '../protocol/base64.ts';
import type { CertificateCredential } from '../protocol/location/messages.ts';
import { certificateStatement } from '../protocol/location/signed.ts';
import { readUse } from '../protocol/x509/extensions.ts';
import type { CertificateUse } from '../protocol/x509/extensions.ts';
import { readCertificate } from '../system/certificates.ts';
import type { Certificate } from '../system/certificates.ts';
import { serverErrors } from './errors.ts';

export interface Trust {
  readonly authorities: readonly Certificate[];
  isRevoked(serial: string): boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

interface Link {
  readonly certificate: Certificate;
  readonly use: CertificateUse;
}

/** Ed25519; ECDSA and RSA with SHA-256, 384 and 512. */
const SIGNATURES = new Set([
  '1.3.101.112',
  ...[2, 3, 4].map(hash => `1.2.840.10045.4.3.${hash}`),
  ...[11, 12, 13].map(hash => `1.2.840.113549.1.1.${hash}`),
]);
const KEYS = /^(ed25519|ec (prime256v1|secp384r1|secp521r1)|rsa (2048|3072|4096|8192))$/;
/** For clients (RFC 5280, 4.2.1.12), or for anything. */
const PURPOSES = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];

/** The box's own certificate. Errors: CERTIFICATE_REFUSED, CERTIFICATE_EXPIRED, CERTIFICATE_REVOKED. */
export function judgeCertificate(
  { chain, signature }: CertificateCredential,
  channelHash: Uint8Array,
  trust: Trust,
): Certificate {
  const [own, ...above] = chain.map(linkOf);
  if (own === undefined) refuse('there is none');
  refuseUnfit(own);
  const path = pathTo(trust.authorities, own, above);
  for (const { certificate } of path) refuseExpired(certificate, trust.now);
  if (path.some(({ certificate }) => trust.isRevoked(certificate.serial))) {
    throw serverErrors('CERTIFICATE_REVOKED', { serial: own.certificate.serial });
  }
  const proof = fromBase64Url(signature) ?? new Uint8Array();
  if (!own.certificate.hasSigned(certificateStatement(channelHash), proof))
    refuse('the box did not prove that it has the key of the certificate');
  return own.certificate;
}

/** What an authority must be to be trusted, in words; null: it is. */
export function problemOfAuthority(certificate: Certificate, now: number): string | null {
  const use = readUse(certificate.der);
  if (!use.ok) return `it is not well-formed (${use.code})`;
  if (!mayIssue({ certificate, use: use.value })) return 'it is not the certificate of an authority';
  if (use.value.unknownCritical.length > 0)
    return `it demands what this version does not know (${use.value.unknownCritical.join(', ')})`;
  if (!KEYS.test(certificate.keyKind)) return `its key is not taken here (${certificate.keyKind})`;
  return now > certificate.until ? 'it has expired' : null;
}

function linkOf(text: string): Link {
  const bytes = fromBase64Url(text);
  const certificate = bytes === null ? null : readCertificate(bytes);
  if (certificate === null) refuse('it cannot be read');
  const use = readUse(certificate.der);
  if (!use.ok) refuse(`it is not well-formed (${use.code})`);
  refuseWeak(certificate, use.value);
  return { certificate, use: use.value };
}

function refuseWeak({ keyKind }: Certificate, { signatureAlgorithm, unknownCritical }: CertificateUse): void {
  if (!SIGNATURES.has(signatureAlgorithm))
    refuse(`its signature is of a kind not taken here (${signatureAlgorithm})`);
  if (!KEYS.test(keyKind)) refuse(`its key is not taken here (${keyKind})`);
  const [unknown] = unknownCritical;
  if (unknown !== undefined) refuse(`it demands what this version does not know (${unknown})`);
}

function refuseUnfit({ certificate, use }: Link): void {
  if (certificate.isAuthority || use.isAuthority) refuse("it is an authority's own, not a box's");
  if (use.keyUsage !== null && !use.keyUsage.digitalSignature) refuse('its key may not sign');
  if (use.purposes !== null && !use.purposes.some(each => PURPOSES.includes(each)))
    refuse('it is not for clients');
}

/** From the box's own to an authority that is trusted, that one included. */
function pathTo(authorities: readonly Certificate[], own: Link, above: readonly Link[]): Link[] {
  const path = [own];
  for (const next of [...above, null]) {
    const last = path.at(-1)!;
    const anchor = authorities.find(authority => last.certificate.isIssuedBy(authority));
    if (anchor !== undefined) return withAnchor(path, anchor);
    if (next === null || !last.certificate.isIssuedBy(next.certificate)) break;
    refuseIssuer(next, path.length - 1);
    path.push(next);
  }
  refuse('nobody who is trusted here has issued it');
}

function withAnchor(path: readonly Link[], anchor: Certificate): Link[] {
  const use = readUse(anchor.der);
  if (!use.ok) refuse('the authority that issued it cannot be read any more');
  const link = { certificate: anchor, use: use.value };
  refuseIssuer(link, path.length - 1);
  return [...path, link];
}

/** `between`: how many authorities stand between it and the box. */
function refuseIssuer(issuer: Link, between: number): void {
  if (!mayIssue(issuer)) refuse('one that may not issue certificates has issued it');
  const { pathLength } = issuer.use;
  if (pathLength !== null && between > pathLength) refuse('the chain is longer than its authority allows');
}

const mayIssue = ({ certificate, use }: Link): boolean =>
  certificate.isAuthority && use.isAuthority && (use.keyUsage === null || use.keyUsage.keyCertSign);

function refuseExpired({ from, until, subject }: Certificate, now: number): void {
  const [words, limit] = now < from ? ['is good from', from] : ['was good until', until];
  if (now >= from && now <= until) return;
  throw serverErrors('CERTIFICATE_EXPIRED', { subject, words, limit: new Date(limit).toISOString() });
}

function refuse(problem: string): never {
  throw serverErrors('CERTIFICATE_REFUSED', { problem });
}
