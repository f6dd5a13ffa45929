// What a back-up of a box holds: all that makes it this box, and nothing that is of its machine or of the moment.
import type { ValidateFunction } from 'ajv';
import { isObject } from '../../base/kept-file.ts';
import { compileSchema } from '../../protocol/location/codec.ts';
import { CONTENTS_SCHEMA, ENTRIES_SCHEMA, type ExportContents } from '../../server/export-file.ts';
import { only, openSealed, writeSealed, type SealedFileKind } from '../../server/sealed-file.ts';
import type { BackupPart, BackupPartName } from '../../web/backup-admin.ts';
import { backupErrors } from './errors.ts';

export const BACKUP_VERSION = 1;
/** Of the file. A server's export has 64 MiB at most. */
export const MAX_BACKUP_BYTES = 96 * 1024 * 1024;

export type Entry = readonly [key: string, value: unknown];

/** Secrets, nearly all of it. */
export interface BoxContents {
  readonly name: string;
  /** What identity.json and membership.json hold; null: there is no such file. */
  readonly identity: Readonly<Record<string, unknown>> | null;
  readonly membership: Readonly<Record<string, unknown>> | null;
  /** The format of the entries (base/store/migrations.ts). */
  readonly format: number;
  /** Of the daemon's store. */
  readonly entries: readonly Entry[];
  readonly server: ExportContents | null;
}

const KIND: SealedFileKind = {
  name: 'box backup',
  version: BACKUP_VERSION,
  maxCharacters: MAX_BACKUP_BYTES,
  errors: {
    foreign: () => backupErrors('BACKUP_FOREIGN'),
    cut: () => backupErrors('BACKUP_CUT'),
    damaged: problem => backupErrors('BACKUP_DAMAGED', { problem }),
    newer: (found, known) => backupErrors('BACKUP_NEWER', { found, known }),
    sealed: () => backupErrors('BACKUP_PASSPHRASE'),
    passphrase: () => backupErrors('BACKUP_PASSPHRASE'),
  },
};

const orNull = (schema: object): object => ({ anyOf: [{ type: 'null' }, schema] });
const kept = orNull({ type: 'object', maxProperties: 64 });
const BOX_SCHEMA = only({
  name: { type: 'string', maxLength: 256 },
  identity: kept,
  membership: kept,
  format: { type: 'integer', minimum: 1, maximum: 1_000_000 },
  entries: ENTRIES_SCHEMA,
  server: orNull(CONTENTS_SCHEMA),
});

/** Compiled at the first file, not at import. */
let isBox: ValidateFunction<BoxContents> | null = null;

/** One line of JSON. `made`: milliseconds since 1970. Error: BACKUP_TOO_LARGE. */
export async function encodeBackup(box: BoxContents, made: number, passphrase: string): Promise<string> {
  const file = await writeSealed(KIND, Buffer.from(JSON.stringify(box)), made, passphrase);
  if (file.length > MAX_BACKUP_BYTES)
    throw backupErrors('BACKUP_TOO_LARGE', { bytes: file.length, limit: MAX_BACKUP_BYTES });
  return file;
}

export interface OpenedBackup {
  readonly box: BoxContents;
  readonly made: number;
}

/** Errors: BACKUP_FOREIGN, BACKUP_CUT, BACKUP_DAMAGED, BACKUP_NEWER, BACKUP_PASSPHRASE. */
export async function decodeBackup(text: string, passphrase: string): Promise<OpenedBackup> {
  const { plain, made, isSealed } = await openSealed(KIND, text, passphrase);
  // None is made without: whoever took the seal away may have changed what is in it.
  if (!isSealed) throw backupErrors('BACKUP_DAMAGED', { problem: 'It is not sealed' });
  return { box: readBox(plain), made: Date.parse(made) || 0 };
}

/** What the file held, once it is in the clear. Error: BACKUP_DAMAGED. */
export function readBox(plain: Buffer): BoxContents {
  isBox ??= compileSchema<BoxContents>(BOX_SCHEMA);
  const value = parsed(plain.toString('utf8'));
  if (isBox(value)) return { ...value, entries: value.entries.filter(isOfTheBox) };
  throw backupErrors('BACKUP_DAMAGED', { problem: 'What it holds is not what a back-up holds' });
}

/** By which browsers know the page of this machine: its cookies' name, its certificate with the key. They outlive a restore. */
export const OF_THIS_PAGE = ['page/cookie-tag', 'page/tls'];

/** A card that a process left for the next one, who is signed in at the page, and its certificate: of this machine, of this moment. */
const LEFT_OUT = ['node/node/left-card', 'page/session', ...OF_THIS_PAGE];

export const isOfTheBox = ([key]: Entry): boolean => !LEFT_OUT.some(prefix => key.startsWith(prefix));

/** Everything of the page's owner. */
export const PAGE_KEYS = 'page/';

/** What comes back of it, in an order that reads well. */
export function partsOf({ identity, membership, entries, server }: BoxContents): BackupPart[] {
  const under = (prefix: string): Entry[] => entries.filter(([key]) => key.startsWith(prefix));
  const chosen = entries.filter(([key]) => key.endsWith('settings/chosen'));
  const settings = chosen.reduce(
    (sum, [, value]) => sum + (isObject(value) ? Object.keys(value).length : 0),
    0,
  );
  const counts: Record<BackupPartName, number> = {
    node: identity === null || membership === null ? 0 : 1,
    peers: under('node/peers/').length,
    settings,
    plugins: under('node/plugin-choice/').length,
    page: under(PAGE_KEYS).length === 0 ? 0 : 1,
    server: server === null ? 0 : nodesOf(server),
  };
  const named = Object.entries(counts) as [BackupPartName, number][];
  return named
    .filter(([part, count]) => count > 0 || (part === 'server' && server !== null))
    .map(([part, count]) => ({ part, count }));
}

function nodesOf({ keys, entries }: ExportContents): number {
  const prefix = `net/${keys.network}/node/`;
  return entries.filter(([key]) => key.startsWith(prefix)).length;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
