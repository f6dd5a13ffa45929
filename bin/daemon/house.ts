// What the daemon has beside its roles: gauges, log, metrics, settings. Opened before the sockets, closed after them.
import { hostname } from 'node:os';
import { systemRandom } from '../../base/random.ts';
import { openLibc } from '../../system/libc.ts';
import { openNotifySocket } from '../../system/notify.ts';
import type { DaemonAdmin } from '../../web/daemon-admin.ts';
import type { DaemonOptions, Parts } from '../daemon.ts';
import type { Roles } from '../roles.ts';
import { commandErrors } from '../errors.ts';
import { startSuccessor, type SuccessorOptions } from './restart.ts';
import { daemonAdmin } from './admin.ts';
import { registerGauges } from './gauges.ts';
import { LoopDelay } from './loop-delay.ts';
import { Metrics } from './metrics.ts';
import { statusLine } from './status-line.ts';
import { Supervisor } from './supervisor.ts';

/** Who asks again while it is under way hears the same. */
function inOneGo<T>(work: () => Promise<T>): () => Promise<T> {
  let under: Promise<T> | null = null;
  return () => (under ??= work().finally(() => (under = null)));
}

function successorOf({ successor, environment = {} }: DaemonOptions): SuccessorOptions {
  // systemd without a way to tell it: the new process would be killed with this one.
  const isManaged = environment['INVOCATION_ID'] !== undefined && environment['NOTIFY_SOCKET'] === undefined;
  if (successor === undefined || isManaged) throw commandErrors('RESTART_BY_MANAGER');
  return { command: successor, environment };
}

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
  leaveTo: (pid: number) => void,
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
    restart: inOneGo(async () => {
      const { pid } = await startSuccessor(successorOf(options));
      supervisor.handOver(pid);
      leaveTo(pid);
      return { pid };
    }),
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
