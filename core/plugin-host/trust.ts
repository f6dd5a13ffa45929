// Who could change a third-party plugin's code: it runs with the daemon's rights, so only root and the user that Ginnel
// runs as may be able to. Looked at before a plugin is shown, and file by file before its code is loaded.
import { lstat, readdir, realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** A plugin with more files than this is not looked through to the end, and so not used. */
const MAX_FILES = 10_000;
const MAX_DEPTH = 24;
const OTHERS_MAY_WRITE = 0o022;

/** Why these files could be changed by others, in words; null: they could not. */
export async function unsafePath(paths: readonly string[], owner: number): Promise<string | null> {
  for (const path of paths) {
    const info = await lstat(path).catch(() => null);
    if (info === null) return `${path} cannot be looked at`;
    if (info.isSymbolicLink()) return `${path} is a link to somewhere else`;
    if (info.uid !== 0 && info.uid !== owner) return `${path} belongs to user ${info.uid}`;
    if ((info.mode & OTHERS_MAY_WRITE) !== 0) return `${path} may be written by its group or by everybody`;
  }
  return null;
}

/** The same of a whole folder. Links inside it may lead to other places inside it only. */
export async function unsafeFolder(folder: string, owner: number): Promise<string | null> {
  const root = await realpath(folder);
  let left = MAX_FILES;
  const look = async (inner: string, depth: number): Promise<string | null> => {
    if (depth > MAX_DEPTH) return `${inner} lies too deep`;
    for (const entry of await readdir(inner, { withFileTypes: true })) {
      if (--left < 0) return `it has more than ${MAX_FILES} files`;
      const path = join(inner, entry.name);
      const problem = entry.isSymbolicLink() ? await unsafeLink(root, path) : await unsafePath([path], owner);
      if (problem !== null) return problem;
      const below = entry.isDirectory() ? await look(path, depth + 1) : null;
      if (below !== null) return below;
    }
    return null;
  };
  return (await unsafePath([root], owner)) ?? look(root, 0);
}

async function unsafeLink(root: string, path: string): Promise<string | null> {
  const target = await realpath(path).catch(() => null);
  if (target === null) return `${path} is a link to nothing`;
  return relative(root, target).startsWith('..') ? `${path} is a link out of the plugin's folder` : null;
}
