// All doors to a Linux kernel through koffi, on one arena and one event loop.
import { systemClock, type Clock } from '../base/clock.ts';
import { Counters } from '../base/counters.ts';
import { silentLog, type Log } from '../base/log.ts';
import { ARENA_BYTES, createArena } from './arena.ts';
import type { Doors, UdpOffloads } from './doors.ts';
import { openLibc, probe } from './libc.ts';
import { createNetlink } from './netlink.ts';
import { createNetworkOpener } from './network.ts';
import { createReadiness } from './poll.ts';
import { createTcpSourceOpener } from './tcp-source.ts';
import { createTunOpener } from './tun.ts';
import { createUdpOpener } from './udp.ts';

export interface DoorOptions {
  readonly arenaBytes?: number;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Counts under `system.`. */
  readonly counters?: Counters;
  /** Default: all of the kernel's abilities are used, as far as it has them. */
  readonly offloads?: DoorOffloads;
}

/** Which of the kernel's abilities are used where it has them. */
export interface DoorOffloads extends UdpOffloads {
  /** The card hands over super-packets, and takes them. */
  readonly card: boolean;
}

const ALL_OFFLOADS: DoorOffloads = { card: true, cut: true, coalesce: true };

/**
 * Throws KOFFI_UNAVAILABLE where koffi does not load or does not work. What a door needs in the arena is taken when the first
 * of its kind opens.
 */
export function openDoors(options: DoorOptions = {}): Doors {
  const libc = openLibc();
  const arena = createArena(libc, options.arenaBytes ?? ARENA_BYTES);
  probe(libc, arena);
  const readiness = createReadiness(libc.koffi);
  const counters = (options.counters ?? new Counters()).scope('system');
  const log = (options.log ?? silentLog).child('system');
  const clock = options.clock ?? systemClock;
  const netlink = later(() => createNetlink(libc, arena));
  const offloads = options.offloads ?? ALL_OFFLOADS;
  const openTun = later(() =>
    createTunOpener({
      ...{ libc, arena, readiness, counters, log },
      cards: netlink(),
      offload: offloads.card,
    }),
  );
  const udp = later(() => createUdpOpener(libc, arena, readiness, counters, offloads));
  const openTcpSource = later(() => createTcpSourceOpener(libc, arena, readiness, counters));
  const openNetwork = createNetworkOpener({ libc, arena, readiness, clock, counters });
  return {
    kind: 'koffi',
    slowness: null,
    arena,
    openTun: tunOptions => openTun()(tunOptions),
    openUdp: udpOptions => udp().open(udpOptions),
    openTcpSource: sourceOptions => openTcpSource()(sourceOptions),
    openNetwork,
  };
}

function later<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
