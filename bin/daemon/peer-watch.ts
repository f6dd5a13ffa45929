// What the daemon keeps of peers over time: four times a minute the paths are noted, and the door for speed tests stands where
// the virtual card is.
import type { Clock, Timer } from '../../base/clock.ts';
import type { Counters } from '../../base/counters.ts';
import type { Log } from '../../base/log.ts';
import type { NodeAdmin } from '../../core/admin.ts';
import { apiErrors } from '../../web/errors.ts';
import { LOOK_EVERY_MS, PathHistory } from '../../web/page/history.ts';
import { speedTest } from '../../web/page/speed.ts';
import type { PeersAdmin, SpeedEvent } from '../../web/peers-admin.ts';
import type { DaemonSettings } from '../settings.ts';
import { SpeedDoor } from './speed-door.ts';

export interface PeerWatchOptions {
  readonly node: Pick<NodeAdmin, 'status'> | null;
  readonly settings: DaemonSettings;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
}

export interface PeerWatch {
  readonly admin: PeersAdmin;
  /** The node came up or went down. */
  look(): void;
  close(): Promise<void>;
}

export function watchPeers({ node, settings, clock, counters, log }: PeerWatchOptions): PeerWatch {
  const history = new PathHistory();
  const door = node === null ? null : new SpeedDoor({ clock, counters, log, status: () => node.status() });
  let isMeasuring = false;
  let timer: Timer | null = null;
  const look = (): void => {
    timer?.cancel();
    timer = clock.after(LOOK_EVERY_MS, look);
    const status = node?.status();
    if (status?.state === 'up') history.note(status, clock.wallMs());
    door?.listenAt(status?.state === 'up' && settings.values['speed-test'] ? status.ip4 : '');
  };
  const stopHearing = settings.onChange(keys => {
    if (keys.includes('speed-test')) look();
  });
  look();
  async function* speed(
    address: string,
    peer: string,
    signal: AbortSignal,
  ): AsyncGenerator<SpeedEvent, void> {
    if (isMeasuring) throw apiErrors('SPEED_UNDER_WAY');
    isMeasuring = true;
    counters.counter('speed.asked').value++;
    try {
      // From the virtual address: where its card is gone, nothing goes to whoever has that number outside.
      yield* speedTest({ clock, address, peer, from: node?.status().ip4 ?? '' }, signal);
    } finally {
      isMeasuring = false;
    }
  }
  return {
    admin: {
      history: id => history.of(id, clock.wallMs()),
      speed: ({ name, ip4 }, signal) => speed(ip4, name, signal),
    },
    look,
    close() {
      timer?.cancel();
      stopHearing();
      door?.close();
      return Promise.resolve();
    },
  };
}
