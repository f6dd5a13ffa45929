// The real plugin host over the shipped plugins, with a node around it that has no network: for the fakes.
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import type { ScopedStore } from '../../base/store.ts';
import { pluginChoices } from '../../core/node/stores.ts';
import { createPluginHost, type PluginHost } from '../../core/plugin-host/host.ts';
import type { PluginDirectory } from '../../core/plugin-host/manifest.ts';
import type { Given } from '../../core/plugin-host/run.ts';
import { primitives } from '../../system/crypto.ts';
import { memoryStore } from './memory-store.ts';
import { noHome, noLinks, noSignals, noNetwork, noStreams } from './no-streams.ts';
import { repositoryRoot } from './repository.ts';

export const SHIPPED: PluginDirectory = { path: join(repositoryRoot, 'dist/plugins'), isThirdParty: false };

export function restingPlugins(
  store: ScopedStore = memoryStore(),
  directories: readonly PluginDirectory[] = [SHIPPED],
): PluginHost {
  const counters = new Counters();
  const around = { clock: systemClock, random: systemRandom, log: silentLog, counters };
  return createPluginHost({ ...around, directories, choices: pluginChoices(store) });
}

/** What a node without any network gives a plugin. */
export const nothingOutside = (): Given => ({
  primitives,
  store: memoryStore(),
  streams: noStreams,
  network: noNetwork,
  home: noHome,
  signals: noSignals,
  links: noLinks,
  stun: {
    main: () => null,
    fresh: () => Promise.reject(new Error('there is no network')),
    servers: () => [],
    localAddresses: () => [],
    onChange: () => () => undefined,
  },
});
