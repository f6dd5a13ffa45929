// How a store comes to be open: looked at first, on a copy, so that nothing is changed where something is wrong;
// then opened, brought to the newest format where it has an older one, and sealed.
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Counters } from '../counters.ts';
import { baseErrors } from '../errors.ts';
import { examineFolder, hasCode, isHeld, openLevelDb } from '../level-folder.ts';
import type { FolderState, LevelOperation, StoreLevel } from '../level-folder.ts';
import { encodeEntries, ownEntries } from './encode.ts';
import { exportFilesOf, writeExport } from './export-file.ts';
import { sumOf } from './inspect.ts';
import type { Inspection } from './inspect.ts';
import { forgetOldLooks, lookAt } from './look.ts';
import { migrated, newestFormat } from './migrations.ts';
import type { Entries, Migration } from './migrations.ts';
import { beginSetUp, makeSeal, NO_SUM, readSeal, sumInHex, SealWriter } from './seal.ts';
import type { Seal } from './seal.ts';
import { deepestMessage } from './tell.ts';

export interface OpeningOptions {
  readonly path: string;
  readonly firstSetUp: boolean;
  readonly counters: Counters;
  readonly migrations: readonly Migration[];
  /** Where the export before an upgrade goes. */
  readonly exportsFolder: string;
  readonly wallMs: () => number;
}

export interface OpenStore {
  readonly level: StoreLevel;
  readonly sealFile: SealWriter;
  readonly seal: Seal;
  /** The checksum of each entry, by key: what the seal adds up. */
  readonly sums: Map<string, bigint>;
}

/** Errors: STORE_*; others are for the caller to tell. */
export async function openFolder(options: OpeningOptions): Promise<OpenStore> {
  const { path, firstSetUp } = options;
  const state = await stateOf(options);
  if (state === 'gone')
    throw baseErrors('STORE_MISSING', { path, problem: 'It was set up once, and is gone' });
  if (state === 'never' && !firstSetUp)
    throw baseErrors('STORE_MISSING', { path, problem: 'It was never set up' });
  return state === 'never' ? setUp(path, newestFormat(options.migrations)) : openPresent(options);
}

/** Where exports of it are, it was set up once, even if nothing else is left. */
export async function stateOf({
  path,
  exportsFolder,
}: Pick<OpeningOptions, 'path' | 'exportsFolder'>): Promise<FolderState> {
  const state = await examineFolder(path);
  if (state !== 'never' || (await readSeal(path)).state === 'begun') return state;
  return (await exportFilesOf(exportsFolder, basename(path))).length > 0 ? 'gone' : state;
}

/** Of two that do this at the same moment, the one with LevelDB's lock sets it up; nothing is touched without it. */
async function setUp(path: string, format: number): Promise<OpenStore> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await beginSetUp(path);
  const seal: Seal = { changes: 0, count: 0, sum: sumInHex(NO_SUM) };
  const made = (): Promise<OpenStore> =>
    withLevel(path, true, async level => {
      // The other one was faster, and has been and gone.
      if ((await readSeal(path)).state !== 'begun') throw baseErrors('STORE_LOCKED', { path });
      // What a set-up that was cut short left: nothing of it was ever confirmed.
      const left = await level.iterator({}).all();
      const deletes = left.map(([key]): LevelOperation => ({ type: 'del', key }));
      await level.batch([...deletes, ...ownEntries(format, seal)], { sync: true });
      await makeSeal(path, seal);
      return { level, seal, sums: new Map(), sealFile: await SealWriter.open(path) };
    });
  await mkdir(path, { recursive: true, mode: 0o700 });
  try {
    return await made();
  } catch (error) {
    if (!hasCode(error, 'LEVEL_CORRUPTION')) throw error;
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true, mode: 0o700 });
    return made();
  }
}

async function openPresent(options: OpeningOptions): Promise<OpenStore> {
  const { path, migrations } = options;
  if (await isHeld(path)) throw baseErrors('STORE_LOCKED', { path });
  await forgetOldLooks(path, options.wallMs());
  const found = await lookAt(path, newestFormat(migrations));
  const whole = await wholeOr(found, options);
  return withLevel(path, false, async level => {
    const { seal, sums } = await upgraded(level, whole, options);
    const kept = await readSeal(path);
    if (kept.state !== 'sealed' || kept.seal.changes !== seal.changes) await makeSeal(path, seal);
    return { level, seal, sums: new Map(sums), sealFile: await SealWriter.open(path) };
  });
}

async function wholeOr(found: Inspection, options: OpeningOptions): Promise<Whole> {
  const { path, migrations, counters } = options;
  const known = newestFormat(migrations);
  if (found.newer !== undefined) throw baseErrors('STORE_NEWER', { path, found: found.newer, known });
  const { format, seal, problems } = found;
  if (format !== null && seal !== null && problems.length === 0) return { ...found, format, seal };
  // Somebody may have opened it in the meantime: then the look was at a moving thing.
  if (await isHeld(path)) throw baseErrors('STORE_LOCKED', { path });
  counters.counter('store.damaged').value++;
  throw baseErrors('STORE_DAMAGED', { path, problem: problems[0] ?? 'It cannot be read', problems });
}

interface Whole extends Inspection {
  readonly format: number;
  readonly seal: Seal;
}

interface Fresh {
  readonly seal: Seal;
  readonly sums: ReadonlyMap<string, bigint>;
}

/** All formats in one batch: a power cut leaves the old format or the newest. The entries of before are exported first. */
async function upgraded(level: StoreLevel, whole: Whole, options: OpeningOptions): Promise<Fresh> {
  const { path, migrations, exportsFolder, wallMs } = options;
  const { format, entries, seal } = whole;
  const to = newestFormat(migrations);
  if (format === to) return whole;
  const next = migratedOr(whole, options);
  const name = basename(path);
  const file = join(exportsFolder, `${name}.before-format-${to}.export`);
  await writeExport(file, { store: name, format, seal, entries, madeAtMs: wallMs(), files: {} });
  const { puts, sums } = encodeEntries(next);
  const gone = [...entries.keys()].filter(key => !next.has(key));
  const fresh = { seal: { changes: seal.changes + 1, count: sums.size, sum: sumOf(sums) }, sums };
  const deletes = gone.map((key): LevelOperation => ({ type: 'del', key }));
  await level.batch([...deletes, ...puts, ...ownEntries(to, fresh.seal)], { sync: true });
  return fresh;
}

function migratedOr({ format, entries }: Whole, { path, migrations }: OpeningOptions): Entries {
  try {
    return migrated(entries, format, migrations);
  } catch (error) {
    const facts = { path, from: format, to: newestFormat(migrations) };
    throw baseErrors('STORE_UPGRADE', { ...facts, problem: deepestMessage(error) }, error);
  }
}

/** Whatever fails on the way, LevelDB's handle is closed again. */
async function withLevel(
  path: string,
  create: boolean,
  work: (level: StoreLevel) => Promise<OpenStore>,
): Promise<OpenStore> {
  const level = openLevelDb(path, create);
  try {
    await level.open();
    return await work(level);
  } catch (error) {
    await level.close().catch(() => undefined);
    throw error;
  }
}
