// Brings a server up from what its folder holds: keys, store, registry, then the station that answers. Made at the first
// set-up; where anything of it fails, nothing stays open.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull } from '../base/disk.ts';
import { baseErrors } from '../base/errors.ts';
import { openStore } from '../base/store.ts';
import type { Store } from '../base/store.ts';
import { Exports } from '../base/store/exports.ts';
import { stateOf } from '../base/store/opening.ts';
import type { ServerPlaces } from '../protocol/location/messages.ts';
import type { ServerOptions } from './admin.ts';
import { serverErrors } from './errors.ts';
import { ServerHealth } from './health.ts';
import { IssuedPlaces } from './issued-places.ts';
import { AUTHORITY_FILE } from './own-authority.ts';
import { KEYS_FILE, openKeys } from './keys.ts';
import type { ServerKeys } from './keys.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { localNetworks, machineAddresses } from './machine-addresses.ts';
import { movesOf, refuseMoved } from './moving.ts';
import { Registry } from './registry.ts';
import type { CreateServerOptions } from './server.ts';
import { openServerSettings, settingsOf } from './settings.ts';
import type { ServerSettings, ServerValues } from './settings.ts';
import { Station } from './station.ts';
import { ServerTime } from './time.ts';

export interface Running {
  readonly store: Store;
  readonly exports: Exports | null;
  readonly keys: ServerKeys;
  readonly settings: ServerSettings;
  /** What it was started with. */
  readonly values: ServerValues;
  readonly registry: Registry;
  readonly station: Station;
  readonly health: ServerHealth;
  readonly time: ServerTime;
}

/** A node proved that this server runs on another machine since. */
export type Outdated = (places: ServerPlaces) => void;

/** Errors: SERVER_*, POOL_*, STORE_*, DISK_FULL. */
export async function start(
  options: CreateServerOptions,
  wanted: Partial<ServerOptions>,
  outdated: Outdated,
): Promise<Running> {
  const { stateDir, primitives } = options;
  await makeFolder(stateDir);
  const isFirst = !(await hasState(options));
  const keys = await openKeys(primitives, stateDir, isFirst);
  const store = await openRegistry(options, isFirst);
  try {
    return await startOn(options, { store, keys, wanted, isFirst, outdated });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Was there ever a server in that folder? Exports of its registry say so too: then no keys are made anew. */
export async function hasState({ stateDir, exportsFolder }: CreateServerOptions): Promise<boolean> {
  const path = registryIn(stateDir);
  return (await stateOf({ path, exportsFolder: exportsFolder ?? join(stateDir, 'exports') })) !== 'never';
}

/** Errors: STORE_*, DISK_FULL. */
export function openRegistry(
  { stateDir, counters, keepFreeBytes, exportsFolder }: CreateServerOptions,
  firstSetUp: boolean,
): Promise<Store> {
  const room = keepFreeBytes === undefined ? {} : { keepFreeBytes };
  const exports = exportsFolder === undefined ? {} : { exportsFolder };
  return openStore({ path: registryIn(stateDir), firstSetUp, counters, ...room, ...exports });
}

/** The small checked files that go with the registry. */
export const SERVER_FILES: readonly string[] = [KEYS_FILE, AUTHORITY_FILE];

function exportsOf(
  { exportsFolder: folder, stateDir, clock, counters, log }: CreateServerOptions,
  store: Store,
): Exports | null {
  const files = SERVER_FILES.map(name => join(stateDir, name));
  return folder === undefined ? null : new Exports({ folder, store, files, clock, counters, log });
}

export const registryIn = (stateDir: string): string => join(stateDir, 'registry');

interface Ground {
  readonly store: Store;
  readonly keys: ServerKeys;
  readonly wanted: Partial<ServerOptions>;
  readonly isFirst: boolean;
  readonly outdated: Outdated;
}

async function startOn(options: CreateServerOptions, ground: Ground): Promise<Running> {
  const { primitives, clock, counters, log } = options;
  const { store, keys, wanted, isFirst, outdated } = ground;
  await refuseMoved(store, wanted.again ?? false);
  const time = new ServerTime(clock);
  const settings = await openServerSettings(store);
  const set = settingsOf(wanted, isFirst);
  const values = settings.tried({ set });
  const scoped = store.scope(`net/${keys.network}/`);
  const setUp = {
    pool4: wanted.pool4,
    networkName: wanted.networkName,
    localNetworks: localNetworks(machineAddresses()),
  };
  const shared = { store: scoped, primitives, keys, time };
  const registry = await Registry.open(
    { ...shared, clock, counters, log, stateDir: options.stateDir },
    setUp,
  );
  const places = await IssuedPlaces.open({ ...shared, moves: await movesOf(store) });
  if (!time.isRight()) {
    log.warn(serverErrors('SERVER_CLOCK', { shown: new Date(time.now()).toISOString() }).message);
  }
  const station = new Station({
    ...{ primitives, clock, counters, log, keys, registry, places, time, outdated },
    settings: values,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    tcp: options.tcp,
    portMapper: options.portMapper ?? null,
  });
  await station.open();
  try {
    await settings.changeSettings({ set });
  } catch (error) {
    await station.close();
    throw error;
  }
  settings.started(values);
  settings.onChange(() => {
    station.reach.setAdvertise(settings.values.advertise);
    station.proxies.set(settings.values['trusted-proxy']);
    station.desk.relays.setWay(settings.values['relay-choice']);
  });
  const health = new ServerHealth({
    ...{ folder: options.stateDir, clock, counters },
    isClockRight: () => time.isRight(),
    nodes: () => station.nodes(),
  });
  health.start();
  const exports = exportsOf(options, store);
  return { store, exports, keys, settings, values, registry, station, health, time };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (isDiskFull(error)) throw baseErrors('DISK_FULL', { path, freeBytes: 0 }, error);
    const problem = error instanceof Error ? error.message : String(error);
    throw baseErrors('STORE_UNREADABLE', { path, problem }, error);
  }
}
