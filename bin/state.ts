// What the state of a box consists of (docs/state.md): the daemon's store with the node's two files, and the registry with
// the server's keys.
import { join } from 'node:path';
import { checkState } from '../base/state/check.ts';
import type { StateReport } from '../base/state/check.ts';
import type { StatePart } from '../base/state/parts.ts';
import type { Store } from '../base/store.ts';
import { STORE_MIGRATIONS } from '../base/store/migrations.ts';
import { IDENTITY_FILE } from '../core/control/identity.ts';
import { MEMBERSHIP_FILE } from '../core/control/membership.ts';
import { KEYS_FILE } from '../server/keys.ts';

export const exportsIn = (state: string): string => join(state, 'exports');

export const daemonPart = (state: string): StatePart => ({
  path: join(state, 'store'),
  files: [join(state, IDENTITY_FILE), join(state, MEMBERSHIP_FILE)],
  migrations: STORE_MIGRATIONS,
});

const registryPart = (state: string): StatePart => ({
  path: join(state, 'server', 'registry'),
  files: [join(state, 'server', KEYS_FILE)],
  migrations: STORE_MIGRATIONS,
});

export const stateParts = (state: string): StatePart[] => [daemonPart(state), registryPart(state)];

/** What the check needs of a location server. */
export interface HasRegistry {
  withStore<T>(work: (store: Store | null) => Promise<T>): Promise<T>;
}

/** One check at a time, however many ask. */
export function stateChecker(state: string, store: Store, server: HasRegistry): () => Promise<StateReport> {
  let checking: Promise<StateReport> | null = null;
  const check = (): Promise<StateReport> =>
    server.withStore(registry => {
      const [own, other] = stateParts(state).map(({ path }) => path);
      const open = new Map([[own ?? '', store]]);
      if (registry !== null) open.set(other ?? '', registry);
      return checkState(stateParts(state), exportsIn(state), open);
    });
  return () => (checking ??= check().finally(() => (checking = null)));
}
