// The network that this server carries: its pool of addresses and its name, chosen at the first set-up.
import type { ScopedStore } from '../base/store.ts';
import { serverErrors } from './errors.ts';
import { choosePool } from './pool.ts';
import type { LocalNetwork } from './pool.ts';
import { readNetwork } from './registry-entries.ts';
import type { NetworkEntry } from './registry-entries.ts';
import type { ServerTime } from './time.ts';

export interface SetUp {
  readonly pool4: string | undefined;
  readonly networkName: string | undefined;
  /** This machine's own networks. */
  readonly localNetworks: readonly LocalNetwork[];
}

/** What is stored, or, at the first set-up, what is made and stored. Errors: POOL_*, and the store's. */
export async function openNetwork(store: ScopedStore, time: ServerTime, setUp: SetUp): Promise<NetworkEntry> {
  const found = await readNetwork(store);
  if (found !== null) refuseOtherPool(found.pool4, setUp.pool4);
  const network = found ?? {
    v: 1 as const,
    pool4: choosePool(setUp.pool4, setUp.localNetworks),
    networkName: 'home',
    setUpAt: time.now(),
  };
  const named = { ...network, networkName: setUp.networkName ?? network.networkName };
  if (found === null || named.networkName !== found.networkName) await store.put('network', named);
  return named;
}

/** Undefined: none is asked for. Error: POOL_FIXED. */
export function refuseOtherPool(pool: string, wanted: string | undefined): void {
  if (wanted !== undefined && wanted !== pool) throw serverErrors('POOL_FIXED', { pool, wanted });
}
