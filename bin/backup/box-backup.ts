// The back-up of this box: what its parts hold, into one sealed file; and such a file into the state folder of an empty box,
// where it is taken in whole or not at all. What comes up from it is the daemon's to say.
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { isDiskFull } from '../../base/disk.ts';
import { baseErrors, GinnelError } from '../../base/errors.ts';
import { isObject, readKept, writeKept } from '../../base/kept-file.ts';
import { silentLog } from '../../base/log.ts';
import { openStore, type ScopedStore } from '../../base/store.ts';
import { migrated, newestFormat, STORE_MIGRATIONS } from '../../base/store/migrations.ts';
import { IDENTITY_FILE, openIdentity } from '../../core/control/identity.ts';
import { MEMBERSHIP_FILE, MembershipFile } from '../../core/control/membership.ts';
import type { Primitives } from '../../protocol/primitives.ts';
import type { TcpPortsDoor } from '../../system/doors.ts';
import type { ExportContents } from '../../server/export-file.ts';
import { fitToMachine } from '../../server/export.ts';
import { takeIn as takeInServer } from '../../server/transfer.ts';
import type { BackupAdmin, MadeBackup, Restored } from '../../web/backup-admin.ts';
import { commandErrors } from '../errors.ts';
import { decodeBackup, encodeBackup, isOfTheBox, OF_THIS_PAGE, PAGE_KEYS, partsOf } from './contents.ts';
import type { BoxContents, Entry, OpenedBackup } from './contents.ts';
import { backupErrors } from './errors.ts';
import { takeIn, whyNotEmpty } from './place.ts';

export interface BoxBackupOptions {
  /** The state folder. */
  readonly state: string;
  readonly store: ScopedStore;
  readonly server: { contents(): Promise<ExportContents | null> };
  readonly primitives: Primitives;
  readonly tcp: TcpPortsDoor;
  readonly clock: Clock;
  readonly counters: Counters;
  /** Writes are refused when fewer bytes are free; default 4 MiB. */
  readonly keepFreeBytes?: number;
}

/** Of a passphrase: machines try all shorter ones. */
export const LEAST_CHARACTERS = 10;

export function boxBackup(options: BoxBackupOptions): BackupAdmin {
  const counted = async <T>(done: string, work: () => Promise<T>): Promise<T> => {
    const { counters } = options;
    try {
      const value = await work();
      counters.counter(`backup.${done}`).value++;
      return value;
    } catch (error) {
      counters.counter(`backup.refused.${error instanceof GinnelError ? error.code : 'INTERNAL'}`).value++;
      throw error;
    }
  };
  return {
    make: passphrase => counted('made', () => made(options, passphrase)),
    restore: (file, passphrase) => counted('restored', () => restored(options, file, passphrase)),
  };
}

// ---- into a file

async function made(options: BoxBackupOptions, passphrase: string): Promise<MadeBackup> {
  if (passphrase.length < LEAST_CHARACTERS)
    throw commandErrors('PASSPHRASE_SHORT', { least: LEAST_CHARACTERS });
  const box = await contentsOf(options);
  if (box.membership === null && box.server === null) throw backupErrors('BACKUP_NOTHING');
  const at = Math.max(0, Math.floor(options.clock.wallMs()));
  const file = await encodeBackup(box, at, passphrase);
  return { file, bytes: file.length, name: box.name, made: at, parts: partsOf(box) };
}

async function contentsOf({ state, store, server }: BoxBackupOptions): Promise<BoxContents> {
  const membership = await keptIn(state, MEMBERSHIP_FILE);
  const identity = await keptIn(state, IDENTITY_FILE);
  const ofServer = await server.contents();
  const entries: Entry[] = (await store.entries('')).filter(isOfTheBox);
  return {
    ...{ name: textIn(membership, 'name') || networkName(ofServer), identity, membership, server: ofServer },
    ...{ format: newestFormat(STORE_MIGRATIONS), entries },
  };
}

/** Damaged ones are told, not left out: a back-up that lacks them is none. */
async function keptIn(state: string, name: string): Promise<Record<string, unknown> | null> {
  const path = join(state, name);
  const kept = await readKept(path);
  if (kept.state === 'absent') return null;
  if (kept.state === 'whole' && isObject(kept.value)) return kept.value;
  const problem = kept.state === 'damaged' ? `${name}: ${kept.reason}` : `${name}: not ours`;
  throw baseErrors('STORE_DAMAGED', { path, problem });
}

function networkName(server: ExportContents | null): string {
  const key = `net/${server?.keys.network ?? ''}/network`;
  const network = server?.entries.find(([one]) => one === key)?.[1];
  return textIn(network, 'networkName');
}

function textIn(value: unknown, field: string): string {
  const text = isObject(value) ? value[field] : '';
  return typeof text === 'string' ? text : '';
}

// ---- out of a file

