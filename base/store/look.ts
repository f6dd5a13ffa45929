// A look at a store that changes nothing. LevelDB has no read-only mode: to open is to rewrite, and with an older MANIFEST
// to delete or overwrite the newer tables (through links too). So a copy is opened, which is then thrown away.
import { constants, copyFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isDiskFull } from '../disk.ts';
import { examineFolder, openLevelDb } from '../level-folder.ts';
import { findDamagedLog } from '../level-log.ts';
import { besideProblems, inspect, unreadable } from './inspect.ts';
import type { Inspection } from './inspect.ts';
import { readSeal } from './seal.ts';
import { deepestMessage, isOutside } from './tell.ts';

/** Without LOCK: whoever opens and closes that file gives up the lock that its process holds on it. */
const STORE_FILES = /^(CURRENT|MANIFEST-\d+|\d+\.(ldb|sst|log))$/;
const FORGOTTEN_AFTER_MS = 10 * 60_000;

export interface Look extends Inspection {
  /** Those of the problems that are about the seal beside it: without others it is whole in itself. */
  readonly beside: readonly string[];
}

/** Rejects only where it could not look: a full disk, missing rights. What is wrong with the store is in the answer. */
export async function lookAt(path: string, knownFormat: number): Promise<Look> {
  const state = await examineFolder(path);
  if (state === 'never') return { ...unreadable('It was never set up'), beside: [] };
  if (state === 'gone') return { ...unreadable('It was set up once, and is gone'), beside: [] };
  if (state === 'lost')
    return { ...unreadable('Its tables are there, but the file CURRENT that names them is not'), beside: [] };
  const damagedLog = await findDamagedLog(path);
  const found = await inspectCopy(path, knownFormat);
  const beside = found.seal === null ? [] : besideProblems(found.seal, await readSeal(path));
  const broken = damagedLog === null ? [] : [`Records in ${damagedLog} are broken`];
  return { ...found, beside, problems: [...broken, ...found.problems, ...beside] };
}

/** Beside the store, or, where that disk is full, wherever else this machine has room for a while. */
async function inspectCopy(path: string, knownFormat: number): Promise<Inspection> {
  try {
    return await inspectCopyAt(lookPrefix(path), path, knownFormat);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    return inspectCopyAt(join(tmpdir(), 'ginnel-look-'), path, knownFormat);
  }
}

async function inspectCopyAt(prefix: string, path: string, knownFormat: number): Promise<Inspection> {
  const place = await mkdtemp(prefix);
  try {
    await copyStoreFiles(path, place);
    return await inspectFolder(place, knownFormat);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Opens the folder itself, which LevelDB then rewrites: for copies. */
export async function inspectFolder(path: string, knownFormat: number): Promise<Inspection> {
  const level = openLevelDb(path, false);
  try {
    await level.open();
    return inspect(await level.iterator({}).all(), knownFormat);
  } catch (error) {
    if (isOutside(error)) throw error;
    return unreadable(deepestMessage(error));
  } finally {
    await level.close().catch(() => undefined);
  }
}

/** What a process that was killed while it looked left behind. */
export async function forgetOldLooks(path: string, nowMs: number): Promise<void> {
  const prefix = basename(lookPrefix(path));
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix)) continue;
    const place = join(dirname(path), name);
    const facts = await stat(place).catch(() => null);
    if (facts !== null && facts.mtimeMs < nowMs - FORGOTTEN_AFTER_MS)
      await rm(place, { recursive: true, force: true });
  }
}

export async function copyStoreFiles(path: string, place: string): Promise<void> {
  const names = (await readdir(path)).filter(name => STORE_FILES.test(name));
  // Where the file system can, the copy shares its blocks.
  for (const name of names) await copyFile(join(path, name), join(place, name), constants.COPYFILE_FICLONE);
}

const lookPrefix = (path: string): string => join(dirname(path), `.${basename(path)}.look-`);
