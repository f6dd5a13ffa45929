// An export of the server as one file (server/sealed-file.ts): what it holds, and how that is judged when it comes back.
import type { ValidateFunction } from 'ajv';
import { compileSchema } from '../protocol/location/codec.ts';
import { serverErrors } from './errors.ts';
import { KEY_FILE_SCHEMA } from './keys.ts';
import type { KeyFile } from './keys.ts';
import { only, openSealed, readSealed, writeSealed } from './sealed-file.ts';
import type { SealedFile, SealedFileKind } from './sealed-file.ts';

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

const KIND: SealedFileKind = {
  name: 'server export',
  version: EXPORT_VERSION,
  maxCharacters: MAX_EXPORT_BYTES,
  errors: {
    foreign: () => serverErrors('EXPORT_FOREIGN'),
    cut: () => serverErrors('EXPORT_CUT'),
    damaged: problem => serverErrors('EXPORT_DAMAGED', { problem }),
    newer: (found, known) => serverErrors('EXPORT_NEWER', { found, known }),
    sealed: () => serverErrors('EXPORT_SEALED'),
    passphrase: () => serverErrors('EXPORT_PASSPHRASE'),
  },
};

const entry = (key: object, value: object): object => ({
  type: 'array',
  minItems: 2,
  maxItems: 2,
  items: [key, value],
});

/** Of a store, as they lie in a file; keys with `!` are the store's own. */
export const ENTRIES_SCHEMA = {
  type: 'array',
  maxItems: 1_000_000,
  items: entry({ type: 'string', minLength: 1, maxLength: 1024, pattern: '^[^!]' }, {}),
};

export const CONTENTS_SCHEMA = only({
  keys: KEY_FILE_SCHEMA,
  files: {
    type: 'array',
    maxItems: 16,
    items: entry({ type: 'string', pattern: FILE_NAME.source }, { type: 'string', maxLength: 1024 * 1024 }),
  },
  format: { type: 'integer', minimum: 1, maximum: 1_000_000 },
  entries: ENTRIES_SCHEMA,
});

/** Compiled at the first file, not at import. */
let isContents: ValidateFunction<ExportContents> | null = null;

/** One line of JSON. `passphrase` null: in the clear. */
export function encodeExport(
  contents: ExportContents,
  made: number,
  passphrase: string | null,
): Promise<string> {
  return writeSealed(KIND, Buffer.from(JSON.stringify(contents)), made, passphrase);
}

/** Errors: EXPORT_FOREIGN, EXPORT_CUT, EXPORT_DAMAGED, EXPORT_NEWER, EXPORT_SEALED, EXPORT_PASSPHRASE. */
export async function decodeExport(text: string, passphrase: string | null): Promise<ExportContents> {
  return readContents((await openSealed(KIND, text, passphrase)).plain);
}

/** What the file held, once it is in the clear. Error: EXPORT_DAMAGED. */
export function readContents(plain: Buffer): ExportContents {
  const contents = parsed(plain.toString('utf8'));
  isContents ??= compileSchema<ExportContents>(CONTENTS_SCHEMA);
  if (isContents(contents)) return contents;
  throw serverErrors('EXPORT_DAMAGED', { problem: 'What it holds is not what an export holds' });
}

/** The file, whole and of this version. Errors: EXPORT_FOREIGN, EXPORT_CUT, EXPORT_DAMAGED, EXPORT_NEWER. */
export const readExportFile = (text: string): SealedFile => readSealed(KIND, text);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
