// LevelDB on a folder: the part of it that the store uses, and what can be told from the folder before it is opened.
// LevelDB with `createIfMissing` deletes the tables of a folder that lost its CURRENT: hence the look beforehand.
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Level } from 'level';

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

export type OpenLevel = (path: string, createIfMissing: boolean) => StoreLevel;

export const openLevelDb: OpenLevel = (path, createIfMissing) =>
  new Level<string, Uint8Array>(path, { keyEncoding: 'utf8', valueEncoding: 'view', createIfMissing });

/** `never`: nothing is there. `lost`: the tables stand, but not what names them, or all is gone after a set-up. */
export type FolderState = 'never' | 'present' | 'gone' | 'lost';

/** The file that says a set-up happened. */
export const markerOf = (path: string): string => join(dirname(path), `${basename(path)}.set-up`);

export async function examineFolder(path: string): Promise<FolderState> {
  const names = await namesIn(path);
  if (names?.includes('CURRENT') === true) return 'present';
  if (names !== null && (await holdsData(path, names))) return 'lost';
  return (await sizeOf(markerOf(path))) === null ? 'never' : 'gone';
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
