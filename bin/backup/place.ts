// The way of a back-up into the state folder: made whole in a folder beside (`restore.incoming`), which is renamed
// (`restore.whole`) and by that taken in; then moved to its places, or at the next start if the power goes in between.
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../base/disk.ts';
import { GinnelError } from '../../base/errors.ts';
import { hasCode, isHeld } from '../../base/level-folder.ts';
import { holdStore } from '../../base/state/repair.ts';
import { setExportsAside } from '../../base/store/exports-aside.ts';
import { IDENTITY_FILE } from '../../core/control/identity.ts';
import { MEMBERSHIP_FILE } from '../../core/control/membership.ts';
import { commandErrors } from '../errors.ts';
import { exportsIn } from '../state.ts';
import { backupErrors } from './errors.ts';

const incomingIn = (state: string): string => join(state, 'restore.incoming');
const wholeIn = (state: string): string => join(state, 'restore.whole');

/** `fill` makes the new state in the folder that it is given; where it fails, nothing is left of it. */
export async function takeIn(state: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const folder = incomingIn(state);
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o700 });
    await fill(folder);
    await syncFolder(folder);
    await rename(folder, wholeIn(state));
    await syncFolder(state);
  } catch (error) {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * Before anything of the state is opened: a back-up that was taken in goes to its places. Can be broken off anywhere and
 * done again. Errors: DAEMON_RUNNING, RESTORE_UNFINISHED.
 */
export async function finishRestore(state: string, wallMs: number): Promise<void> {
  if (!(await isThere(incomingIn(state))) && !(await isThere(wholeIn(state)))) return;
  const store = join(state, 'store');
  try {
    // Whoever runs with the old store may be about to take one in. A part of this process does not meet its own lock.
    if ((await isThere(store)) && (await isHeld(store)))
      throw commandErrors('DAEMON_RUNNING', { folder: state });
    const lock = await holdStore(store);
    try {
      if (await isThere(wholeIn(state))) await place(state, wallMs);
      await rm(incomingIn(state), { recursive: true, force: true });
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (error instanceof GinnelError) throw error;
    if (hasCode(error, 'LEVEL_LOCKED')) throw commandErrors('DAEMON_RUNNING', { folder: state }, error);
    const problem = error instanceof Error ? error.message : String(error);
    throw backupErrors('RESTORE_UNFINISHED', { problem, folder: state }, error);
  }
}

/** The store last: until then whoever looks is kept out by its lock. */
async function place(state: string, wallMs: number): Promise<void> {
  const whole = wholeIn(state);
  // What is left of the empty box must not be taken for exports of this one.
  for (const store of ['store', 'registry'])
    await (await setExportsAside(exportsIn(state), store, wallMs)).forgetOlder();
  for (const name of [IDENTITY_FILE, MEMBERSHIP_FILE])
    await unlessGone(() => rename(join(whole, name), join(state, name)));
  await exchange(state, 'server');
  await unlessGone(() => rename(join(whole, 'store.set-up'), join(state, 'store.set-up')));
  await exchange(state, 'store');
  await syncFolder(state);
  await rm(incomingIn(state), { recursive: true, force: true });
  // From here on it is done, and what is left is rubbish.
  await rename(whole, incomingIn(state));
  await syncFolder(state);
}

/** A folder that came takes the place of the one that is there. Of two that do this at once, one does. */
async function exchange(state: string, name: string): Promise<void> {
  const [own, fresh] = [join(state, name), join(wholeIn(state), name)];
  if (!(await isThere(fresh))) return;
  const replaced = join(wholeIn(state), `${name}.replaced`);
  await unlessGone(() => rename(own, replaced), ['ENOENT', 'ENOTEMPTY', 'EEXIST']);
  await unlessGone(() => rename(fresh, own));
}

/** What is gone was moved already. */
async function unlessGone(move: () => Promise<void>, codes: readonly string[] = ['ENOENT']): Promise<void> {
  await move().catch((error: unknown) => {
    if (!codes.some(code => hasCode(error, code))) throw error;
  });
}

/** Why this box is not empty; null: it is. Its own keys alone say nothing: they are of no network. */
export async function whyNotEmpty(state: string): Promise<string | null> {
  if (await isThere(join(state, MEMBERSHIP_FILE))) return 'it belongs to a network';
  const names = await readdir(join(state, 'server')).catch(() => []);
  return names.length > 0 ? 'it has a location server' : null;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    },
  );
