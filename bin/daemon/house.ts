// What the daemon has beside its roles: gauges, log, metrics, settings. Opened before the sockets, closed after them.
import { hostname } from 'node:os';
import { systemRandom } from '../../base/random.ts';
import { openLibc } from '../../system/libc.ts';
import { openNotifySocket } from '../../system/notify.ts';
import type { DaemonAdmin } from '../../web/daemon-admin.ts';
import type { DaemonOptions, Parts } from '../daemon.ts';
import type { Roles } from '../roles.ts';
import { daemonAdmin } from './admin.ts';
import { registerGauges } from './gauges.ts';
import { LoopDelay } from './loop-delay.ts';
import { Metrics } from './metrics.ts';
import { statusLine } from './status-line.ts';
import { Supervisor } from './supervisor.ts';

export interface House {
  readonly admin: DaemonAdmin;
  /** Roles that should be up and are not, and why. */
  readonly waiting: Map<string, string>;
  readonly supervisor: Supervisor;
  close(): Promise<void>;
}

export async function openHouse(
  options: DaemonOptions,
  { settings, stateHealth }: Pick<Parts, 'settings' | 'stateHealth'>,
  { node, server }: Roles,
): Promise<House> {
  const { clock, counters, journal, log, places, version } = options;
  const loop = new LoopDelay(clock);
  registerGauges({ counters, clock, node, server, loop });
  const metrics = new Metrics({
    ...{ counters, clock, version, log: log.child('metrics') },
    tokenFile: places.metricsToken,
    hostName: hostname(),
    random: systemRandom,
  });
  const waiting = new Map<string, string>();
  const admin = daemonAdmin({
    ...{ version, clock, counters, journal, metrics, loop, node, server },
    waiting: () => waiting,
    ...{ settings, stateHealth },
  });
  const supervisor = new Supervisor({
    ...{ environment: options.environment ?? {}, pid: process.pid, clock, counters, log },
    open: path => openNotifySocket(openLibc(), path),
    status: () => statusLine({ node, server, waiting }),
  });
  const serve = (): Promise<void> => metrics.serveAt(settings.values.metrics);
  const stopHearing = settings.onChange(keys => void (keys.includes('metrics') && serve()));
  await serve();
  return {
    admin,
    waiting,
    supervisor,
    async close() {
      stopHearing();
      loop.stop();
      await metrics.close();
      supervisor.close();
    },
  };
}
