// One file that leaves this box: JSON with a version, a checksum over all, and its contents in the clear or sealed by a
// passphrase (scrypt, AES-256-GCM). What is read back is whole and as it was written, or refused in the words of its kind.
import { createCipheriv, createDecipheriv, createHash, randomBytes, scrypt } from 'node:crypto';
import type { ValidateFunction } from 'ajv';
import { canonicalJson } from '../protocol/location/canonical.ts';
import { compileSchema } from '../protocol/location/codec.ts';

/** What a kind of file says of one that cannot be used. */
export interface SealedFileErrors {
  foreign(): Error;
  /** It begins as one and breaks off. */
  cut(): Error;
  /** A sentence without its full stop. */
  damaged(problem: string): Error;
  newer(found: number, known: number): Error;
  /** It is sealed, and no passphrase was given. */
  sealed(): Error;
  passphrase(): Error;
}

export interface SealedFileKind {
  /** `server export`: the first words of the file. */
  readonly name: string;
  readonly version: number;
  /** Of the body, in base64. */
  readonly maxCharacters: number;
  readonly errors: SealedFileErrors;
}

export interface SealedFile {
  readonly ginnel: string;
  readonly v: number;
  /** ISO 8601. */
  readonly made: string;
  readonly seal: Seal | null;
  /** base64 of the contents, sealed or not. */
  readonly body: string;
  /** Hex, over the canonical JSON of all other fields. Newer versions keep this and `v`. */
  readonly sha256: string;
}

interface Seal {
  readonly kdf: 'scrypt';
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
  readonly cipher: 'aes-256-gcm';
  readonly nonce: string;
}

/** 32 MiB and about a tenth of a second on a PC; a file cannot ask for more. */
const COST = { n: 32_768, r: 8, p: 1 } as const;
const TAG_BYTES = 16;

export const only = (properties: Record<string, object>): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const base64 = (bytes: number): object => ({
  type: 'string',
  minLength: Math.ceil(bytes / 3) * 4,
  maxLength: Math.ceil(bytes / 3) * 4,
});
const fileSchema = ({ name, version, maxCharacters }: SealedFileKind): object =>
  only({
    ginnel: { const: name },
    v: { const: version },
    made: { type: 'string', maxLength: 32 },
    seal: {
      anyOf: [
        { type: 'null' },
        only({
          ...{ kdf: { const: 'scrypt' }, n: { const: COST.n }, r: { const: COST.r }, p: { const: COST.p } },
          ...{ salt: base64(16), cipher: { const: 'aes-256-gcm' }, nonce: base64(12) },
        }),
      ],
    },
    body: { type: 'string', maxLength: maxCharacters },
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  });

/** Compiled at the first file of each kind, not at import. */
const checks = new WeakMap<SealedFileKind, ValidateFunction<SealedFile>>();

function checkOf(kind: SealedFileKind): ValidateFunction<SealedFile> {
  const known = checks.get(kind);
  if (known !== undefined) return known;
  const check = compileSchema<SealedFile>(fileSchema(kind));
  checks.set(kind, check);
  return check;
}

/** One line of JSON. `made`: milliseconds since 1970. `passphrase` null: in the clear. */
export async function writeSealed(
  { name, version }: SealedFileKind,
  plain: Buffer,
  made: number,
  passphrase: string | null,
): Promise<string> {
  const head = { ginnel: name, v: version, made: new Date(made).toISOString() };
  const [seal, body] =
    passphrase === null ? [null, plain] : await sealed(plain, newSeal(), passphrase, head.made);
  const fields = { ...head, seal, body: body.toString('base64') };
  return `${JSON.stringify({ ...fields, sha256: checksum(fields) } satisfies SealedFile)}\n`;
}

/** What it holds, in the clear. Errors: all of the kind's. */
export async function openSealed(
  kind: SealedFileKind,
  text: string,
  passphrase: string | null,
): Promise<Opened> {
  const { body, seal, made } = readSealed(kind, text);
  const bytes = Buffer.from(body, 'base64');
  const plain = seal === null ? bytes : await opened(kind, bytes, { seal, passphrase, made });
  return { plain, made, isSealed: seal !== null };
}

export interface Opened {
  readonly plain: Buffer;
  /** ISO 8601. */
  readonly made: string;
  readonly isSealed: boolean;
}

/** The file, whole and of this version, as it lies there. Errors: foreign, cut, damaged, newer. */
export function readSealed(kind: SealedFileKind, text: string): SealedFile {
  const { name, version, errors } = kind;
  const value = parsed(text);
  const isOurs = typeof value === 'object' && value !== null && 'ginnel' in value;
  if (!isOurs || value.ginnel !== name)
    throw text.trimStart().startsWith(`{"ginnel":"${name}"`) ? errors.cut() : errors.foreign();
  const file: object & Partial<SealedFile> = { ...value, ginnel: name };
  const { v } = file;
  if (!isWhole(file)) throw errors.damaged('Its checksum does not fit');
  if (typeof v === 'number' && v > version) throw errors.newer(v, version);
  if (checkOf(kind)(value)) return value;
  throw errors.damaged('Its fields are not those of such a file');
}

const newSeal = (): Seal => ({
  ...{ kdf: 'scrypt', ...COST, salt: randomBytes(16).toString('base64') },
  ...{ cipher: 'aes-256-gcm', nonce: randomBytes(12).toString('base64') },
});

async function sealed(plain: Buffer, seal: Seal, passphrase: string, made: string): Promise<[Seal, Buffer]> {
  const nonce = Buffer.from(seal.nonce, 'base64');
  const cipher = createCipheriv(seal.cipher, await keyOf(seal, passphrase), nonce);
  cipher.setAAD(Buffer.from(made));
  return [seal, Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])];
}

interface Opening {
  readonly seal: Seal;
  readonly passphrase: string | null;
  readonly made: string;
}

async function opened(
  { errors }: SealedFileKind,
  body: Buffer,
  { seal, passphrase, made }: Opening,
): Promise<Buffer> {
  if (passphrase === null) throw errors.sealed();
  if (body.length < TAG_BYTES) throw errors.damaged('It holds nothing');
  const nonce = Buffer.from(seal.nonce, 'base64');
  const cipher = createDecipheriv(seal.cipher, await keyOf(seal, passphrase), nonce);
  cipher.setAAD(Buffer.from(made));
  cipher.setAuthTag(body.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([cipher.update(body.subarray(0, -TAG_BYTES)), cipher.final()]);
  } catch {
    // The checksum fits, so the file is as it was written.
    throw errors.passphrase();
  }
}

function keyOf({ n, r, p, salt }: Seal, passphrase: string): Promise<Buffer> {
  const cost = { N: n, r, p, maxmem: 64 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), Buffer.from(salt, 'base64'), 32, cost, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

const checksum = (fields: object): string => createHash('sha256').update(canonicalJson(fields)).digest('hex');

function isWhole({ sha256, ...fields }: Partial<SealedFile>): boolean {
  try {
    return checksum(fields) === sha256;
  } catch {
    // Nested deeper than calls can go: nobody of ours wrote that.
    return false;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
