// What the daemon has beside its roles: gauges, log, metrics, settings. Opened before the sockets, closed after them.
import { hostname } from 'node:os';
import { systemRandom } from '../../base/random.ts';
import { openLibc } from '../../system/libc.ts';
import { openNotifySocket } from '../../system/notify.ts';
import type { DaemonAdmin } from '../../web/daemon-admin.ts';
import type { PeersAdmin } from '../../web/peers-admin.ts';
import type { DaemonOptions, Parts } from '../daemon.ts';
import type { Roles } from '../roles.ts';
import { commandErrors } from '../errors.ts';
import { startSuccessor, type SuccessorOptions } from './restart.ts';
import { daemonAdmin } from './admin.ts';
import { registerGauges } from './gauges.ts';
import { LoopDelay } from './loop-delay.ts';
import { Metrics } from './metrics.ts';
import { Page } from './page.ts';
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
  /** One came up or went down: whoever tells or follows that looks again. */
  readonly rolesChanged: () => void;
  close(): Promise<void>;
}

export async function openHouse(
  options: DaemonOptions,
  { settings, stateHealth, pageStore, checkState, backup, peers }: Parts & { readonly peers: PeersAdmin },
  { node, server }: Roles,
  leaveTo: (pid: number) => void,
): Promise<House> {
  const { clock, counters, journal, log, places, version } = options;
  const loop = new LoopDelay(clock);
  const stopGauges = registerGauges({ counters, clock, node, server, loop });
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
    page: {
      get health() {
        return page.health;
      },
      shown: () => page.shown(),
      resetOwner: () => page.resetOwner(),
    },
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
  const page = new Page({
    ...{ settings, clock, counters, store: pageStore, random: systemRandom, log: log.child('page') },
    environment: options.environment ?? {},
    routes: {
      ...{
        node,
        server,
        settings,
        daemon: admin,
        checkState,
        backup,
        peers,
        version,
        pid: process.pid,
        counters,
      },
      log: log.child('page'),
      // Not more: a box that leaves the network by its page keeps the page, to come back by.
      onRolesChanged: () => rolesChanged(),
    },
  });
  const rolesChanged = (): void => {
    supervisor.changed();
    void page.look();
  };
  const serve = (): Promise<void> => metrics.serveAt(settings.values.metrics);
  const stopHearing = settings.onChange(keys => {
    if (keys.includes('metrics')) void serve();
    if (keys.some(key => key.startsWith('page'))) void page.look();
  });
  await serve();
  await page.look();
  return {
    admin,
    waiting,
    supervisor,
    rolesChanged,
    async close() {
      stopHearing();
      stopGauges();
      await page.close();
      loop.stop();
      await metrics.close();
      supervisor.close();
    },
  };
}
