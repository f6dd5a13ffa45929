// What a node is built from: nothing in core reaches for the machine by itself.
import type { Clock } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { ScopedStore } from '../../base/store.ts';
import type { Primitives } from '../../protocol/primitives.ts';
import type { Arena, Doors, TcpPortsDoor } from '../../system/doors.ts';
import type { Aead } from '../dataplane/aead.ts';
import type { PluginDirectory } from '../plugin-host/manifest.ts';
import type { Ability } from './abilities.ts';
import type { ServerPorts } from './home.ts';
import type { NodeSettings } from './settings.ts';

export interface NodeOptions {
  /** The state folder: identity and membership lie in it. */
  readonly folder: string;
  readonly store: ScopedStore;
  /** Opened anew for each stay in the network, so that what a stay took of the arena ends with it. */
  readonly openDoors: (arenaBytes: number) => Doors;
  /** Its TCP ports, which the location server of this box may share. */
  readonly tcp: TcpPortsDoor;
  readonly openAead: (arena: Arena) => Aead;
  readonly primitives: Primitives;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
  readonly log: Log;
  /** The ports of the location server on this box; absent: it has none. */
  readonly serverPorts?: ServerPorts;
  readonly pluginDirectories: readonly PluginDirectory[];
  readonly settings: NodeSettings;
  /** Abilities that are left unused; those of the doors are `openDoors`' to leave. */
  readonly without: ReadonlySet<Ability>;
}

/** What a box may be called: a DNS label. */
export const NAME = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
