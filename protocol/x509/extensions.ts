// What an X.509 certificate (RFC 5280) says of its use, as far as node's own reader does not tell: how its signature was
// made, what its key may do, how long a chain below it may be, and what it demands that we do not know.
import { accepted, refused } from '../result.ts';
import type { Result } from '../result.ts';
import { explicitTag, oidText, readDer, TAG } from './der.ts';
import type { DerRefusal, DerValue } from './der.ts';

export interface CertificateUse {
  /** `1.3.101.112`: how its issuer signed. */
  readonly signatureAlgorithm: string;
  readonly isAuthority: boolean;
  /** How many authorities may stand between it and a box; null: any number. */
  readonly pathLength: number | null;
  /** Null: not restricted. */
  readonly keyUsage: { readonly digitalSignature: boolean; readonly keyCertSign: boolean } | null;
  /** Purposes by number; null: not restricted. */
  readonly purposes: readonly string[] | null;
  /** Critical extensions that are not read here: whoever honours the certificate must refuse them. */
  readonly unknownCritical: readonly string[];
}

export type CertificateRefusal = DerRefusal | 'x509.shape' | 'x509.extension' | 'x509.twice';

const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const PURPOSES = '2.5.29.37';
/** Names say whom a certificate is for; here that is its key's matter. */
const IGNORED = new Set(['2.5.29.17', '2.5.29.18']);

interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Uint8Array;
}

/** What its issuer signed, as it stands there: the same in all ways to write the signature. */
export function signedPart(certificate: Uint8Array): Result<Uint8Array, CertificateRefusal> {
  const parts = partsOf(certificate);
  return parts.ok ? accepted(parts.value.body.whole) : parts;
}

export function readUse(certificate: Uint8Array): Result<CertificateUse, CertificateRefusal> {
  const parts = partsOf(certificate);
  if (!parts.ok) return parts;
  const { body, algorithm } = parts.value;
  const fields = readDer(body.contents);
  if (!fields.ok) return fields;
  const signatureAlgorithm = algorithmOf(algorithm);
  if (signatureAlgorithm === null) return refused('x509.shape');
  const extensions = extensionsOf(fields.value);
  return extensions.ok ? useOf(signatureAlgorithm, extensions.value) : extensions;
}

interface Parts {
  readonly body: DerValue;
  readonly algorithm: DerValue;
}

function partsOf(certificate: Uint8Array): Result<Parts, CertificateRefusal> {
  const outer = readDer(certificate);
  if (!outer.ok) return outer;
  const [whole] = outer.value;
  if (outer.value.length !== 1 || whole?.tag !== TAG.sequence) return refused('x509.shape');
  const parts = readDer(whole.contents);
  if (!parts.ok) return parts;
  const [body, algorithm] = parts.value;
  if (parts.value.length !== 3 || body?.tag !== TAG.sequence || algorithm?.tag !== TAG.sequence)
    return refused('x509.shape');
  return accepted({ body, algorithm });
}

function algorithmOf(algorithm: DerValue): string | null {
  const parts = readDer(algorithm.contents);
  const first = parts.ok ? parts.value[0] : undefined;
  return first?.tag === TAG.oid ? oidText(first.contents) : null;
}

function extensionsOf(fields: readonly DerValue[]): Result<readonly Extension[], CertificateRefusal> {
  const field = fields.find(({ tag }) => tag === explicitTag(3));
  if (field === undefined) return accepted([]);
  const list = readDer(field.contents);
  if (!list.ok) return list;
  const [only] = list.value;
  if (list.value.length !== 1 || only?.tag !== TAG.sequence) return refused('x509.extension');
  const items = readDer(only.contents);
  if (!items.ok) return items;
  const read = items.value.map(extensionOf);
  const known = read.filter(extension => extension !== null);
  if (known.length !== read.length) return refused('x509.extension');
  if (new Set(known.map(({ id }) => id)).size !== known.length) return refused('x509.twice');
  return accepted(known);
}

function extensionOf(item: DerValue): Extension | null {
  const parts = item.tag === TAG.sequence ? readDer(item.contents) : null;
  if (parts?.ok !== true) return null;
  const isMarked = parts.value[1]?.tag === TAG.boolean;
  const [id, value] = [parts.value[0], parts.value[isMarked ? 2 : 1]];
  const name = id?.tag === TAG.oid ? oidText(id.contents) : null;
  if (name === null || value?.tag !== TAG.octetString || parts.value.length !== (isMarked ? 3 : 2))
    return null;
  return { id: name, isCritical: isMarked && parts.value[1]?.contents[0] !== 0, value: value.contents };
}

function useOf(
  signatureAlgorithm: string,
  extensions: readonly Extension[],
): Result<CertificateUse, CertificateRefusal> {
  const valueOf = (id: string): Uint8Array | undefined => extensions.find(each => each.id === id)?.value;
  const basic = basicConstraints(valueOf(BASIC_CONSTRAINTS));
  const usage = keyUsage(valueOf(KEY_USAGE));
  const purposes = purposesOf(valueOf(PURPOSES));
  if (basic === undefined || usage === undefined || purposes === undefined) return refused('x509.extension');
  const read = new Set([BASIC_CONSTRAINTS, KEY_USAGE, PURPOSES, ...IGNORED]);
  const unknown = extensions.filter(({ id, isCritical }) => isCritical && !read.has(id));
  return accepted({
    signatureAlgorithm,
    ...basic,
    keyUsage: usage,
    purposes,
    unknownCritical: unknown.map(({ id }) => id),
  });
}

/** `undefined` of these three: not well-formed. */
function basicConstraints(
  value: Uint8Array | undefined,
): Pick<CertificateUse, 'isAuthority' | 'pathLength'> | undefined {
  if (value === undefined) return { isAuthority: false, pathLength: null };
  const fields = contentsOf(value);
  if (fields === null) return undefined;
  const isAuthority = fields[0]?.tag === TAG.boolean && fields[0].contents[0] !== 0;
  const length = fields.find(({ tag }) => tag === TAG.integer);
  if (length !== undefined && length.contents.length !== 1) return undefined;
  return { isAuthority, pathLength: length?.contents[0] ?? null };
}

function keyUsage(value: Uint8Array | undefined): CertificateUse['keyUsage'] | undefined {
  if (value === undefined) return null;
  const bits = readDer(value);
  const [only] = bits.ok ? bits.value : [];
  if (only?.tag !== TAG.bitString || only.contents.length < 2) return undefined;
  const first = only.contents[1]!;
  return { digitalSignature: (first & 0x80) !== 0, keyCertSign: (first & 0x04) !== 0 };
}

function purposesOf(value: Uint8Array | undefined): readonly string[] | null | undefined {
  if (value === undefined) return null;
  const names = contentsOf(value)?.map(({ tag, contents }) => (tag === TAG.oid ? oidText(contents) : null));
  return names === undefined || names.includes(null) ? undefined : names.filter(name => name !== null);
}

/** Of the one sequence that these bytes are. */
function contentsOf(bytes: Uint8Array): readonly DerValue[] | null {
  const outer = readDer(bytes);
  const [only] = outer.ok ? outer.value : [];
  if (!outer.ok || outer.value.length !== 1 || only?.tag !== TAG.sequence) return null;
  const inner = readDer(only.contents);
  return inner.ok ? inner.value : null;
}
