// The slower doors, for machines that koffi has no binary for: TUN by the addon of tuntap2's fork, UDP by node:dgram, cards
// set up by `ip`, networks by looking again, and packets in plain memory, which node:crypto seals.
import { systemClock } from '../../base/clock.ts';
import { Counters } from '../../base/counters.ts';
import { silentLog } from '../../base/log.ts';
import { ARENA_BYTES, createArena } from '../arena.ts';
import type { DoorOptions } from '../doors-linux.ts';
import type { Doors, Slowness } from '../doors.ts';
import { loadTuntap, type TuntapAddon } from './addon.ts';
import { createIpCommand } from './ip-command.ts';
import { PolledNetwork } from './network.ts';
import { createSlowTunOpener } from './tun.ts';
import { openDgram } from './udp.ts';

/** Throws TUNTAP_MISSING. */
export function openSlowerDoors(
  slowness: Slowness,
  options: DoorOptions = {},
  addon: TuntapAddon = loadTuntap(),
): Doors {
  const arena = createArena(null, options.arenaBytes ?? ARENA_BYTES);
  const counters = (options.counters ?? new Counters()).scope('system');
  const log = (options.log ?? silentLog).child('system');
  const clock = options.clock ?? systemClock;
  const ip = createIpCommand(log);
  return {
    kind: 'tuntap',
    slowness,
    arena,
    openTun: createSlowTunOpener({ addon, arena, ip, cards: ip.cards, counters, log }),
    openUdp: udpOptions => openDgram(udpOptions, counters.scope('udp')),
    openNetwork: () => new PolledNetwork({ clock, counters }),
  };
}
