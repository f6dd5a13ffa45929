// Carries out what a plan says: what was damaged is moved aside and kept, then the whole state takes its place. A power cut
// at any moment leaves a state that is told as damaged or gone, so that the repair can be run again.
import { mkdir, mkdtemp, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { copyFile } from 'node:fs/promises';
import { replaceFile } from '../disk.ts';
import { openLevelDb } from '../level-folder.ts';
import { encodeEntries, ownEntries } from '../store/encode.ts';
import { sumOf } from '../store/inspect.ts';
import { migrated, newestFormat } from '../store/migrations.ts';
import { makeSeal, sealFileOf } from '../store/seal.ts';
import type { Seal } from '../store/seal.ts';
import type { Candidate } from './candidates.ts';
import type { FileStep, Step, StoreStep } from './plan.ts';

/** Where the damaged parts went; null: there was nothing to keep. `aside` is made where it is needed. */
export async function carryOut(steps: readonly Step[], aside: string): Promise<void> {
  for (const step of steps) {
    if (step.kind === 'file') await mendFile(step, aside);
    else if (step.use !== null) await mendStore(step, step.use, aside);
  }
}

async function mendStore(step: StoreStep, use: Candidate, aside: string): Promise<void> {
  const { path } = step.part;
  const place = await mkdtemp(join(dirname(path), `.${basename(path)}.look-`));
  try {
    const fresh = join(place, 'fresh');
    const seal = await build(fresh, step, use);
    await mkdir(aside, { recursive: true, mode: 0o700 });
    await copyWhereThere(sealFileOf(path), join(aside, basename(sealFileOf(path))));
    // First of all: from here to the end the folder does not fit it, and a daemon would say so.
    await makeSeal(path, seal);
    await moveWhereThere(path, join(aside, basename(path)));
    await rename(fresh, path);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function build(path: string, step: StoreStep, use: Candidate): Promise<Seal> {
  const { migrations } = step.part;
  const { puts, sums } = encodeEntries(migrated(use.entries, use.format, migrations));
  const seal: Seal = { changes: step.changesBefore + 1, count: sums.size, sum: sumOf(sums) };
  await mkdir(path, { mode: 0o700 });
  const level = openLevelDb(path, true);
  try {
    await level.open();
    await level.batch([...puts, ...ownEntries(newestFormat(migrations), seal)], { sync: true });
  } finally {
    await level.close();
  }
  return seal;
}

async function mendFile({ path, use }: FileStep, aside: string): Promise<void> {
  if (use === null) return;
  await mkdir(aside, { recursive: true, mode: 0o700 });
  await copyWhereThere(path, join(aside, basename(path)));
  await replaceFile(path, use.text, 0o600);
}

/** The lock that a daemon has on its store, held without opening what may be damaged. Rejects with LEVEL_LOCKED in its cause. */
export async function holdStore(path: string): Promise<{ release(): Promise<void> }> {
  const place = await mkdtemp(join(dirname(path), `.${basename(path)}.look-`));
  const lock = resolve(path, 'LOCK');
  if (await isThere(lock)) await symlink(lock, join(place, 'LOCK'));
  const level = openLevelDb(place, true);
  const release = async (): Promise<void> => {
    await level.close().catch(() => undefined);
    await rm(place, { recursive: true, force: true });
  };
  try {
    await level.open();
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function moveWhereThere(from: string, to: string): Promise<void> {
  if (await isThere(from)) await rename(from, to);
}

async function copyWhereThere(from: string, to: string): Promise<void> {
  if (await isThere(from)) await copyFile(from, to);
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    },
  );
