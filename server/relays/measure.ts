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

/** A node that finds its relays gone while the server is away needs others to go to. */
const STAND_INS = 2;

export interface StandInOptions extends Omit<MeasureOptions, 'now'> {
  /** Named in any case. */
  readonly due: readonly NodeId[];
  /** Named the last time: they stay, so that nothing is told without need. */
  readonly before: readonly NodeId[];
}

/** `due`, and as many more as make two: those named before, then the nearest, then by chance. */
export function withStandIns(relays: Iterable<RelayFacts>, options: StandInOptions): readonly NodeId[] {
  const { node, keep, measured, random, due, before } = options;
  if (due.length >= STAND_INS) return due;
  const others = [...relays].flatMap(({ id, nodes, mostNodes }) => {
    const isTaken = id === node || keep.includes(id) || due.includes(id);
    const rttMs = measured.get(id)?.rttMs;
    if (isTaken || nodes >= mostNodes || rttMs === null) return [];
    const rank = before.includes(id) ? before.indexOf(id) - before.length : (rttMs ?? Infinity);
    return [{ id, rank, chance: random.below(1 << 30) }];
  });
  others.sort((a, b) => (a.rank === b.rank ? a.chance - b.chance : a.rank - b.rank));
  return [...due, ...others.slice(0, STAND_INS - due.length).map(({ id }) => id)];
}

function medianOf(measured: readonly Measured[]): number {
  const rtts = measured.flatMap(({ rttMs }) => rttMs ?? []).sort((a, b) => a - b);
  return rtts[rtts.length >> 1] ?? Infinity;
}
