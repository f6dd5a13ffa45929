// Where another store takes the place of one, the exports of the former are kept under names that no repair looks at:
// `registry.newest.export.before-import-2026-01-31T12-00-00`. Those of the last time stay.
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exportFilesOf } from './export-file.ts';

export interface ExportsAside {
  /** The other store did not come after all. */
  putBack(): Promise<void>;
  /** It came: what was set aside before this time is not needed any more. */
  forgetOlder(): Promise<void>;
}

const MARK = '.export.before-import-';

export async function setExportsAside(folder: string, store: string, nowMs: number): Promise<ExportsAside> {
  const date = new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-');
  const paths = await exportFilesOf(folder, store);
  const asideOf = (path: string): string => `${path}.before-import-${date}`;
  for (const path of paths) await rename(path, asideOf(path));
  if (paths.length > 0) await syncFolder(folder);
  return {
    putBack: async () => {
      for (const path of paths) await rename(asideOf(path), path);
    },
    forgetOlder: async () => {
      if (paths.length === 0) return;
      const now = new Set(paths.map(asideOf));
      const all = (await readdir(folder)).filter(name => name.startsWith(`${store}.`) && name.includes(MARK));
      const older = all.map(name => join(folder, name)).filter(path => !now.has(path));
      for (const path of older) await rm(path, { force: true });
    },
  };
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
