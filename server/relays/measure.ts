// Which relays a node is to measure besides those it keeps, so that `nearest` finds good ones: four at a time, its own
// region's first, those never measured before those measured long ago.
import type { Random } from '../../base/random.ts';
import type { NodeId } from '../../protocol/location/messages.ts';
import type { RelayFacts } from './facts.ts';

export const MEASURE_AT_ONCE = 4;
/** How long a measured round trip is believed without another look. */
export const MEASURED_FRESH_MS = 15 * 60_000;
/** The farther half is looked at more seldom. */
const FAR_FRESH_MS = 4 * MEASURED_FRESH_MS;

export interface Measured {
  readonly rttMs: number | null;
  readonly at: number;
}

export interface MeasureOptions {
  readonly node: NodeId;
  readonly region: string;
  readonly keep: readonly NodeId[];
  /** What was measured or tried, by relay. */
  readonly measured: ReadonlyMap<NodeId, Measured>;
  readonly now: number;
  readonly random: Random;
}

export function relaysToMeasure(relays: Iterable<RelayFacts>, options: MeasureOptions): NodeId[] {
  const { node, region, keep, measured, now, random } = options;
  const median = medianOf([...measured.values()]);
  const due = [...relays].flatMap(({ id, region: theirs }) => {
    if (id === node || keep.includes(id)) return [];
    const last = measured.get(id);
    if (last !== undefined) {
      const isNear = last.rttMs !== null && last.rttMs <= median;
      if (now - last.at < (isNear ? MEASURED_FRESH_MS : FAR_FRESH_MS)) return [];
    }
    const isOwn = region !== '' && region === theirs;
    // Never measured before measured, the own region before others, the oldest first; else by chance.
    const rank = last === undefined ? (isOwn ? 0 : 1) : 2 + last.at;
    return [{ id, rank, chance: random.below(1 << 30) }];
  });
  due.sort((a, b) => a.rank - b.rank || a.chance - b.chance);
  return due.slice(0, MEASURE_AT_ONCE).map(({ id }) => id);
}

function medianOf(measured: readonly Measured[]): number {
  const rtts = measured.flatMap(({ rttMs }) => rttMs ?? []).sort((a, b) => a - b);
  return rtts[rtts.length >> 1] ?? Infinity;
}
