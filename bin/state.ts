// What the state of a box consists of (docs/state.md): the daemon's store with the node's two files, and the registry with
// the server's keys.
import { join } from 'node:path';
import type { HealthLine } from '../base/health.ts';
import { checkState } from '../base/state/check.ts';
import type { StateReport } from '../base/state/check.ts';
import type { StatePart } from '../base/state/parts.ts';
import { KEEP_FREE_BYTES, type Store } from '../base/store.ts';
import type { Exports } from '../base/store/exports.ts';
import { STORE_MIGRATIONS } from '../base/store/migrations.ts';
import { IDENTITY_FILE } from '../core/control/identity.ts';
import { MEMBERSHIP_FILE } from '../core/control/membership.ts';
import { SERVER_FILES } from '../server/start.ts';
import { daemonHealth } from './daemon/health.ts';

export const exportsIn = (state: string): string => join(state, 'exports');

export const daemonPart = (state: string): StatePart => ({
  path: join(state, 'store'),
  files: [join(state, IDENTITY_FILE), join(state, MEMBERSHIP_FILE)],
  migrations: STORE_MIGRATIONS,
});

const registryPart = (state: string): StatePart => ({
  path: join(state, 'server', 'registry'),
  files: SERVER_FILES.map(name => join(state, 'server', name)),
  migrations: STORE_MIGRATIONS,
});

export const stateParts = (state: string): StatePart[] => [daemonPart(state), registryPart(state)];

/** Of the exports of each store that is open; the disk is told of once. */
export function stateHealth(exports: readonly (Exports | null)[], folder: string): HealthLine[] {
  const open = exports.filter(one => one !== null);
  const free = open.find(({ shortOfBytes }) => shortOfBytes !== null)?.shortOfBytes ?? null;
  const inKilobytes = (bytes: number): number => Math.round(bytes / 1000);
  const least = inKilobytes(KEEP_FREE_BYTES);
  return [
    ...(free === null ? [] : [daemonHealth('DISK_SHORT', { free: inKilobytes(free), least, folder })]),
    ...open
      .filter(({ problem }) => problem !== '')
      .map(({ name, problem }) => daemonHealth('EXPORT_WAITING', { store: name, problem })),
  ];
}

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
