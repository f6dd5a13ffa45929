// What a repair would do, found out before anything is changed: for each damaged part the newest state that is whole, and
// what going back to it would lose.
import { basename } from 'node:path';
import { baseErrors } from '../errors.ts';
import { readKept, unwrapKept } from '../kept-file.ts';
import { examineFolder } from '../level-folder.ts';
import { exportFilesOf, readExport } from '../store/export-file.ts';
import type { Export } from '../store/export-file.ts';
import { lookAt } from '../store/look.ts';
import type { Look } from '../store/look.ts';
import { newestFormat } from '../store/migrations.ts';
import { readSeal } from '../store/seal.ts';
import { candidatesFor } from './candidates.ts';
import type { Candidate, Candidates } from './candidates.ts';
import { isStrange, kindOf } from './parts.ts';
import type { StatePart } from './parts.ts';

export interface Loss {
  /** Confirmed changes that would be gone; null: nobody can tell, since the seal is gone or what would be used is strange. */
  readonly changes: number | null;
  /** Entries that are known to differ, by kind of key. */
  readonly differing: Readonly<Record<string, number>>;
}

export interface StoreStep {
  readonly kind: 'store';
  readonly part: StatePart;
  readonly problems: readonly string[];
  /** Null: nothing whole was found. */
  readonly use: Candidate | null;
  readonly lost: Loss;
  /** What the mended store continues from, so that no older one can be taken for it. */
  readonly changesBefore: number;
}

export interface FileStep {
  readonly kind: 'file';
  readonly path: string;
  readonly problems: readonly string[];
  /** Null: no export has it. */
  readonly use: FileUse | null;
}

export interface FileUse {
  readonly text: string;
  readonly madeAtMs: number;
  /** The export. */
  readonly path: string;
  /** As of a candidate. */
  readonly strange: boolean;
}

export type Step = StoreStep | FileStep;

/** One step for each part that is damaged or missing. Rejects with STORE_NEWER, DISK_FULL. */
export async function planRepair(parts: readonly StatePart[], exportsFolder: string): Promise<Step[]> {
  const steps: Step[] = [];
  for (const part of parts) {
    const store = await storeStep(part, exportsFolder);
    if (store !== null) steps.push(store);
    const exports = await fileSources(part, exportsFolder);
    for (const file of part.files) {
      const step = await fileStep(file, exports);
      if (step !== null) steps.push(step);
    }
  }
  return steps;
}

/** Does it lose nothing that was confirmed, as far as the seals can tell? */
export const isLossless = (step: Step): boolean =>
  step.use?.strange === false && (step.kind === 'store' ? step.lost.changes === 0 : isIdentity(step.path));

/** Keys never change, so an older copy of them is the same. */
const isIdentity = (path: string): boolean => /^(identity|server-keys)\.json$/.test(basename(path));

async function storeStep(part: StatePart, exportsFolder: string): Promise<StoreStep | null> {
  const state = await examineFolder(part.path);
  const hasExports = (await exportFilesOf(exportsFolder, basename(part.path))).length > 0;
  if (state === 'never' && !hasExports) return null;
  const known = newestFormat(part.migrations);
  const look = await lookAt(part.path, known);
  if (look.newer !== undefined)
    throw baseErrors('STORE_NEWER', { path: part.path, found: look.newer, known });
  if (look.problems.length === 0) return null;
  const sealed = await sealedChanges(part);
  return stepFor(part, look, sealed, await candidatesFor(part, look, exportsFolder, sealed));
}

async function sealedChanges({ path }: StatePart): Promise<number | null> {
  const kept = await readSeal(path);
  return kept.state === 'sealed' ? kept.seal.changes : null;
}

function stepFor(part: StatePart, look: Look, sealed: number | null, candidates: Candidates): StoreStep {
  const use = candidates.found[0] ?? null;
  // Strange ones come last: where one is used, all are. Else they say nothing of how far this store came.
  const telling = candidates.found.filter(({ strange }) => strange === use?.strange);
  const furthest = Math.max(0, sealed ?? 0, ...telling.map(({ seal }) => seal.changes));
  const isTold = sealed !== null && use?.strange === false;
  const changes = isTold ? Math.max(0, furthest - use.seal.changes) : null;
  const differing = use === null || changes === 0 ? {} : differingIn(candidates.legible, use);
  const { problems } = look;
  return { kind: 'store', part, problems, use, lost: { changes, differing }, changesBefore: furthest };
}

function differingIn(legible: Candidates['legible'], { entries }: Candidate): Record<string, number> {
  const keys = new Set<string>();
  for (const found of legible)
    for (const [key, value] of found)
      if (JSON.stringify(value) !== JSON.stringify(entries.get(key))) keys.add(key);
  const kinds: Record<string, number> = {};
  for (const key of keys) kinds[kindOf(key)] = (kinds[kindOf(key)] ?? 0) + 1;
  return kinds;
}

interface FileSource extends Export {
  readonly path: string;
  readonly strange: boolean;
}

/** The newest first, strange ones last. */
async function fileSources(part: StatePart, folder: string): Promise<FileSource[]> {
  const found: FileSource[] = [];
  const sealed = await sealedChanges(part);
  for (const path of await exportFilesOf(folder, basename(part.path))) {
    const one = await readExport(path).catch(() => null);
    if (one !== null) found.push({ ...one, path, strange: isStrange(one, sealed) });
  }
  return found.sort(
    (a, b) =>
      Number(a.strange) - Number(b.strange) || b.seal.changes - a.seal.changes || b.madeAtMs - a.madeAtMs,
  );
}

async function fileStep(path: string, exports: readonly FileSource[]): Promise<FileStep | null> {
  const name = basename(path);
  const kept = await readKept(path);
  if (kept.state === 'whole') return null;
  // Only the newest export says that a file should be there: a box may have left its network since the older ones.
  const [newest] = exports;
  const isMissed = newest?.files[name] !== undefined && (!newest.strange || isIdentity(path));
  if (kept.state === 'absent' && !isMissed) return null;
  const problems = [kept.state === 'absent' ? 'It is gone' : `It is damaged (${kept.reason})`];
  for (const { path: from, files, madeAtMs, strange } of exports) {
    const text = files[name];
    if (text !== undefined && unwrapKept(text).state === 'whole')
      return { kind: 'file', path, problems, use: { text, madeAtMs, path: from, strange } };
  }
  return { kind: 'file', path, problems, use: null };
}
