// Watching the paths that were found: when to ask the one in use whether it lives, when to stop believing it, how the
// next best is kept warm, and when the rest is forgotten.
import { doubtAt, isDistrusted, type Path } from './path.ts';
import { TIMING } from './timing.ts';

export type WatchAction = 'none' | 'probe' | 'distrust' | 'forget';

export interface Watched {
  readonly action: WatchAction;
  readonly nextAt: number | null;
}

/** `active` is in use, `warm` the next best, anything else is measured at its beginning, and then only remembered. */
export function watch(
  path: Path,
  role: 'active' | 'warm' | 'other',
  keepAliveMs: number,
  now: number,
): Watched {
  if (!path.usable) return expiring(path, role, now);
  if (role === 'other') return measuredOnce(path, now);
  if (isDistrusted(path, now)) return { action: 'distrust', nextAt: now };
  const nextAt = nextProbeAt(path, role === 'active' ? keepAliveMs : Math.max(keepAliveMs, TIMING.warm));
  return { action: now >= nextAt ? 'probe' : 'none', nextAt };
}

function nextProbeAt(path: Path, intervalMs: number): number {
  const doubted = doubtAt(path);
  if (doubted === null) return Math.min(measureAt(path), (path.heardAt ?? path.probedAt ?? 0) + intervalMs);
  return Math.max(doubted, (path.probedAt ?? 0) + Math.max(TIMING.quickSpacing, path.srttMs ?? 0));
}

/** When its round trip is to be measured again, whatever traffic proves meanwhile. */
function measureAt(path: Path): number {
  const { foundAt, probedAt, waitingSince, heardAt, answeredAt } = path;
  if (foundAt === null || probedAt === null) return Infinity;
  const early = earlyMeasureAt(path);
  if (early !== null) return early;
  // A path that only probes keep alive is measured by those.
  const isBusy = waitingSince !== null || (heardAt ?? 0) > (answeredAt ?? 0);
  return isBusy ? probedAt + TIMING.measureEvery : Infinity;
}

/** Its first answer may have met a busy box: it must not look slow for ever. */
function measuredOnce(path: Path, now: number): Watched {
  const nextAt = earlyMeasureAt(path);
  if (nextAt === null) return expiring(path, 'other', now);
  return { action: now >= nextAt ? 'probe' : 'none', nextAt };
}

function earlyMeasureAt({ foundAt, probedAt }: Path): number | null {
  if (foundAt === null || probedAt === null) return null;
  const early = TIMING.measureAfter.find(after => foundAt + after > probedAt);
  return early === undefined ? null : foundAt + early;
}

function expiring(path: Path, role: 'active' | 'warm' | 'other', now: number): Watched {
  if (role === 'active') return { action: 'none', nextAt: null };
  const lastAt = Math.max(path.heardAt ?? 0, path.probedAt ?? 0);
  const nextAt = lastAt + TIMING.forget;
  return { action: now >= nextAt ? 'forget' : 'none', nextAt };
}

/** The smallest that is not null. */
export const earliest = (times: readonly (number | null)[]): number | null =>
  times.reduce<number | null>(
    (first, at) => (at !== null && (first === null || at < first) ? at : first),
    null,
  );
