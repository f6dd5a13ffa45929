// A whole server out of its folder and into an empty one: keys, other files, and every entry of its store, whoever put it
// there. Coming in, all of it is made aside and renamed into place: a crash in the middle leaves nothing.
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDiskFull, replaceFile, syncFolder } from '../base/disk.ts';
import { baseErrors, GinnelError } from '../base/errors.ts';
import { migrated, newestFormat, STORE_MIGRATIONS } from '../base/store/migrations.ts';
import { setExportsAside } from '../base/store/exports-aside.ts';
import { openStore } from '../base/store.ts';
import type { ScopedStore } from '../base/store.ts';
import { serverErrors } from './errors.ts';
import { FILE_NAME } from './export-file.ts';
import type { ExportContents } from './export-file.ts';
import { KEYS_FILE, readKeyFile, writeKeyFile } from './keys.ts';
import { arrival, MOVED_KEY } from './moving.ts';
import type { CreateServerOptions } from './server.ts';

/** One consistent view: the store reads all its entries at one instant. Errors: SERVER_KEYS_MISSING, and the store's. */
export async function contentsOf(stateDir: string, store: ScopedStore): Promise<ExportContents> {
  const entries = (await store.entries('')).filter(([key]) => key !== MOVED_KEY);
  const keys = await readKeyFile(stateDir);
  return { keys, files: await filesIn(stateDir), format: newestFormat(STORE_MIGRATIONS), entries };
}

async function filesIn(stateDir: string): Promise<[name: string, text: string][]> {
  const names = (await readdir(stateDir)).filter(name => FILE_NAME.test(name) && name !== KEYS_FILE);
  const read = names.map(async (name): Promise<[string, string]> => [
    name,
    await readFile(join(stateDir, name), 'utf8'),
  ]);
  return Promise.all(read);
}

/** All or nothing. Errors: SERVER_EXISTS, EXPORT_NEWER, EXPORT_DAMAGED, DISK_FULL, STORE_*. */
export async function takeIn(options: CreateServerOptions, contents: ExportContents): Promise<void> {
  const { stateDir } = options;
  await refuseWhereOneIs(stateDir);
  const entries = presentEntries(contents);
  const aside = `${stateDir}.incoming`;
  try {
    await rm(aside, { recursive: true, force: true });
    await mkdir(aside, { recursive: true, mode: 0o700 });
    await writeKeyFile(aside, contents.keys);
    for (const [name, text] of contents.files)
      if (name !== KEYS_FILE) await replaceFile(join(aside, name), text);
    await fill(options, join(aside, 'registry'), entries);
    await inPlaceOfAnother(options, () => rename(aside, stateDir));
    await syncFolder(dirname(stateDir));
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => undefined);
    throw told(error, stateDir);
  }
}

/** Exports of a server that was here before are none of this one: a repair must not take them for its own. */
async function inPlaceOfAnother(
  { stateDir, exportsFolder, clock }: CreateServerOptions,
  place: () => Promise<void>,
): Promise<void> {
  const folder = exportsFolder ?? join(stateDir, 'exports');
  const aside = await setExportsAside(folder, 'registry', clock.wallMs());
  try {
    await place();
  } catch (error) {
    await aside.putBack().catch(() => undefined);
    throw error;
  }
  // The server is in place: what could not be removed is only too much.
  await aside.forgetOlder().catch(() => undefined);
}

/** Errors: SERVER_EXISTS. */
export async function refuseWhereOneIs(stateDir: string): Promise<void> {
  const names = await readdir(stateDir).catch(() => []);
  if (names.length > 0) throw serverErrors('SERVER_EXISTS', { folder: stateDir });
}

/** In today's format, one move later. */
function presentEntries({ format, entries, keys }: ExportContents): ReadonlyMap<string, unknown> {
  const newest = newestFormat(STORE_MIGRATIONS);
  if (format > newest) throw serverErrors('EXPORT_NEWER', { found: format, known: newest });
  const found = new Map(entries.map(([key, value]) => [key, value]));
  if (!found.has(`net/${keys.network}/network`))
    throw serverErrors('EXPORT_DAMAGED', { problem: 'It lacks the network that its keys are of' });
  const present = new Map(migrated(found, format, STORE_MIGRATIONS));
  present.delete(MOVED_KEY);
  const [key, value] = arrival(present);
  return present.set(key, value);
}

async function fill(
  { counters, keepFreeBytes }: CreateServerOptions,
  path: string,
  entries: ReadonlyMap<string, unknown>,
): Promise<void> {
  const room = keepFreeBytes === undefined ? {} : { keepFreeBytes };
  const store = await openStore({ path, firstSetUp: true, counters, ...room });
  try {
    await store.batch([...entries].map(([key, value]) => ({ type: 'put', key, value })));
  } finally {
    await store.close();
  }
}

function told(error: unknown, path: string): unknown {
  if (error instanceof GinnelError) return error;
  if (isDiskFull(error)) return baseErrors('DISK_FULL', { path, freeBytes: 0 }, error);
  const problem = error instanceof Error ? error.message : String(error);
  return baseErrors('STORE_UNREADABLE', { path, problem }, error);
}