async function restored(options: BoxBackupOptions, file: string, passphrase: string): Promise<Restored> {
  const { state } = options;
  await refuseUnlessEmpty(state);
  const { box, made: at } = await decodeBackup(file, passphrase);
  const { server, notes } = fitted(box.server);
  const entries = await presentEntries(options, box);
  await orRefused(state, () =>
    takeIn(state, async folder => {
      await writeNode(options, folder, box);
      await writeStore(options, folder, entries);
      if (server !== null) await writeServer(options, folder, server);
      // Somebody may have joined a network while this was made.
      await refuseUnlessEmpty(state);
    }),
  );
  return { ...factsOf({ box, made: at }), notes };
}

async function refuseUnlessEmpty(state: string): Promise<void> {
  const problem = await whyNotEmpty(state);
  if (problem !== null) throw backupErrors('BACKUP_NOT_EMPTY', { problem, folder: state });
}

function factsOf({ box, made: at }: OpenedBackup): Omit<Restored, 'notes'> {
  const { name, identity, membership, entries } = box;
  const wanted = new Map(entries);
  return {
    ...{ name, made: at, parts: partsOf(box) },
    id: membership === null ? '' : textIn(identity, 'id'),
    ip4: textIn(membership?.['assignment'], 'ip4'),
    roles: (['node', 'server'] as const).filter(role => wanted.get(`roles/${role}`) === true),
  };
}

/** A server that listened on addresses of the machine of before listens on all of this one. */
function fitted(server: ExportContents | null): { server: ExportContents | null; notes: string[] } {
  if (server === null) return { server, notes: [] };
  const { contents, missing } = fitToMachine(server);
  const notes =
    missing.length === 0
      ? []
      : [
          `The location server listened on ${missing.join(', ')}, which this machine does not have: it listens on all addresses now.`,
        ];
  return { server: contents, notes };
}

/** In today's format. Where the back-up knows no owner of the page, the one who is signed in here stays the owner. */
async function presentEntries(
  { store }: BoxBackupOptions,
  { format, entries }: BoxContents,
): Promise<ReadonlyMap<string, unknown>> {
  const newest = newestFormat(STORE_MIGRATIONS);
  if (format > newest) throw backupErrors('BACKUP_NEWER', { found: format, known: newest });
  const present = new Map(migrated(new Map(entries), format, STORE_MIGRATIONS));
  const hasOwner = [...present.keys()].some(key => key.startsWith(PAGE_KEYS));
  const here = await store.entries(PAGE_KEYS);
  const own = here.filter(entry => OF_THIS_PAGE.includes(entry[0]) || (!hasOwner && isOfTheBox(entry)));
  for (const [key, value] of own) present.set(key, value);
  return present;
}

/** Read back as the node will read them: keys that do not belong together are told here. */
async function writeNode(
  { primitives }: BoxBackupOptions,
  folder: string,
  { identity, membership }: BoxContents,
): Promise<void> {
  if (identity !== null) await writeKept(join(folder, IDENTITY_FILE), identity);
  if (membership !== null) await writeKept(join(folder, MEMBERSHIP_FILE), membership);
  const around = { folder, log: silentLog, counters: new Counters() };
  try {
    const { current } = await MembershipFile.open(around);
    if (current !== null || identity !== null) await openIdentity({ ...around, primitives, joined: true });
  } catch (error) {
    if (isDiskFull(error)) throw error;
    const problem = error instanceof GinnelError ? String(error.details['reason']) : String(error);
    throw backupErrors('BACKUP_DAMAGED', { problem: `The keys or the membership in it: ${problem}` }, error);
  }
}

async function writeStore(
  { keepFreeBytes }: BoxBackupOptions,
  folder: string,
  entries: ReadonlyMap<string, unknown>,
): Promise<void> {
  const room = keepFreeBytes === undefined ? {} : { keepFreeBytes };
  const path = join(folder, 'store');
  const store = await openStore({ path, firstSetUp: true, counters: new Counters(), ...room });
  try {
    await store.batch([...entries].map(([key, value]) => ({ type: 'put', key, value })));
  } finally {
    await store.close();
  }
}

async function writeServer(
  { primitives, clock, tcp, keepFreeBytes }: BoxBackupOptions,
  folder: string,
  contents: ExportContents,
): Promise<void> {
  const around = { primitives, clock, tcp, counters: new Counters(), log: silentLog };
  const room = keepFreeBytes === undefined ? {} : { keepFreeBytes };
  try {
    await takeInServer({ ...around, ...room, stateDir: join(folder, 'server') }, contents);
  } catch (error) {
    if (!(error instanceof GinnelError) || !error.code.startsWith('EXPORT_')) throw error;
    const { found, known, problem } = error.details;
    if (error.code === 'EXPORT_NEWER') throw backupErrors('BACKUP_NEWER', { found, known }, error);
    throw backupErrors('BACKUP_DAMAGED', { problem: `Its location server: ${String(problem)}` }, error);
  }
}

async function orRefused(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof GinnelError && /^(BACKUP_|DISK_FULL)/.test(error.code)) throw error;
    if (isDiskFull(error)) throw baseErrors('DISK_FULL', { path, freeBytes: 0 }, error);
    const problem = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
    throw backupErrors('RESTORE_FAILED', { problem }, error);
  }
}
