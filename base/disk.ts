// The room left on a disk, and small files that are either wholly old or wholly new after a crash.
import { link, open, rename, statfs, unlink } from 'node:fs/promises';
import { dirname, join, basename } from 'node:path';

/** Bytes that this user may still write on the file system of `path`. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/** Is it the kernel's or LevelDB's way to say that the disk (or a quota) is full? Looks through causes. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : '';
  if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  return /No space left on device|Disk quota exceeded/i.test(error.message) || isDiskFull(error.cause);
}

/** Writes beside the file, syncs, renames over it, syncs the folder. Mode 0600 unless said otherwise. */
export async function replaceFile(path: string, contents: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = temporaryOf(path);
  try {
    await writeSynced(temporary, contents, mode);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch((gone: unknown) => gone);
    throw error;
  }
  await syncFolder(dirname(path));
}

/** As `replaceFile`, but a file that is there already stays as it is: of two that make it at once, one does. */
export async function makeFile(path: string, contents: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = temporaryOf(path);
  try {
    await writeSynced(temporary, contents, mode);
    await link(temporary, path);
  } catch (error) {
    if (hasNoLinks(error)) await makeInPlace(path, contents, mode);
    else if (!isThere(error)) throw error;
  } finally {
    await unlink(temporary).catch((gone: unknown) => gone);
  }
  await syncFolder(dirname(path));
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;
const isThere = (error: unknown): boolean => codeOf(error) === 'EEXIST';

/** A stick with FAT, some network drives. */
const hasNoLinks = (error: unknown): boolean =>
  ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(String(codeOf(error)));

async function makeInPlace(path: string, contents: string | Uint8Array, mode: number): Promise<void> {
  await writeSynced(path, contents, mode, 'wx').catch((error: unknown) => {
    if (!isThere(error)) throw error;
  });
}

let written = 0;
const temporaryOf = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${process.pid}-${++written}.new`);

async function writeSynced(
  path: string,
  contents: string | Uint8Array,
  mode: number,
  flag: 'w' | 'wx' = 'w',
): Promise<void> {
  const file = await open(path, flag, mode);
  try {
    await file.chmod(mode);
    await file.writeFile(contents);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename is safe from a power cut once the folder that holds the name is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
