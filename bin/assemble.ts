// Puts the daemon's parts together: the store first, since it is what holds the state folder, then what stands on it.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock, type Clock } from '../base/clock.ts';
import { Counters } from '../base/counters.ts';
import { GinnelError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import type { LevelledLog } from '../base/pino-log.ts';
import { systemRandom } from '../base/random.ts';
import { openStore, type Store } from '../base/store.ts';
import { Exports } from '../base/store/exports.ts';
import { createNode } from '../core/node.ts';
import { pluginChoices } from '../core/node/stores.ts';
import { createPluginHost } from '../core/plugin-host/host.ts';
import { openNodeSettings } from '../core/node/settings.ts';
import type { PluginDirectory } from '../core/plugin-host/manifest.ts';
import { createServer } from '../server/server.ts';
import { openAead } from '../system/aead.ts';
import { primitives } from '../system/crypto.ts';
import type { Doors } from '../system/doors.ts';
import { openBestDoors } from '../system/open-doors.ts';
import { TcpPorts } from '../system/tcp-ports.ts';
import { boxBackup } from './backup/box-backup.ts';
import { finishRestore } from './backup/place.ts';
import type { Parts } from './daemon.ts';
import { commandErrors } from './errors.ts';
import { Forwarding } from './forwarding.ts';
import { tellOutside } from './outside.ts';
import { makePlaces, type Places } from './places.ts';
import type { PluginsAtRest } from './surroundings.ts';
import { openDaemonSettings, type DaemonSettings } from './settings.ts';
import { daemonPart, exportsIn, stateChecker, stateHealth } from './state.ts';
import { offloadsWithout, withoutOf } from './without.ts';

export interface Ground {
  readonly places: Places;
  readonly environment: NodeJS.ProcessEnv;
  readonly counters: Counters;
  readonly log: LevelledLog;
  readonly clock: Clock;
  /** For tests: other doors to the kernel than the real ones. */
  readonly openDoors?: () => Doors;
}

/** The daemon's store, which is also its lock: the kernel gives it up when the process dies. Rejects with DAEMON_RUNNING. */
export async function takeStateFolder({
  places,
  counters,
}: Pick<Ground, 'places' | 'counters'>): Promise<Store> {
  await finishRestore(places.state, systemClock.wallMs());
  try {
    const exportsFolder = exportsIn(places.state);
    return await openStore({ path: places.store, firstSetUp: true, counters, exportsFolder });
  } catch (error) {
    if (!(error instanceof GinnelError) || error.code !== 'STORE_LOCKED') throw error;
    throw commandErrors('DAEMON_RUNNING', { folder: places.state }, error);
  }
}

/** What takes its time and needs nothing of the state folder: the code, and koffi's binary where there is one. */
export function preload(environment: NodeJS.ProcessEnv = process.env): void {
  try {
    openBestDoors(environment['GINNEL_DOOR']);
  } catch {
    // A box without a door may still be a location server; a node tells it in words when it comes up.
    return;
  }
}

export async function assemble(ground: Ground): Promise<Parts> {
  const { places, environment, log, clock, counters } = ground;
  const without = withoutOf(environment);
  const store = await takeStateFolder(ground);
  const exportsFolder = exportsIn(places.state);
  const { files } = daemonPart(places.state);
  const settings = await daemonSettings(store, ground);
  const doorOptions = { clock, counters, log, offloads: offloadsWithout(without) };
  const tcp = new TcpPorts({ clock, counters: counters.scope('system.tcp') });
  const forwarding = new Forwarding();
  const node = createNode({
    folder: places.state,
    store: store.scope('node/'),
    openDoors:
      ground.openDoors ??
      (arenaBytes => openBestDoors(environment['GINNEL_DOOR'], { ...doorOptions, arenaBytes })),
    ...{ openAead, without, tcp, serverPorts: forwarding },
    primitives,
    clock,
    random: systemRandom,
    counters,
    log: log.child('node'),
    pluginDirectories: pluginDirectories(places),
    settings: await openNodeSettings(store.scope('node/settings/')),
  });
  const stateDir = join(places.state, 'server');
  const server = createServer({
    ...{ stateDir, exportsFolder, primitives, clock, counters, tcp, portMapper: forwarding },
    log: log.child('server'),
  });
  const exports = new Exports({ folder: exportsFolder, store, files, clock, counters, log });
  const outside = tellOutside({ node, server, clock });
  return {
    ...{ node, server, settings },
    wishes: store.scope('roles/'),
    backup: boxBackup({ state: places.state, store, server, primitives, tcp, clock, counters }),
    pageStore: store.scope('page/'),
    takesBlame: error => node.takesBlame(error),
    checkState: stateChecker(places.state, store, server),
    stateHealth: () => stateHealth([exports, server.exports], places.state),
    async close() {
      outside.close();
      await exports.close();
      await store.close();
    },
  };
}

/**
 * The plugins while no daemon runs: none of their code does, so that one that keeps the box from coming up can be
 * switched off. Holds the state folder until closed; rejects with DAEMON_RUNNING.
 */
export async function assembleAtRest(places: Places): Promise<PluginsAtRest> {
  makePlaces(places);
  const counters = new Counters();
  const store = await takeStateFolder({ places, counters });
  const plugins = createPluginHost({
    ...{ clock: systemClock, random: systemRandom, log: silentLog, counters },
    directories: pluginDirectories(places),
    choices: pluginChoices(store.scope('node/')),
  });
  return { plugins, close: () => store.close() };
}

/** The plugins that came with Ginnel, and those that the owner put into the state folder. */
export const pluginDirectories = ({ state }: Places): readonly PluginDirectory[] => [
  { path: fileURLToPath(new URL('../plugins', import.meta.url)), isThirdParty: false },
  { path: join(state, 'plugins'), isThirdParty: true },
];

/** Kept in the daemon's corner of the store, and applied now and whenever they change. */
export async function daemonSettings(store: Store, { log }: Pick<Ground, 'log'>): Promise<DaemonSettings> {
  const settings = await openDaemonSettings(store.scope('daemon/settings/'));
  const apply = (): void => void log.setLevel(settings.values['log-level']);
  settings.onChange(apply);
  apply();
  return settings;
}
