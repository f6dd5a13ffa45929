// States of a store that are whole in themselves, and so may take the place of a damaged one: what its own files still
// say, what LevelDB's repair makes of a copy of them, and the exports. Nothing is pieced together from two of them.
import { mkdtemp, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { examineFolder } from '../level-folder.ts';
import { exportFilesOf, readExport } from '../store/export-file.ts';
import type { Export, Snapshot } from '../store/export-file.ts';
import type { Inspection } from '../store/inspect.ts';
import { copyStoreFiles, inspectFolder } from '../store/look.ts';
import type { Look } from '../store/look.ts';
import { newestFormat } from '../store/migrations.ts';
import { deepestMessage, isOutside } from '../store/tell.ts';
import { isStrange } from './parts.ts';
import type { StatePart } from './parts.ts';

export type Source = 'as it is' | 'repaired by LevelDB' | 'export';

export interface Candidate extends Snapshot {
  readonly source: Source;
  /** Of an export. */
  readonly path: string | null;
  readonly madeAtMs: number | null;
  /** Further than the store itself ever came: an export of another one that was in its place, as far as anybody can tell. */
  readonly strange: boolean;
}

export interface Candidates {
  /** The newest first, strange ones last; of equals the one that is nearest to the store itself. */
  readonly found: readonly Candidate[];
  /** Every entry with a fitting checksum in what is left of the store: to tell what a step back in time costs. */
  readonly legible: readonly ReadonlyMap<string, unknown>[];
  /** Whole or not in itself, an export says how far the store had come. */
  readonly exports: readonly Export[];
}

/** `sealed`: the changes that the seal beside the store says. */
export async function candidatesFor(
  part: StatePart,
  look: Look,
  exportsFolder: string,
  sealed: number | null,
): Promise<Candidates> {
  const repaired = await repairedCopy(part);
  const exports = await wholeExports(part, exportsFolder);
  const asItIs = look.problems.length === look.beside.length ? [look] : [];
  const own = [
    ...asItIs.flatMap(one => inside(one, 'as it is')),
    ...(repaired.problems.length === 0 ? inside(repaired, 'repaired by LevelDB') : []),
  ];
  const reached = sealed === null ? null : Math.max(sealed, ...own.map(({ seal }) => seal.changes));
  const exported = exports.map(([path, one]): Candidate => ({
    ...one,
    source: 'export',
    path,
    strange: isStrange(one, reached),
  }));
  return {
    found: [...own, ...exported].sort(
      (a, b) => Number(a.strange) - Number(b.strange) || b.seal.changes - a.seal.changes,
    ),
    legible: [look.entries, repaired.entries],
    exports: exports.map(([, one]) => one),
  };
}

function inside({ format, seal, entries }: Inspection, source: Source): Candidate[] {
  return format === null || seal === null
    ? []
    : [{ format, seal, entries, source, path: null, madeAtMs: null, strange: false }];
}

const NOTHING: Inspection = {
  ...{ format: null, newer: undefined, seal: null, problems: ['There is nothing to repair'] },
  ...{ entries: new Map(), sums: new Map() },
};

async function repairedCopy({ path, migrations }: StatePart): Promise<Inspection> {
  const state = await examineFolder(path);
  if (state !== 'present' && state !== 'lost') return NOTHING;
  const copy = await mkdtemp(join(dirname(path), `.${basename(path)}.look-`));
  try {
    await copyStoreFiles(path, copy);
    await ClassicLevel.repair(copy);
    return await inspectFolder(copy, newestFormat(migrations));
  } catch (error) {
    if (isOutside(error)) throw error;
    return { ...NOTHING, problems: [deepestMessage(error)] };
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function wholeExports(part: StatePart, folder: string): Promise<[string, Export][]> {
  const known = newestFormat(part.migrations);
  const whole: [string, Export][] = [];
  for (const path of await exportFilesOf(folder, basename(part.path))) {
    const found = await readExport(path).catch(() => null);
    if (found !== null && found.store === basename(part.path) && found.format <= known)
      whole.push([path, found]);
  }
  return whole;
}
