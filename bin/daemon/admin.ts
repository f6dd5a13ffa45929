// The daemon itself as page and command see it: its health, figures, log, metrics, and the report for a helper.
import type { Clock } from '../../base/clock.ts';
import { wordsOf } from '../../base/counter-words.ts';
import type { Counters } from '../../base/counters.ts';
import { worstFirst, type HealthLine } from '../../base/health.ts';
import type { LogLevels } from '../../base/log-levels.ts';
import type { LogRing } from '../../base/log-ring.ts';
import type { SettingsAdmin } from '../../base/settings.ts';
import type { NodeAdmin } from '../../core/admin.ts';
import type { ServerAdmin } from '../../server/admin.ts';
import type { DaemonAdmin, Figures } from '../../web/daemon-admin.ts';
import { bugReport } from './bug-report.ts';
import { daemonHealth } from './health.ts';
import type { LoopDelay } from './loop-delay.ts';
import { lastLines, logLines } from './logs.ts';
import type { Metrics } from './metrics.ts';
import type { Page } from './page.ts';

/** Held up for longer than this within the last minute is worth a word. */
const SLOW_MS = 2000;

/** Where the log goes beside its stream, and how much it says. */
export interface Journal {
  readonly ring: LogRing;
  readonly levels: LogLevels;
}

export interface DaemonAdminOptions {
  readonly version: string;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly journal: Journal;
  readonly metrics: Metrics;
  readonly loop: LoopDelay;
  readonly node: NodeAdmin | null;
  readonly server: ServerAdmin | null;
  /** Roles that should be up and are not, and why. */
  readonly waiting: () => ReadonlyMap<string, string>;
  readonly settings: SettingsAdmin;
  /** Of the state on the disk. */
  readonly stateHealth: () => readonly HealthLine[];
  readonly restart: DaemonAdmin['restart'];
  readonly page: Pick<Page, 'health' | 'shown' | 'resetOwner'>;
}

export function daemonAdmin(options: DaemonAdminOptions): DaemonAdmin {
  const { version, clock, counters, journal, metrics, node, server, settings } = options;
  const figures = (): Figures => withWords(counters.readings());
  const health = (): HealthLine[] => healthOf(options);
  return {
    health,
    figures,
    logs: (asked, signal) => logLines(journal.ring, asked, signal),
    metrics: () => metrics.shown(),
    page: () => options.page.shown(),
    resetOwner: () => options.page.resetOwner(),
    restart: options.restart,
    bugReport: async ({ mask }) =>
      bugReport(
        {
          ...{ version, node, server, health: health(), figures: figures() },
          settings: await settingsOf({ daemon: settings, node, server }),
          logLevel: String(journal.levels),
          lastLines: lines => lastLines(journal.ring, { level: 'debug', part: '', lines }),
          wallMs: clock.wallMs(),
        },
        mask,
      ),
  };
}

/** Their values by owner; a secret's is null. */
async function settingsOf(owners: Record<string, SettingsAdmin | null>): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const [name, owner] of Object.entries(owners)) {
    const shown = (await owner?.settings()) ?? [];
    all[name] = Object.fromEntries(shown.map(({ key, value }) => [key, value]));
  }
  return all;
}

function withWords(readings: ReturnType<Counters['readings']>): Figures {
  const names = [...Object.keys(readings.counters), ...Object.keys(readings.gauges)];
  const words = names.flatMap((name): [string, string][] => {
    const found = wordsOf(name);
    return found === null ? [] : [[name, found.words]];
  });
  return { ...readings, words: Object.fromEntries(words) };
}

function healthOf({ counters, metrics, page, loop, waiting, stateHealth }: DaemonAdminOptions): HealthLine[] {
  const counted = (name: string): number => counters.counter(name).value;
  const lines = [...metrics.health, ...page.health, ...stateHealth()];
  for (const [role, problem] of waiting()) lines.push(daemonHealth('ROLE_WAITING', { role, problem }));
  const damaged = counted('store.damaged');
  if (damaged > 0) lines.push(daemonHealth('STATE_DAMAGED', { times: damaged }));
  const reopened = counted('store.reopened');
  if (reopened > 0) lines.push(daemonHealth('STATE_REOPENED', { times: reopened }));
  const { maxMs } = loop.figures;
  if (maxMs > SLOW_MS) lines.push(daemonHealth('LOOP_SLOW', { ms: Math.round(maxMs) }));
  return worstFirst(lines);
}
