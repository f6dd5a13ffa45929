// Looks at all of the state and at the exports of it: what is there, what is wrong, what to do. Changes nothing.
import { basename } from 'node:path';
import { readKept } from '../kept-file.ts';
import { examineFolder } from '../level-folder.ts';
import type { Store } from '../store.ts';
import { exportFilesOf, readExport } from '../store/export-file.ts';
import type { Export } from '../store/export-file.ts';
import { lookAt } from '../store/look.ts';
import { newestFormat } from '../store/migrations.ts';
import { deepestMessage } from '../store/tell.ts';
import type { StatePart } from './parts.ts';

/** `none`: there is none, and none is missed. `newer`: of a newer Ginnel. */
export type PartState = 'whole' | 'damaged' | 'missing' | 'newer' | 'none';

export interface PartReport {
  /** The name of the folder or file. */
  readonly name: string;
  readonly path: string;
  readonly kind: 'store' | 'file';
  readonly state: PartState;
  /** Of a store that could be read. */
  readonly entries: number | null;
  /** How many changes it has been through, of a store that could be read. */
  readonly changes: number | null;
  /** Sentences without their full stop. */
  readonly problems: readonly string[];
}

export interface ExportReport {
  readonly path: string;
  readonly store: string;
  /** What makes it useless; empty: it is whole. */
  readonly problem: string;
  /** Milliseconds since 1970. */
  readonly madeAtMs: number | null;
  readonly entries: number | null;
  readonly changes: number | null;
  /** The small files in it. */
  readonly files: readonly string[];
}

export interface StateReport {
  readonly ok: boolean;
  readonly parts: readonly PartReport[];
  readonly exports: readonly ExportReport[];
  /** Empty: nothing. */
  readonly todo: string;
}

/** A store that is open here is asked itself; all others are looked at on the disk. */
export type OpenStores = ReadonlyMap<string, Pick<Store, 'check' | 'changes' | 'entries'>>;

export async function checkState(
  parts: readonly StatePart[],
  exportsFolder: string,
  open: OpenStores,
): Promise<StateReport> {
  const reports: PartReport[] = [];
  const exports: ExportReport[] = [];
  for (const part of parts) {
    const found = await exportsOf(part, exportsFolder);
    exports.push(...found);
    const whole = found.filter(({ problem }) => problem === '');
    const openHere = open.get(part.path);
    reports.push(
      openHere === undefined ? await lookedAt(part, whole.length > 0) : await asked(part, openHere),
    );
    const newest = whole.toSorted((a, b) => (b.changes ?? 0) - (a.changes ?? 0))[0];
    for (const file of part.files) reports.push(await checkFile(file, newest));
  }
  const ok = reports.every(({ state }) => state === 'whole' || state === 'none');
  return { ok, parts: reports, exports, todo: todoOf(reports, open.size > 0) };
}

async function asked(
  part: StatePart,
  store: Pick<Store, 'check' | 'changes' | 'entries'>,
): Promise<PartReport> {
  const problems = await store.check();
  const entries = problems.length === 0 ? (await store.entries('')).length : null;
  const state = problems.length === 0 ? 'whole' : 'damaged';
  return { ...headOf(part.path, 'store'), state, entries, changes: store.changes, problems };
}

async function lookedAt(part: StatePart, hasExports: boolean): Promise<PartReport> {
  const head = headOf(part.path, 'store');
  const folder = await examineFolder(part.path);
  if (folder === 'never' && !hasExports)
    return { ...head, state: 'none', entries: null, changes: null, problems: [] };
  if (folder === 'never' || folder === 'gone') {
    const problems = ['It was set up once, and is gone'];
    return { ...head, state: 'missing', entries: null, changes: null, problems };
  }
  const found = await lookAt(part.path, newestFormat(part.migrations));
  const facts = { entries: found.entries.size, changes: found.seal?.changes ?? null };
  if (found.newer !== undefined)
    return { ...head, ...facts, state: 'newer', problems: ['It was written by a newer Ginnel'] };
  const state = found.problems.length === 0 ? 'whole' : 'damaged';
  return { ...head, ...facts, state, problems: found.problems };
}

async function checkFile(path: string, newest: ExportReport | undefined): Promise<PartReport> {
  const head = { ...headOf(path, 'file'), entries: null, changes: null };
  const kept = await readKept(path);
  if (kept.state === 'whole') return { ...head, state: 'whole', problems: [] };
  if (kept.state === 'damaged')
    return { ...head, state: 'damaged', problems: [`It is damaged (${kept.reason})`] };
  return newest?.files.includes(basename(path)) === true
    ? { ...head, state: 'missing', problems: ['It is gone, and the newest export has it'] }
    : { ...head, state: 'none', problems: [] };
}

const headOf = (path: string, kind: 'store' | 'file'): Pick<PartReport, 'name' | 'path' | 'kind'> => ({
  name: basename(path),
  path,
  kind,
});

async function exportsOf(part: StatePart, folder: string): Promise<ExportReport[]> {
  const store = basename(part.path);
  const paths = await exportFilesOf(folder, store);
  return Promise.all(
    paths.map(path =>
      readExport(path).then(
        found => exportReport(path, found),
        (error: unknown) => ({ ...NOTHING, path, store, problem: deepestMessage(error) }),
      ),
    ),
  );
}

const NOTHING = { madeAtMs: null, entries: null, changes: null, files: [] } as const;

const exportReport = (path: string, { store, madeAtMs, seal, files }: Export): ExportReport => ({
  ...{ path, store, problem: '', madeAtMs },
  ...{ entries: seal.count, changes: seal.changes, files: Object.keys(files) },
});

function todoOf(parts: readonly PartReport[], isRunning: boolean): string {
  if (parts.some(({ state }) => state === 'newer')) return 'Install the newer Ginnel again.';
  if (parts.every(({ state }) => state === 'whole' || state === 'none')) return '';
  return isRunning
    ? 'Stop Ginnel (ginnel down, ginnel down --server, or its service), then run: ginnel repair'
    : 'Run: ginnel repair';
}
