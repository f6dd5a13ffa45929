// Puts the daemon's parts together: the store first, since it is what holds the state folder, then what stands on it.
import { openStore, type Store } from '../base/store.ts';
import type { Counters } from '../base/counters.ts';
import { GinnelError } from '../base/errors.ts';
import type { Parts } from './daemon.ts';
import { commandErrors } from './errors.ts';
import type { Places } from './places.ts';

export interface Ground {
  readonly places: Places;
  readonly counters: Counters;
}

/** The daemon's store, which is also its lock: the kernel gives it up when the process dies. Rejects with DAEMON_RUNNING. */
export async function takeStateFolder({ places, counters }: Ground): Promise<Store> {
  try {
    return await openStore({ path: places.store, firstSetUp: true, counters });
  } catch (error) {
    if (!(error instanceof GinnelError) || error.code !== 'STORE_LOCKED') throw error;
    throw commandErrors('DAEMON_RUNNING', { folder: places.state }, error);
  }
}

export async function assemble(ground: Ground): Promise<Parts> {
  const store = await takeStateFolder(ground);
  return { node: null, server: null, wishes: store.scope('roles/'), close: () => store.close() };
}
