// The plugin with a made-up home around it: the gateway is whichever host of the test, the outside view what the test says.
import type { Test } from 'tap';
import { systemClock } from '../../../base/clock.ts';
import { Counters } from '../../../base/counters.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../base/random.ts';
import type {
  Gateway,
  MappedPort,
  PluginContext,
  PluginStore,
  StunDoor,
  TraversalPlugin,
  WantedPort,
} from '../../../core/contract/plugin.ts';
import { formatEndpoint } from '../../../protocol/address.ts';
import { writeXorMappedAddress } from '../../../protocol/stun/attributes.ts';
import { BINDING } from '../../../protocol/stun/codec.ts';
import { createPlugin } from '../../../plugins/nat-portmap/index.ts';
import { primitives } from '../../../system/crypto.ts';
import { memoryStore } from '../../support/memory-store.ts';
import { noLinks, noNetwork, noSignals, noStreams } from '../../support/no-streams.ts';
import { OUTSIDE, type Home } from './fake-router.ts';

export const LOCAL = '127.0.0.1';
export const PORT = 41_641;
const DATA: WantedPort = { transport: 'udp', port: PORT, purpose: 'data' };

export interface StageOptions {
  readonly settings?: object;
  readonly ports?: readonly WantedPort[];
  /** As a server outside sees this box; null: none answers. */
  readonly seen?: string | null;
  readonly store?: PluginStore;
}

export interface Stage {
  readonly plugin: TraversalPlugin;
  readonly context: PluginContext;
  /** What can be changed while it runs. */
  readonly world: {
    seen: string | null;
    gateways: readonly Gateway[];
    ports: readonly WantedPort[];
    change(): void;
  };
  /** `udp 5.5.5.5:41641`, sorted. */
  readonly candidates: () => string[];
  /** What the core was told, likewise. */
  readonly told: () => string[];
  readonly count: (name: string) => number;
  readonly code: () => string;
}

export function contextOf(
  gateways: readonly Gateway[],
  { settings = {}, ports = [DATA], seen = OUTSIDE, store = memoryStore() }: StageOptions = {},
  signal: AbortSignal = new AbortController().signal,
) {
  const listeners = new Set<() => void>();
  const told: { mapped: readonly MappedPort[] } = { mapped: [] };
  const world: Stage['world'] = {
    ...{ seen, gateways, ports },
    change() {
      for (const listener of [...listeners]) listener();
    },
  };
  const counters = new Counters();
  const context: PluginContext = {
    settings: { protocols: ['pcp', 'nat-pmp', 'upnp'], lease: 3600, server: true, ...settings },
    ...{ log: silentLog, clock: systemClock, random: seededRandom(1), primitives, signal, store },
    counters,
    stun: stunSeen(() => world.seen),
    streams: noStreams,
    network: noNetwork,
    signals: noSignals,
    links: noLinks,
    home: {
      gateways: () => world.gateways,
      ports: () => world.ports,
      onChange(changed) {
        listeners.add(changed);
        return () => void listeners.delete(changed);
      },
      tell: mapped => void (told.mapped = mapped),
    },
  };
  return { context, world, told, counters };
}

/** Started; stopped at the end of the test. */
export async function stage(t: Test, { router }: Home, options: StageOptions = {}): Promise<Stage> {
  const gateways = [{ family: 4, address: router.address, local: LOCAL } as const];
  const { context, world, told, counters } = contextOf(gateways, options);
  const plugin = createPlugin(context);
  t.teardown(() => plugin.stop());
  await plugin.start(new AbortController().signal);
  await plugin.refresh('quick');
  return {
    ...{ plugin, context, world },
    candidates: () =>
      plugin
        .candidates()
        .map(({ transport, endpoint }) => `${transport} ${formatEndpoint(endpoint)}`)
        .sort(),
    told: () => told.mapped.map(({ transport, outer }) => `${transport} ${formatEndpoint(outer)}`).sort(),
    count: name => counters.snapshot()[name] ?? 0,
    code: () => plugin.report().code,
  };
}

function stunSeen(seen: () => string | null): StunDoor {
  const server = { family: 4, address: '198.51.100.1', port: 7443 } as const;
  return {
    main: family =>
      family === 6
        ? null
        : {
            ...{ family, localPort: PORT },
            transact: () => {
              const address = seen();
              if (address === null) return Promise.resolve({ ok: false, code: 'timeout' });
              const transactionId = new Uint8Array(12);
              const attribute = writeXorMappedAddress({ family: 4, address, port: 1 }, transactionId);
              const message = {
                class: 'success',
                method: BINDING,
                transactionId,
                attributes: [attribute],
              } as const;
              const local = { family: 4, address: LOCAL, port: PORT } as const;
              return Promise.resolve({ ok: true, message, from: server, local, rttMs: 1 });
            },
          },
    fresh: () => Promise.reject(new TypeError('no fresh sockets here')),
    servers: () => [{ endpoint: server, secondPort: null }],
    localAddresses: () => [{ family: 4, address: LOCAL }],
    onChange: () => () => undefined,
  };
}
