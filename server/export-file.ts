// An export of the server as one file: JSON with a version, a checksum over all, and the contents in the clear or sealed
// by a passphrase (scrypt, AES-256-GCM). What is read back is whole and as it was written, or refused with a code.
import { createCipheriv, createDecipheriv, createHash, randomBytes, scrypt } from 'node:crypto';
import type { ValidateFunction } from 'ajv';
import { canonicalJson } from '../protocol/location/canonical.ts';
import { compileSchema } from '../protocol/location/codec.ts';
import { serverErrors } from './errors.ts';
import { KEY_FILE_SCHEMA } from './keys.ts';
import type { KeyFile } from './keys.ts';

export const EXPORT_VERSION = 1;
/** Thousands of boxes; more is not ours. */
export const MAX_EXPORT_BYTES = 64 * 1024 * 1024;
/** A file of the server that goes along: beside its keys, no folder, no other ending. */
export const FILE_NAME = /^[a-z][a-z-]{0,62}\.json$/;

/** What an export holds: secrets, all of it. */
export interface ExportContents {
  readonly keys: KeyFile;
  /** Whatever other files lie beside the keys, such as those of the network's own authority. */
  readonly files: readonly (readonly [name: string, text: string])[];
  /** The format of the entries (base/store/migrations.ts). */
  readonly format: number;
  /** Everything that the server's store holds, whoever put it there. */
  readonly entries: readonly (readonly [key: string, value: unknown])[];
}

export interface ExportFile {
  readonly ginnel: 'server export';
  readonly v: number;
  /** ISO 8601. */
  readonly made: string;
  readonly seal: Seal | null;
  /** base64 of the contents' JSON, sealed or not. */
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

const base64 = (bytes: number): object => ({
  type: 'string',
  minLength: Math.ceil(bytes / 3) * 4,
  maxLength: Math.ceil(bytes / 3) * 4,
});
const only = (properties: Record<string, object>): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const FILE_SCHEMA = only({
  ginnel: { const: 'server export' },
  v: { const: EXPORT_VERSION },
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
  body: { type: 'string', maxLength: MAX_EXPORT_BYTES },
  sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
});
const CONTENTS_SCHEMA = only({
  keys: KEY_FILE_SCHEMA,
  files: {
    type: 'array',
    maxItems: 16,
    items: {
      type: 'array',
      minItems: 2,
      maxItems: 2,
      items: [
        { type: 'string', pattern: FILE_NAME.source },
        { type: 'string', maxLength: 1024 * 1024 },
      ],
    },
  },
  format: { type: 'integer', minimum: 1, maximum: 1_000_000 },
  entries: {
    type: 'array',
    maxItems: 1_000_000,
    items: {
      type: 'array',
      minItems: 2,
      maxItems: 2,
      items: [{ type: 'string', minLength: 1, maxLength: 1024, pattern: '^[^!]' }, {}],
    },
  },
});

/** Compiled at the first file, not at import. */
let isFile: ValidateFunction<ExportFile> | null = null;
let isContents: ValidateFunction<ExportContents> | null = null;

/** One line of JSON. `passphrase` null: in the clear. */
export async function encodeExport(
  contents: ExportContents,
  made: number,
  passphrase: string | null,
): Promise<string> {
  const plain = Buffer.from(JSON.stringify(contents));
  const head = { ginnel: 'server export', v: EXPORT_VERSION, made: new Date(made).toISOString() } as const;
  const [seal, body] =
    passphrase === null ? [null, plain] : await sealed(plain, newSeal(), passphrase, head.made);
  const fields = { ...head, seal, body: body.toString('base64') };
  return `${JSON.stringify({ ...fields, sha256: checksum(fields) } satisfies ExportFile)}\n`;
}

/** Errors: EXPORT_FOREIGN, EXPORT_CUT, EXPORT_DAMAGED, EXPORT_NEWER, EXPORT_SEALED, EXPORT_PASSPHRASE. */
export async function decodeExport(text: string, passphrase: string | null): Promise<ExportContents> {
  const { body, seal, made } = readExportFile(text);
  const bytes = Buffer.from(body, 'base64');
  return readContents(seal === null ? bytes : await opened(bytes, seal, passphrase, made));
}

/** What the file held, once it is in the clear. Error: EXPORT_DAMAGED. */
export function readContents(plain: Buffer): ExportContents {
  const contents = parsed(plain.toString('utf8'));
  isContents ??= compileSchema<ExportContents>(CONTENTS_SCHEMA);
  if (isContents(contents)) return contents;
  throw serverErrors('EXPORT_DAMAGED', { problem: 'What it holds is not what an export holds' });
}

/** The file, whole and of this version. Errors: EXPORT_FOREIGN, EXPORT_CUT, EXPORT_DAMAGED, EXPORT_NEWER. */
export function readExportFile(text: string): ExportFile {
  const value = parsed(text);
  const isOurs = typeof value === 'object' && value !== null && 'ginnel' in value;
  if (!isOurs || value.ginnel !== 'server export') throw notWhole(text);
  const file: object & Partial<ExportFile> = { ...value, ginnel: 'server export' };
  const { v } = file;
  if (!isWhole(file)) throw serverErrors('EXPORT_DAMAGED', { problem: 'Its checksum does not fit' });
  if (typeof v === 'number' && v > EXPORT_VERSION)
    throw serverErrors('EXPORT_NEWER', { found: v, known: EXPORT_VERSION });
  isFile ??= compileSchema<ExportFile>(FILE_SCHEMA);
  if (isFile(value)) return value;
  throw serverErrors('EXPORT_DAMAGED', { problem: 'Its fields are not those of an export' });
}

const notWhole = (text: string): Error =>
  text.trimStart().startsWith('{"ginnel":"server export"')
    ? serverErrors('EXPORT_CUT')
    : serverErrors('EXPORT_FOREIGN');

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

async function opened(body: Buffer, seal: Seal, passphrase: string | null, made: string): Promise<Buffer> {
  if (passphrase === null) throw serverErrors('EXPORT_SEALED');
  if (body.length < TAG_BYTES) throw serverErrors('EXPORT_DAMAGED', { problem: 'It holds nothing' });
  const nonce = Buffer.from(seal.nonce, 'base64');
  const cipher = createDecipheriv(seal.cipher, await keyOf(seal, passphrase), nonce);
  cipher.setAAD(Buffer.from(made));
  cipher.setAuthTag(body.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([cipher.update(body.subarray(0, -TAG_BYTES)), cipher.final()]);
  } catch {
    // The checksum fits, so the file is as it was written.
    throw serverErrors('EXPORT_PASSPHRASE');
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

function isWhole({ sha256, ...fields }: Partial<ExportFile>): boolean {
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
