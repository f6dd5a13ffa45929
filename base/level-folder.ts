// LevelDB on a folder: the part of it that the store uses, and what can be told from the folder before it is opened.
// LevelDB with `createIfMissing` deletes the tables of a folder that lost its CURRENT: hence the look beforehand.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { readSeal } from './store/seal.ts';

export type LevelOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string };

/** What the store needs of an abstract-level. */
export interface StoreLevel {
  open(): Promise<void>;
  close(): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  batch(operations: LevelOperation[], options: { sync: boolean }): Promise<void>;
  iterator(range: { gte?: string; lt?: string }): { all(): Promise<[string, Uint8Array][]> };
}

export const openLevelDb = (path: string, createIfMissing: boolean): StoreLevel =>
  new Level<string, Uint8Array>(path, { keyEncoding: 'utf8', valueEncoding: 'view', createIfMissing });

/** `never`: no set-up was finished here. `lost`: the tables stand, but not what names them. `gone`: all is gone after a set-up. */
export type FolderState = 'never' | 'present' | 'gone' | 'lost';

export async function examineFolder(path: string): Promise<FolderState> {
  const seal = await readSeal(path);
  if (seal.state === 'begun') return 'never';
  const names = await namesIn(path);
  if (names?.includes('CURRENT') === true) return 'present';
  if (names !== null && (await holdsData(path, names))) return 'lost';
  return seal.state === 'absent' ? 'never' : 'gone';
}

/** Does another process, or another part of this one, have it open? Changes nothing (`errorIfExists` comes after the lock). */
export async function isHeld(path: string): Promise<boolean> {
  const probe = new Level(path, { createIfMissing: false, errorIfExists: true });
  try {
    await probe.open();
    return false;
  } catch (error) {
    return hasCode(error, 'LEVEL_LOCKED');
  } finally {
    await probe.close().catch(() => undefined);
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (('code' in error && error.code === code) || hasCode(error.cause, code));
}

async function holdsData(path: string, names: readonly string[]): Promise<boolean> {
  const data = names.filter(name => /^\d+\.(ldb|sst|log)$/.test(name));
  const sizes = await Promise.all(data.map(name => sizeOf(join(path, name))));
  return sizes.some(size => size !== null && size > 0);
}

async function namesIn(path: string): Promise<string[] | null> {
  return readdir(path).catch(nullWhereMissing);
}

async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(({ size }) => size, nullWhereMissing);
}

function nullWhereMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}
