// The other boxes as the overview lists them: found by what is typed, in the order that is asked for, counted.
import type { Live, Peer } from './wire.ts';

export type Column = 'name' | 'ip' | 'path' | 'latency' | 'bytes' | 'seen';

export interface Order {
  readonly by: Column;
  readonly descending: boolean;
}

const STATES: readonly Peer['state'][] = ['direct', 'relayed', 'trying', 'idle', 'unreachable', 'offline'];

/** How well a box is reached, for colour and words alike. */
export type Tone = 'good' | 'fair' | 'bad' | 'quiet';

export const toneOf = (state: Peer['state']): Tone =>
  ({
    ...({
      direct: 'good',
      relayed: 'fair',
      trying: 'fair',
      unreachable: 'bad',
      idle: 'quiet',
      offline: 'quiet',
    } as const),
  })[state];

export const isReached = ({ state }: Pick<Peer, 'state'>): boolean =>
  state === 'direct' || state === 'relayed';

export function found(peers: readonly Peer[], typed: string): readonly Peer[] {
  const words = typed
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word !== '');
  if (words.length === 0) return peers;
  return peers.filter(peer => {
    const text = `${peer.name} ${peer.ip4} ${peer.ip6} ${peer.state} ${peer.path?.label ?? ''}`.toLowerCase();
    return words.every(word => text.includes(word));
  });
}

/** Those without a figure come last, whichever way round. */
export function ordered(peers: readonly Peer[], { by, descending }: Order): readonly Peer[] {
  const collator = new Intl.Collator(undefined, { numeric: true });
  const byName = (a: Peer, b: Peer): number => collator.compare(a.name, b.name);
  const sign = descending ? -1 : 1;
  const compare = (a: Peer, b: Peer): number => {
    if (by === 'name') return sign * byName(a, b);
    if (by === 'ip') return sign * collator.compare(a.ip4, b.ip4);
    const [left, right] = [figure(a, by), figure(b, by)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return sign * (left - right);
  };
  return [...peers].sort((a, b) => compare(a, b) || byName(a, b));
}

function figure(peer: Peer, by: Exclude<Column, 'name' | 'ip'>): number | null {
  if (by === 'path') return STATES.indexOf(peer.state);
  if (by === 'latency') return peer.path?.rttMs ?? null;
  return by === 'bytes' ? peer.bytesIn + peer.bytesOut : seenSecondsAgo(peer, Date.now());
}

/** By this box itself, or else by the location server. */
export function seenSecondsAgo({ lastHeardSecondsAgo, lastSeen }: Peer, now: number): number | null {
  if (lastHeardSecondsAgo !== null || lastSeen === null) return lastHeardSecondsAgo;
  return Math.max(0, Math.round((now - lastSeen) / 1000));
}

export interface Counts {
  readonly all: number;
  readonly direct: number;
  readonly relayed: number;
  /** Neither, though it may be there. */
  readonly other: number;
  readonly offline: number;
}

export function counted(peers: readonly Peer[]): Counts {
  const of = (...states: Peer['state'][]): number =>
    peers.filter(({ state }) => states.includes(state)).length;
  return {
    ...{ all: peers.length, direct: of('direct'), relayed: of('relayed'), offline: of('offline') },
    other: of('trying', 'unreachable', 'idle'),
  };
}

/** Bits per second, both ways. */
export const rateOf = (rates: Live['rates'], id: string): number => {
  const rate = Object.hasOwn(rates, id) ? rates[id] : undefined;
  return rate === undefined ? 0 : rate.in + rate.out;
};

/** The name of the box that forwards, where the path is `via NAME`. */
export const relayOf = (peer: Pick<Peer, 'path'>): string | null =>
  peer.path?.class === 'relay' ? (/^via (\S+)/.exec(peer.path.label)?.[1] ?? '') : null;
